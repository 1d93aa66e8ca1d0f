"""Layers between DequantizeLinear and QuantizeLinear, as layers of codes as ONNX rounds them.

    %x.real = dequantize(%x)
    %y.real = conv2d(%x.real, %w, %b)
    %y      = quantize(%y.real) {scale=S, zero=Z, rounding=even}

becomes

    %y = conv2d(%x, %w, %b) {scale=S, zero=Z, rounding=even}

where %w and %b are codes in the file. What ONNX Runtime fuses is fused: convolutions, products of
matrices, sums and products of two, global averages and activations, with a clamp behind layers.
What only moves elements, or takes the largest of them, moves codes. All else stays as the file has
it: floats between codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_builder import Coded
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const, Operator
from netgen.ir.tensor_type import ELEMENTS, Quantisation, TensorType, is_scale
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.add import Add
from netgen.ops.clamp import Clamp
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dequantize import Dequantize
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.linear import Linear
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.mul import Mul
from netgen.ops.quantize import Quantize
from netgen.ops.rescaled import Rescaled, scale_of
from netgen.ops.sub import Sub

# A bias is in units of the product of two scales, which tools round in their own ways.
_NEAR = 1e-5


def take_codes(graph: Graph, coded: Mapping[str, Coded]) -> Graph:
    """The graph whose layers compute with codes; `coded` are constants that are codes in a file."""
    taking = _Taking(graph, coded)
    for node in graph.nodes:
        taking.visit(node)
    return graph.rewrite(taking.nodes, taking.constants)


@dataclass
class _Taking:
    """New nodes that take the place of old ones, and the codes of values that are such floats."""

    graph: Graph
    coded: Mapping[str, Coded]
    nodes: dict[str, Node] = field(default_factory=dict)
    constants: dict[str, ConstantArray] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def visit(self, node: Node) -> None:
        """Note the codes of a value, or make it of codes."""
        if isinstance(node.op, Dequantize):
            (self.codes[node.name],) = node.operands
        elif isinstance(node.op, Quantize) and self.graph.operand_types(node)[0].element.is_float:
            found = self._of_codes(node)
            if found is not None:
                self.nodes[node.name] = found
        elif node.operands and (node.op.moves_only or isinstance(node.op, MaxPool2d)):
            self._move(node)

    def kind(self, name: str) -> TensorType:
        """The type of a value."""
        return (self.nodes[name] if name in self.nodes else self.graph[name]).type

    def _move(self, node: Node) -> None:
        """Codes are moved as the numbers are that they stand for."""
        if not all(operand in self.codes for operand in node.operands):
            return
        operands = [self.codes[operand] for operand in node.operands]
        kinds = [self.kind(operand) for operand in operands]
        if not all(kind.alike(kinds[0]) for kind in kinds):
            return
        try:
            moved = node.op.result_type(kinds)
        except GraphError:
            return
        name = self.graph.fresh_name(f"{node.name}.codes")
        self.nodes[name] = Node(name, node.op, tuple(operands), moved)
        self.codes[node.name] = name

    def _of_codes(self, node: Node) -> Node | None:
        """A quantize as the operator of codes whose result it is; None where there is none."""
        (name,) = node.operands
        if name in self.codes:
            return replace(node, operands=(self.codes[name],))
        made, act = self.graph[name], "none"
        if self.graph.sole_user(name) is None:
            return None
        if made.op.moves_only:
            return self._moved_behind(node, made)
        (first, *_) = made.operands or (name,)
        inner = self.graph[first]
        if _clamps(made.op, node.type) and isinstance(inner.op, _LAYERS):
            if self.graph.sole_user(first) is None:
                return None
            act, made = made.op.operator_name, inner
        return self._layer(node, made, act)

    def _moved_behind(self, node: Node, made: Node) -> Node | None:
        """A move, as a concatenation of codes of several scales, that is quantized before it.

        It is the same: elements are rounded one by one.
        """
        operands = self._all_codes(made)
        if operands is None:
            return None
        fresh: dict[str, Node] = {}
        for number, (real, codes) in enumerate(zip(made.operands, operands, strict=True)):
            name = self.graph.fresh_name(f"{node.name}.codes{number}")
            kind = node.type.with_shape(self.graph[real].type.shape)
            fresh[name] = Node(name, node.op, (codes,), kind)
        return self._made(node, made.op, [*fresh], fresh, {})

    def _layer(self, node: Node, made: Node, act: str) -> Node | None:
        op, kind = made.op, node.type
        if not isinstance(op, Rescaled):
            return None
        fresh: dict[str, Node] = {}
        arrays: dict[str, ConstantArray] = {}
        operands = self._all_codes(made)
        if isinstance(op, _WEIGHTED):
            op = replace(op, act=act if op.act == "none" else op.act)
            operands = self._weighted(made, fresh, arrays)
        elif isinstance(op, Add | Sub | Mul):
            op = replace(op, act=act)
        elif not isinstance(op, GlobalAvgPool | ElementwiseActivation):
            return None
        if kind.dtype not in op.element_types:
            return None
        op = replace(op, scale=scale_of(kind), zero=kind.zero, rounding="even")
        return None if operands is None else self._made(node, op, operands, fresh, arrays)

    def _made(
        self,
        node: Node,
        op: Operator,
        operands: list[str],
        fresh: dict[str, Node],
        arrays: dict[str, ConstantArray],
    ) -> Node | None:
        """The node of codes, if its type is that of the codes that it is to make."""
        kinds = [fresh[each].type if each in fresh else self.kind(each) for each in operands]
        try:
            kind = op.result_type(kinds)
        except GraphError:
            return None
        if kind != node.type:
            return None
        self.nodes |= fresh
        self.constants |= arrays
        return Node(node.name, op, tuple(operands), kind, node.source)

    def _all_codes(self, made: Node) -> list[str] | None:
        found = [self.codes[operand] for operand in made.operands if operand in self.codes]
        return found if len(found) == len(made.operands) else None

    def _weighted(
        self, made: Node, fresh: dict[str, Node], arrays: dict[str, ConstantArray]
    ) -> list[str] | None:
        """Operands of a layer as codes: activations, weights, and the bias if there is one."""
        x, w, *rest = made.operands
        if x not in self.codes or len(rest) > 1 or self.kind(self.codes[x]).dtype != "i8":
            return None
        weights = self._weights(w)
        if weights is None:
            return None
        kind, codes, scales = weights
        name = self.graph.fresh_name(f"{w}.codes")
        if isinstance(scales, np.ndarray):
            kind = replace(kind, quantisation=Quantisation(f"{name}.scale", kind.zero, 0))
            arrays[f"{name}.scale"] = scales
        fresh[name], arrays[name] = Node(name, Const(name), (), kind), codes
        operands = [self.codes[x], name]
        if not rest:
            return operands
        unit = np.float64(scale_of(self.kind(self.codes[x]))) * scales
        bias = self._bias(rest[0], unit)
        if bias is None:
            return None
        name = self.graph.fresh_name(f"{rest[0]}.codes")
        fresh[name] = Node(name, Const(name), (), TensorType("i32", bias.shape))
        arrays[name] = bias
        return [*operands, name]

    def _weights(self, name: str) -> tuple[TensorType, ConstantArray, np.ndarray | float] | None:
        """Type, codes and scales of weights; None where they are no codes around one zero point.

        The codes are those that give the very numbers of the constant, whose axes may be others
        than those of the file.
        """
        given = self.coded.get(name)
        if given is None or given.element not in {"int8", "uint8"}:
            return None
        real, scales = self.graph.constant(name), given.scales.reshape(-1)
        zeros = {*given.zeros.reshape(-1).tolist()}
        if (
            len(zeros) != 1
            or scales.size not in {1, len(real)}
            or not all(map(is_scale, scales.tolist()))
        ):
            return None
        wide = scales.reshape(-1, *(1,) * (real.ndim - 1))
        centred = np.rint(real.astype(np.float64) / wide)
        zero = zeros.pop() - (128 if given.element == "uint8" else 0)
        codes, element = centred + zero, ELEMENTS["i8"]
        if not np.array_equal(centred.astype(np.float32) * wide, real):
            return None
        if codes.min() < element.low or codes.max() > element.high:
            return None
        one = float(scales[0])
        kind = TensorType("i8", real.shape, Quantisation(one, int(zero)))
        return kind, codes.astype(np.int8), one if scales.size == 1 else scales

    def _bias(self, name: str, unit: np.ndarray | float) -> ConstantArray | None:
        """The int32 of a bias in this unit; None where the file has none such."""
        given = self.coded.get(name)
        if given is None or given.element != "int32" or given.zeros.any():
            return None
        real, codes = self.graph.constant(name), given.centred.reshape(-1)
        scales = given.scales.reshape(-1)
        same = np.allclose(scales, unit, rtol=_NEAR, atol=0.0)
        if codes.shape != real.shape or not same:
            return None
        if not np.array_equal(codes.astype(np.float32) * scales, real):
            return None
        return codes.astype(np.int32)


_WEIGHTED = (Conv2d, DepthwiseConv2d, Linear)
# Those that clamp what they write.
_LAYERS = (*_WEIGHTED, Add, Sub, Mul)


def _clamps(op: Operator, kind: TensorType) -> bool:
    """Whether an operator clamps to numbers whose codes are rounded alike in all roundings."""
    if not isinstance(op, Clamp):
        return False
    finite = [bound for bound in op.limits if np.isfinite(bound)]
    quotients = [float(np.float32(bound) / np.float32(scale_of(kind))) for bound in finite]
    return all(quotient % 1.0 != 0.5 for quotient in quotients)
