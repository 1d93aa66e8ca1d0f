"""Arrays, attributes and shapes of inputs, as an ONNX file has them.

Sizes are bounded here, before anything is computed with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netgen.errors import GraphError, UsageError, WeightsError
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


@dataclass(frozen=True)
class Bindings:
    """The extents of open axes that the caller gives: shapes by input, extents by names of axes."""

    shapes: Mapping[str, tuple[int, ...]]
    axes: Mapping[str, int]

    @staticmethod
    def of(shapes: Mapping[str, Sequence[int]], axes: Mapping[str, object], where: str) -> Bindings:
        """Numbers, also as texts; raises UsageError for what is none."""
        if not isinstance(shapes, Mapping):
            raise UsageError(
                "shapes are no mapping",
                where=where,
                expected="shapes by the names of inputs",
                found=str(shapes),
                hint="bind an axis of that name by named={'shapes': N}",
            )
        try:
            return Bindings(
                {name: tuple(map(_extent, shape)) for name, shape in shapes.items()},
                {name: _extent(extent) for name, extent in axes.items()},
            )
        except (TypeError, ValueError):
            raise UsageError(
                "an axis is bound to what is no number of elements",
                where=where,
                expected="whole numbers of at least 1",
                found=", ".join(f"{name}={value}" for name, value in {**shapes, **axes}.items()),
            ) from None

    def check_used(self, inputs: Sequence[ValueInfoProto], where: str) -> None:
        """Raise UsageError for a name that the file does not have."""
        names = {value.name for value in inputs}
        axes = {d.dim_param for value in inputs for d in value.type.tensor_type.shape.dim}
        unknown = sorted(({*self.shapes} - names) | ({*self.axes} - axes))
        if unknown:
            raise UsageError(
                "there is no such input or open axis",
                where=where,
                expected="one of " + ", ".join(sorted(names | (axes - {""}))),
                found=", ".join(unknown),
            )


def _extent(given: object) -> int:
    extent = int(str(given))
    if extent < 1:
        raise ValueError
    return extent


UNBOUND = Bindings({}, {})


def element_of(value: ValueInfoProto) -> str:
    """NumPy's name of the element type of an input or output, empty where it has none."""
    from onnx import TensorProto
    from onnx.helper import tensor_dtype_to_np_dtype

    kind = value.type.tensor_type.elem_type
    if kind in (TensorProto.UINT8, TensorProto.INT8, TensorProto.INT16):
        return str(tensor_dtype_to_np_dtype(kind).name)
    return ""


def shape_of(
    value: ValueInfoProto, bindings: Bindings = UNBOUND
) -> tuple[tuple[int, ...], str | None]:
    """Shape of an input, and what the file calls its first axis where that is open.

    An open first axis that is not bound is 1. Raises GraphError where another one is open.
    """
    from onnx import TensorProto

    kind = value.type.tensor_type
    floats = (TensorProto.FLOAT, TensorProto.FLOAT16)
    codes = (TensorProto.UINT8, TensorProto.INT8, TensorProto.INT16)
    if not value.type.HasField("tensor_type") or kind.elem_type not in (*floats, *codes):
        known = kind.elem_type in TensorProto.DataType.values()
        raise GraphError(
            "no tensor of floats or codes",
            expected="FLOAT, or FLOAT16, which is read as FLOAT, or codes: UINT8, INT8, INT16",
            found=TensorProto.DataType.Name(kind.elem_type) if known else "another kind",
            hint="export the model in float32",
        )
    if not kind.HasField("shape"):
        raise GraphError("an input without a shape")
    check_rank(len(kind.shape.dim))
    given = bindings.shapes.get(value.name)
    if given is not None and len(given) != len(kind.shape.dim):
        raise GraphError(
            "a shape of another rank",
            expected=f"{len(kind.shape.dim)} axes",
            found=",".join(map(str, given)),
        )
    shape, open_axis = [], None
    unbound = []
    for axis, extent in enumerate(kind.shape.dim):
        fixed = extent.dim_value if extent.HasField("dim_value") and extent.dim_value > 0 else None
        bound = given[axis] if given is not None else bindings.axes.get(extent.dim_param)
        if fixed is not None and bound not in (None, fixed):
            raise GraphError(f"axis {axis} is not open", expected=str(fixed), found=str(bound))
        shape.append(fixed or bound or 1)
        if fixed is None and bound is None and axis == 0:
            open_axis = extent.dim_param
        elif fixed is None and bound is None:
            unbound.append((axis, extent.dim_param))
    if unbound:
        raise _open_axes(value.name, shape, unbound)
    return tuple(shape), open_axis


def _open_axes(name: str, shape: Sequence[int], unbound: Sequence[tuple[int, str]]) -> GraphError:
    """Say which axes are open, and how they are bound."""
    axes = dict(unbound)
    sizes = ",".join("N" if axis in axes else str(n) for axis, n in enumerate(shape))
    named = " ".join(f"-p {text}=N" for text in dict.fromkeys(axes.values()) if text)
    listed = " and ".join(map(str, axes))
    return GraphError(
        f"axis {listed} is open" if len(axes) == 1 else f"axes {listed} are open",
        expected="a number",
        found=", ".join(text or "nothing" for text in axes.values()),
        hint="bind them by "
        + (f"{named}, or " if named else "")
        + f"--input-shape {name}={sizes}, in Python by shapes={{{name!r}: ({sizes})}}",
    )
