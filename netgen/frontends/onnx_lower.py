"""A parsed ONNX model -> a graph: every node is mapped or folded, all faults are told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netgen.errors import GraphError, NetgenError, WeightsError
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_call import Attribute, Call, Known, Value
from netgen.frontends.onnx_fold import FOLDS
from netgen.frontends.onnx_operators import MAPPINGS
from netgen.frontends.onnx_view import View
from netgen.ir.graph import Graph

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

_OWN_DOMAINS = ("", "ai.onnx")


def lower_model(model: ModelProto, name: str, where: str) -> Graph:
    """Make the graph of a model whose functions are inlined and whose data are in memory.

    Inputs and outputs keep names, shapes and axes as the file has them. Raises GraphError with
    every node that cannot be mapped, or WeightsError if nothing but weights is wrong.
    """
    return _Lowering(model, where).run(name)


class _Lowering:
    """Values by ONNX name while the nodes are walked in order."""

    def __init__(self, model: ModelProto, where: str) -> None:
        self._contents = model.graph
        self._where = where
        self._opset = next(
            item.version for item in model.opset_import if item.domain in _OWN_DOMAINS
        )
        self._builder = Builder(value.name for value in model.graph.output)
        self._values: dict[str, Value] = {}
        self._faults: list[tuple[str, NetgenError]] = []
        self._read = {name for node in model.graph.node for name in node.input}
        self._read.update(value.name for value in model.graph.output)

    def run(self, name: str) -> Graph:
        """Walk the nodes; what a faulty node should have made is not looked at again."""
        self._read_initializers()
        for value in self._contents.input:
            if value.name in self._values:
                continue
            try:
                self._values[value.name] = self._builder.input(value.name, _shape_of(value))
            except GraphError as error:
                self._faults.append((f"input {value.name}", error))
        for index, node in enumerate(self._contents.node):
            self._visit(node, node.name or f"node {index} ({node.op_type})")
        outputs = [(value.name, self._output(value.name)) for value in self._contents.output]
        self._raise_faults()
        return self._builder.graph(name, [(n, v) for n, v in outputs if v is not None])

    def _read_initializers(self) -> None:
        for tensor in self._contents.initializer:
            array = _array_of(tensor)
            if isinstance(array, WeightsError):
                self._faults.append((tensor.name, array))
            else:
                self._values[tensor.name] = array
        for sparse in self._contents.sparse_initializer:
            fault = WeightsError("sparse weights are not supported")
            self._faults.append((sparse.values.name, fault))

    def _visit(self, node: NodeProto, title: str) -> None:
        mapping, fold = MAPPINGS.get(node.op_type), FOLDS.get(node.op_type)
        if node.domain not in _OWN_DOMAINS or (mapping is None and fold is None):
            operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            self._faults.append((title, GraphError(f"the operator {operator} is not supported")))
            return
        if any(name and name not in self._values for name in node.input):
            return  # it depends on a faulty one
        try:
            results = self._results(self._call(node))
        except (GraphError, WeightsError) as error:
            self._faults.append((f"{title} ({node.op_type})", error))
            return
        self._values.update(zip(node.output, results, strict=False))

    def _call(self, node: NodeProto) -> Call:
        inputs = tuple(self._values[name] if name else None for name in node.input)
        results = [name if name in self._read else "" for name in node.output]
        return Call(
            builder=self._builder,
            operator=node.op_type,
            opset=self._opset,
            names=tuple(node.input),
            results=tuple(results),
            inputs=inputs,
            attributes=_attributes(node.attribute),
        )

    def _results(self, call: Call) -> Sequence[Value]:
        computed = any(isinstance(value, View) for value in call.inputs)
        fold, mapping = FOLDS.get(call.operator), MAPPINGS.get(call.operator)
        if not computed and fold is not None:
            try:
                with np.errstate(all="ignore"):
                    return [np.asarray(fold(call))]  # NumPy makes scalars of arrays without axes
            # What NumPy says to shapes, axes and types that do not fit.
            except (ValueError, IndexError, TypeError, OverflowError) as error:
                raise GraphError(f"malformed arithmetic: {error}") from error
        if mapping is None:
            raise GraphError("this operator is supported between constants only")
        result = mapping(call)
        return [result] if isinstance(result, View | np.ndarray) else result

    def _output(self, name: str) -> View | None:
        value = self._values.get(name)
        if isinstance(value, View) or self._faults:
            return value if isinstance(value, View) else None
        raise GraphError(
            "an output is a constant" if value is not None else "an output that no node makes",
            where=f"{self._where}: {name}",
        )

    def _raise_faults(self) -> None:
        if not self._faults:
            return
        weights = all(isinstance(error, WeightsError) for _, error in self._faults)
        kind: type[NetgenError] = WeightsError if weights else GraphError
        count = len(self._faults)
        raise kind(
            f"{count} part{'s' if count > 1 else ''} of the model cannot be used: "
            + "; ".join(f"{title}: {error}" for title, error in self._faults),
            where=self._where,
        )


def _array_of(tensor: TensorProto) -> Known | WeightsError:
    from onnx.numpy_helper import to_array

    try:
        return np.asarray(to_array(tensor))
    # A length that does not fit the shape, an element type that does not exist.
    except (ValueError, TypeError, KeyError) as error:
        return WeightsError(f"the weights are damaged or incomplete: {error}")


def _attributes(attributes: Sequence[AttributeProto]) -> Mapping[str, Attribute]:
    """Attributes as Python has them; graphs are left out: no operator with one is supported."""
    from onnx import TensorProto
    from onnx.helper import get_attribute_value

    found: dict[str, Attribute] = {}
    for attribute in attributes:
        value = get_attribute_value(attribute)
        if isinstance(value, bytes):
            found[attribute.name] = value.decode("utf-8", "replace")
        elif isinstance(value, TensorProto):
            array = _array_of(value)
            if isinstance(array, WeightsError):
                raise array
            found[attribute.name] = array
        elif isinstance(value, int | float):
            found[attribute.name] = value
        elif isinstance(value, list | tuple) or hasattr(value, "__iter__"):
            found[attribute.name] = tuple(value)
    return found


def _shape_of(value: ValueInfoProto) -> tuple[int, ...]:
    """Shape of an input; an open batch is 1. Raises GraphError where anything else is open."""
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
    shape = []
    for axis, extent in enumerate(kind.shape.dim):
        if extent.HasField("dim_value") and extent.dim_value > 0:
            shape.append(extent.dim_value)
        elif axis == 0:
            shape.append(1)
        else:
            raise GraphError(
                f"axis {axis} is open",
                expected="a number",
                found=extent.dim_param or "nothing",
                hint="export the model for one input size",
            )
    if not shape:
        raise GraphError("an input without a shape, or without axes")
    if shape[0] != 1:
        raise GraphError(
            "a batch of more than one",
            expected="1",
            found=str(shape[0]),
            hint="export the model for one image",
        )
    return tuple(shape)
