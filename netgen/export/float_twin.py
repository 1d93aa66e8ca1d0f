"""The float twin of a graph of codes: the same network on the numbers behind its codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input, Operator, State
from netgen.ir.tensor_type import ELEMENTS, Array, TensorType
from netgen.ir.verify import verify
from netgen.ops.activation import find_activation
from netgen.ops.dequantize import Dequantize
from netgen.ops.identity import Identity
from netgen.ops.pad import Pad
from netgen.ops.pooling import Pooling
from netgen.ops.quantize import Quantize
from netgen.ops.rescale import Rescale
from netgen.ops.rescaled import Rescaled, scale_of
from netgen.ops.weighted import Weighted

_FLOAT = ELEMENTS["f32"]
# Activations that a range of codes may hold to by itself, the narrowest first.
_BOUNDS = {"relu_n1_to_1": (-1.0, 1.0), "relu6": (0.0, 6.0), "relu": (0.0, None)}


def float_twin(graph: Graph) -> Graph:
    """The network of floats whose numbers the codes of a graph stand for; of floats the graph.

    %x   : u8[1,8,8,3] {scale=0x1p-7, zero=128}     = input
    %q   : i8[1,8,8,3] {scale=0x1p-7}               = quantize(%x) {scale=0x1p-7}
    %c.w : i8[4,1,1,3] {scale=@c.w.scale, axis=0}   = const {data=@c.w}
    %c.b : i32[4]                                   = const {data=@c.b}
    %c   : i8[1,8,8,4] {scale=0x1p-5, zero=-128}    = conv2d(%q, %c.w, %c.b) {scale=..., zero=-128}
    %y   : f32[1,8,8,4]                             = dequantize(%c)
    ->
    %x   : f32[1,8,8,3] = input
    %q   : f32[1,8,8,3] = identity(%x)
    %c.w : f32[4,1,1,3] = const {data=@c.w}
    %b   : f32[4]       = const {data=@b}
    %c   : f32[1,8,8,4] = conv2d(%q, %c.w, %b) {act=relu}
    %y   : f32[1,8,8,4] = identity(%c)

    Weights are (code - zero) * scale, a bias is its number times x's scale times that of the
    weights. Nothing is rounded or saturates between operators, but for ranges of codes that end
    where an activation does: converters leave out an activation that codes hold to by themselves.

    Raises GraphError for integers that stand for no real number, and for missing data.
    """
    return graph if graph.first_codes() is None else verify(_Twin(graph).finished())


def real_numbers(
    codes: Array, kind: TensorType, scales: Mapping[str, Array] | None = None
) -> Array:
    """The numbers, as f32, that codes of a type stand for; floats as they are.

    `scales` has scales along an axis by name. Raises GraphError for integers without a scale.
    """
    if kind.element.is_float:
        return codes
    if kind.quantisation is None:
        raise _meaningless(kind)
    scale: float | Array
    if isinstance(kind.quantisation.scale, str):
        along = [1] * len(kind.shape)
        along[kind.quantisation.axis or 0] = -1
        scale = (scales or {})[kind.quantisation.scale].reshape(along)
    else:
        scale = kind.quantisation.scale
    return _FLOAT.store((codes.astype(np.float64) - kind.zero) * scale)


def _meaningless(kind: TensorType, where: str | None = None) -> GraphError:
    return GraphError("these integers stand for no real numbers", where=where, found=str(kind))


class _Twin:
    """Nodes and arrays of the twin: each array has the name of its value."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes: dict[str, Node] = {}
        self._arrays: dict[str, Array] = {}

    def finished(self) -> Graph:
        """Translate every node, in order; constants where a node reads them."""
        graph = self._graph
        for node in graph.nodes:
            if isinstance(node.op, Const):
                if node.name in graph.results:
                    self._constant(node)
            elif isinstance(node.op, Input | State):
                self._leaf(node)
            else:
                self._activation(node)
        return Graph(
            graph.name,
            self._nodes.values(),
            graph.outputs,
            self._arrays,
            next_values=graph.next_values,
        )

    def _leaf(self, node: Node) -> None:
        op, kind = node.op, TensorType("f32", node.type.shape)
        if not node.type.element.is_float and node.type.quantisation is None:
            raise _meaningless(node.type, f"%{node.name}")
        if isinstance(op, State) and op.data:
            array = self._graph.constants[op.data]
            self._arrays[node.name] = real_numbers(array, node.type)
            op = State(node.name)
        self._nodes[node.name] = replace(node, op=op, type=kind)

    def _constant(self, node: Node) -> None:
        scales = self._graph.scales([node.type])
        self._add(node, real_numbers(self._graph.constant(node.name), node.type, scales))

    def _add(self, node: Node, array: Array) -> None:
        kind = TensorType("f32", node.type.shape)
        self._nodes[node.name] = replace(node, op=Const(node.name), type=kind)
        self._arrays[node.name] = array

    def _activation(self, node: Node) -> None:
        op, x = node.op, self._graph[node.operands[0]].type
        operands = list(node.operands)
        if isinstance(op, Weighted) and not x.element.is_float and len(operands) > 2:
            operands[2] = self._bias(node)
        for name in operands:
            if name not in self._nodes:
                self._constant(self._graph[name])
        types = [self._nodes[name].type for name in operands]
        op, act = _of_floats(op, x, node.type)
        name = node.name if act == "none" else self._fresh(f"{node.name}.{act}")
        made = replace(node, name=name, op=op, operands=tuple(operands), type=op.result_type(types))
        self._nodes[name] = made
        if (activation := find_activation(act)) is not None:
            last = replace(node, op=activation, operands=(name,), type=made.type)
            self._nodes[node.name] = last

    def _bias(self, node: Node) -> str:
        """The bias of a layer: its own, for others may read the same integers at other scales."""
        graph = self._graph
        x, w = graph.operand_types(node)[:2]
        assert w.quantisation is not None
        own = w.quantisation.scale
        scale = own if isinstance(own, float) else graph.scales([w])[own]
        integers = graph.constant(node.operands[2])
        name = self._fresh(f"{node.name}.b")
        real = integers.astype(np.float64) * (scale_of(x) * scale)
        self._add(replace(graph[node.operands[2]], name=name), _FLOAT.store(real))
        return name

    def _fresh(self, name: str) -> str:
        """A name that is neither the graph's nor the twin's."""
        while name in self._nodes or name in self._graph:
            name += "_"
        return name


def _of_floats(op: Operator, x: TensorType, result: TensorType) -> tuple[Operator, str]:
    """An operator as one of floats, and the activation that has to follow it."""
    if isinstance(op, Quantize | Dequantize | Rescale):
        return Identity(), "none"
    if x.element.is_float:
        return op, "none"
    if isinstance(op, Pad):
        return replace(op, value=float(np.float32(op.value * scale_of(x)))), "none"
    if isinstance(op, Pooling):
        return replace(op, act="none"), op.act
    if op.activation == "none" and isinstance(op, Rescaled) and op.scale:
        op = op.with_activation(_held_to(result))
    if isinstance(op, Weighted):
        op = replace(op, rounding=Weighted.rounding)
    return (replace(op, scale=0.0, zero=0) if isinstance(op, Rescaled) else op), "none"


def _held_to(kind: TensorType) -> str:
    """The activation whose bounds are the lowest code and, if it has one, the highest."""
    scale, element = scale_of(kind), kind.element
    for act, (low, high) in _BOUNDS.items():
        ends = kind.zero + round(low / scale), high and kind.zero + round(high / scale)
        if ends in {(element.low, element.high), (element.low, None)}:
            return act
    return "none"
