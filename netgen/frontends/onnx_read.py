"""Arrays, attributes and shapes of inputs, as an ONNX file has them.

Sizes are bounded here, before anything is computed with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_call import Attribute, Known, check_rank

if TYPE_CHECKING:
    from onnx import AttributeProto, TensorProto, ValueInfoProto


def array_of(tensor: TensorProto) -> Known | WeightsError:
    """Decode a tensor; what is wrong with it is returned, so that all of them can be told."""
    from onnx.numpy_helper import to_array

    try:
        with np.errstate(all="ignore"):
            return np.asarray(to_array(tensor))
    # A length that does not fit the shape, an element type that does not exist.
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        return WeightsError(f"the weights are damaged or incomplete: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def attributes_of(attributes: Sequence[AttributeProto]) -> Mapping[str, Attribute]:
    """Attributes as Python has them; graphs are left out: no operator with one is supported.

    Raises GraphError for one that stands for an attribute of a function: the functions are inlined.
    """
    from onnx import TensorProto
    from onnx.helper import get_attribute_value

    found: dict[str, Attribute] = {}
    for attribute in attributes:
        if attribute.ref_attr_name:
            raise GraphError(
                f"the attribute {attribute.name} refers to an attribute of a function",
                expected="a value",
                found=attribute.ref_attr_name,
            )
        try:
            value = get_attribute_value(attribute)
        except ValueError as error:
            raise GraphError(
                f"the attribute {attribute.name} has no value: {_first_line(error)}"
            ) from error
        if isinstance(value, bytes):
            found[attribute.name] = value.decode("utf-8", "replace")
        elif isinstance(value, TensorProto):
            array = array_of(value)
            if isinstance(array, WeightsError):
                raise array
            found[attribute.name] = array
        elif isinstance(value, int | float):
            found[attribute.name] = value
        elif isinstance(value, list | tuple) or hasattr(value, "__iter__"):
            found[attribute.name] = tuple(value)
    return found


def shape_of(value: ValueInfoProto) -> tuple[tuple[int, ...], str | None]:
    """Shape of an input, and what the file calls its first axis where that is open.

    An open first axis is 1. Raises GraphError where another one is open.
    """
    from onnx import TensorProto

    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or kind.elem_type != TensorProto.FLOAT:
        known = kind.elem_type in TensorProto.DataType.values()
        raise GraphError(
            "no tensor of float32",
            expected="FLOAT",
            found=TensorProto.DataType.Name(kind.elem_type) if known else "another kind",
            hint="export the model in float32",
        )
    if not kind.shape.dim:
        raise GraphError("an input without a shape, or without axes")
    check_rank(len(kind.shape.dim))
    shape, open_axis = [], None
    for axis, extent in enumerate(kind.shape.dim):
        if extent.HasField("dim_value") and extent.dim_value > 0:
            shape.append(extent.dim_value)
        elif axis == 0:
            shape.append(1)
            open_axis = extent.dim_param
        else:
            raise GraphError(
                f"axis {axis} is open",
                expected="a number",
                found=extent.dim_param or "nothing",
                hint="export the model for one input size",
            )
    return tuple(shape), open_axis
