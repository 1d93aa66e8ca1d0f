"""A parsed ONNX model -> a graph: every node is mapped or folded, all faults are told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from netgen.errors import GraphError, NetgenError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_call import Call, Value, check_rank
from netgen.frontends.onnx_codes import input_kind, shifted
from netgen.frontends.onnx_fold import FOLDS
from netgen.frontends.onnx_nodes import read_names
from netgen.frontends.onnx_open_axis import OpenAxes, no_batch
from netgen.frontends.onnx_open_rules import follow
from netgen.frontends.onnx_operators import MAPPINGS
from netgen.frontends.onnx_order import tensor_of
from netgen.frontends.onnx_read import (
    UNBOUND,
    Bindings,
    array_of,
    attributes_of,
    element_of,
    shape_of,
)
from netgen.frontends.onnx_take_codes import take_codes
from netgen.frontends.onnx_tensor_view import TensorView, as_image
from netgen.frontends.onnx_versions import check_version
from netgen.ir.graph import Graph

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

# Operators that take codes as they are: they move them, take the largest, or give them a meaning.
_OF_CODES = frozenset(
    {
        *("Concat", "DepthToSpace", "DequantizeLinear", "Dropout", "Expand", "Flatten", "Gather"),
        *("Identity", "MaxPool", "Reshape", "Shape", "Size", "Slice", "SpaceToDepth", "Split"),
        *("Squeeze", "Tile", "Transpose", "Unsqueeze"),
    }
)
_OWN_DOMAINS = ("", "ai.onnx")
# onnxruntime comes with it.
_BIND = "python -m onnxruntime.tools.make_dynamic_shape_fixed --input_name {} --input_shape {}"


def lower_model(model: ModelProto, name: str, where: str, bindings: Bindings = UNBOUND) -> Graph:
    """Make the graph of a model whose functions are inlined and whose data are in memory.

    Inputs and outputs keep names, shapes and axes as the file has them; where the first axis is
    longer than 1 or the only one, one of 1 stands before it. Raises GraphError with every node that
    cannot be mapped, or WeightsError if nothing but weights is wrong.
    """
    bindings.check_used(model.graph.input, where)
    return _Lowering(model, where, bindings).run(name)


class _Lowering:
    """Values by ONNX name while the nodes are walked in order."""

    def __init__(self, model: ModelProto, where: str, bindings: Bindings) -> None:
        self._bindings = bindings
        self._contents = model.graph
        self._where = where
        self._opset = next(
            item.version for item in model.opset_import if item.domain in _OWN_DOMAINS
        )
        self._values: dict[str, Value] = {}
        self._faults: list[tuple[str, NetgenError]] = []
        self._read = {name for node in model.graph.node for name in read_names(node)}
        self._read.update(value.name for value in model.graph.output)
        self._open = OpenAxes()
        # Open axes by input, as the file calls them; those that are no batch; of faulty nodes.
        self._open_names: dict[str, str] = {}
        self._unbound: set[str] = set()
        self._taken_as_one: set[str] = set()
        self._read_initializers(self._contents)
        held = sum(value.size for value in self._values.values() if isinstance(value, np.ndarray))
        self._budget = Budget(held)
        self._builder = Builder((value.name for value in model.graph.output), self._budget)

    def run(self, name: str) -> Graph:
        """Walk the nodes; what a faulty node should have made is not looked at again."""
        for value in self._contents.input:
            if value.name in self._values:
                continue
            try:
                shape, open_name = shape_of(value, self._bindings)
                view = self._input(value, as_image(shape))
                # An axis of 1 before the others is nothing but a name.
                first = len(view.axes) - len(shape)
                self._values[value.name] = replace(view, axes=view.axes[first:])
            except GraphError as error:
                self._faults.append((f"input {value.name}", error))
                continue
            if open_name is not None:
                self._open_names[value.name] = open_name
                self._open.declare(value.name)
        for index, node in enumerate(self._contents.node):
            self._visit(node, node.name or f"node {index} ({node.op_type})")
        outputs = [(value.name, self._output(value)) for value in self._contents.output]
        self._raise_faults()
        graph = self._builder.graph(name, [(n, v) for n, v in outputs if v is not None])
        return take_codes(graph, self._builder.coded_constants)

    def _input(self, value: ValueInfoProto, shape: tuple[int, ...]) -> TensorView:
        """An input; codes of u8 are shifted to those of i8 first."""
        kind = input_kind(value.name, element_of(value), self._contents.node, self._values)
        view = self._builder.input(value.name, shape, kind)
        if kind is None or kind.dtype != "u8":
            return view
        shifted_name = f"{value.name}.shifted"
        return replace(
            view, value=self._builder.emit(shifted(kind, "i8"), [view.value], shifted_name)
        )

    def _read_initializers(self, graph: GraphProto) -> None:
        for tensor in graph.initializer:
            array = array_of(tensor)
            if isinstance(array, WeightsError):
                self._faults.append((tensor.name, array))
            else:
                self._values[tensor.name] = array
        for sparse in graph.sparse_initializer:
            fault = WeightsError("sparse weights are not supported")
            self._faults.append((sparse.values.name, fault))

    def _visit(self, node: NodeProto, title: str) -> None:
        if node.op_type == "If" and not node.domain:
            self._choose(node, title)
            return
        mapping, fold = MAPPINGS.get(node.op_type), FOLDS.get(node.op_type)
        if node.domain not in _OWN_DOMAINS or (mapping is None and fold is None):
            operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            self._faults.append((title, GraphError(f"the operator {operator} is not supported")))
            return
        if any(name and name not in self._values for name in node.input):
            return  # it depends on a faulty one
        try:
            check_version(node.op_type, self._opset)
            call = self._call(node)
            # Numbers that leave float32 are refused when they would get into the graph.
            with np.errstate(all="ignore"):
                results = self._results(call)
        except (GraphError, WeightsError) as error:
            self._faults.append((f"{title} ({node.op_type})", error))
            self._taken_as_one |= self._open.inputs_of(node.input)
            return
        named = [(name, value) for name, value in zip(node.output, results, strict=False) if name]
        self._values.update(named)
        if self._open.inputs_of(node.input):
            self._follow(call, title, named)

    def _choose(self, node: NodeProto, title: str) -> None:
        """Walk the nodes of that branch of an If whose condition is known to hold."""
        condition = self._values.get(node.input[0])
        if condition is None:
            return
        if not isinstance(condition, np.ndarray) or condition.size != 1:
            fault = GraphError(
                "the condition depends on the input", hint="export the model without it"
            )
            self._faults.append((f"{title} (If)", fault))
            return
        wanted = "then_branch" if condition.reshape(-1)[0] else "else_branch"
        (branch,) = (each.g for each in node.attribute if each.name == wanted)
        self._read_initializers(branch)
        self._read.update(name for inner in branch.node for name in read_names(inner))
        self._read.update(value.name for value in branch.output)
        for index, inner in enumerate(branch.node):
            self._visit(inner, inner.name or f"node {index} ({inner.op_type}) of {title}")
        for name, value in zip(node.output, branch.output, strict=False):
            if value.name in self._values:
                self._values[name] = self._values[value.name]
                self._open.alias(name, value.name)

    def _call(self, node: NodeProto) -> Call:
        inputs = tuple(self._values[name] if name else None for name in node.input)
        results = [name if name in self._read else "" for name in node.output]
        return Call(
            builder=self._builder,
            budget=self._budget,
            operator=node.op_type,
            opset=self._opset,
            names=tuple(node.input),
            results=tuple(results),
            outputs=len(node.output),
            inputs=inputs,
            attributes=attributes_of(node.attribute),
        )

    def _results(self, call: Call) -> Sequence[Value]:
        """Results of a node: views of values that are emitted, or known arrays."""
        computed = any(isinstance(value, TensorView) for value in call.inputs)
        fold, mapping = FOLDS.get(call.operator), MAPPINGS.get(call.operator)
        results: Value | Sequence[Value]
        self._check_codes(call)
        if not computed and fold is not None:
            try:
                results = np.asarray(fold(call))  # NumPy makes scalars of arrays without axes
            # NumPy raises these for shapes, axes and types that do not fit.
            except (ValueError, IndexError, TypeError, OverflowError) as error:
                raise GraphError(f"malformed arithmetic: {error}") from error
        elif mapping is not None:
            results = mapping(call)
        else:
            raise GraphError("this operator is supported between constants only")
        each = [results] if isinstance(results, TensorView | np.ndarray) else results
        for value in each:
            check_rank(len(value.axes) if isinstance(value, TensorView) else value.ndim)
        return each

    def _check_codes(self, call: Call) -> None:
        """Raise GraphError for codes that are read as anything but codes."""
        views = [value for value in call.inputs if isinstance(value, TensorView)]
        kinds = [self._builder.nodes[view.value].type for view in views]
        if call.operator not in _OF_CODES and not all(kind.element.is_float for kind in kinds):
            raise GraphError(
                "it computes with integers", hint="put a DequantizeLinear before the operator"
            )

    def _follow(self, call: Call, title: str, results: Sequence[tuple[str, Value]]) -> None:
        """Follow open axes through a node; what must be bound is followed no further."""
        step = self._open.step(call)
        try:
            if not all(isinstance(value, np.ndarray) for _, value in results):
                if (place := follow(step)) is not None:
                    self._open.keep(step, [name for name, _ in results], place)
                return
            with np.errstate(all="ignore"):
                twins = self._results(step.twin)
        except GraphError as error:
            for name in sorted(self._open.inputs_of(call.names) - self._unbound):
                self._unbound.add(name)
                self._faults.append((f"input {name}", self._no_batch(name, title, error)))
            return
        for (name, value), twin in zip(results, twins, strict=False):
            assert isinstance(value, np.ndarray)
            assert isinstance(twin, np.ndarray)
            self._open.keep_twin(step, name, value, twin)

    def _no_batch(self, name: str, title: str, how: GraphError) -> GraphError:
        value = self._values[name]
        assert isinstance(value, TensorView)
        sizes = ",".join(["N", *map(str, value.shape[1:])])
        return no_batch(title, how, self._open_names[name], _BIND.format(name, sizes))

    def _output(self, output: ValueInfoProto) -> TensorView | None:
        name = output.name
        value = self._values.get(name)
        if isinstance(value, TensorView) and not self._faults:
            kind = self._builder.nodes[value.value].type
            if not kind.element.is_float and element_of(output) == "uint8":
                op = shifted(kind, "u8")
                return replace(value, value=self._builder.emit(op, [value.value], name))
        if isinstance(value, TensorView) or self._faults:
            return value if isinstance(value, TensorView) else None
        if value is None:
            raise GraphError("an output that no node makes", where=f"{self._where}: {name}")
        return tensor_of(self._builder, self._budget, value, name)

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
            hint=", ".join(
                f"axis 0 of the input {name} is open and was taken as 1"
                for name in sorted(self._taken_as_one - self._unbound)
            ),
        )
