"""The graph of codes: what the walk found, as operators and constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ir.verify import verify
from netgen.ops.dequantize import Dequantize
from netgen.ops.quantize import Quantize
from netgen.ops.rescaled import scale_of
from netgen.ops.weighted import Weighted
from netgen.quantisation.noise import codes_of
from netgen.quantisation.options import Ports
from netgen.quantisation.scheme import Scheme, coded_op, coded_types
from netgen.quantisation.weights import CodedWeights


class CodedGraph:
    """A graph of codes in the making; every node keeps the name that it has among floats.

    %x : f32[1,8,8,3] = input                    %x       : f32[1,8,8,3]       = input
    %c : f32[1,8,8,4] = conv2d(%x, %w, %b)       %x.codes : i8[1,8,8,3] {...}  = quantize(%x) {...}
    return %c                              ->    %c       : i8[1,8,8,4] {...}  = conv2d(...) {...}
                                                 %c.real  : f32[1,8,8,4]       = dequantize(%c)
                                                 return %c.real

    With ports of codes %x and %c are codes themselves.
    """

    def __init__(
        self,
        graph: Graph,
        scheme: Scheme,
        meaning: Mapping[str, Quantisation],
        weights: Mapping[str, CodedWeights],
        ports: Ports,
    ) -> None:
        self._graph, self._scheme, self._meaning = graph, scheme, meaning
        self._weights, self._ports = weights, ports
        self._nodes: dict[str, Node] = {}
        self._arrays: dict[str, ConstantArray] = {}

    def finished(self) -> Graph:
        """Translate all nodes in order."""
        graph = self._graph
        for node in graph.inputs:
            wanted = any(user.name in self._scheme.coded for user in graph.users(node.name))
            coded = self._ports == "codes" and wanted
            kind = self._kind(node.name) if coded else node.type
            self._nodes[node.name] = replace(node, op=Input(), type=kind)
        for node in graph.activations:
            if node.name not in self._scheme.coded:
                operands = [self._real(name) for name in node.operands]
                self._emit(node.name, node.op, operands)
            elif isinstance(node.op, Weighted):
                self._layer(node)
            else:
                op = coded_op(node.op, self._meaning[node.name])
                self._emit(node.name, op, [self._codes(name) for name in node.operands])
        outputs = [self._output(name) for name in graph.outputs]
        nodes = self._nodes.values()
        return verify(Graph(graph.name, nodes, outputs, self._arrays, graph.origin))

    def _kind(self, name: str) -> TensorType:
        return TensorType("i8", self._graph[name].type.shape, self._meaning[name])

    def _output(self, name: str) -> str:
        if self._ports == "codes" and name in self._meaning:
            return self._codes(name)
        return self._real(name)

    def _emit(self, name: str, op: Operator, operands: list[str]) -> str:
        kind = op.result_type([self._nodes[operand].type for operand in operands])
        source = self._graph[name].source if name in self._graph else None
        self._nodes[name] = Node(name, op, tuple(operands), kind, source)
        return name

    def _constant(self, name: str, kind: TensorType, array: ConstantArray) -> str:
        self._nodes[name] = Node(name, Const(name), (), kind)
        self._arrays[name] = array
        return name

    def _codes(self, name: str) -> str:
        """The value of this name as codes."""
        graph, wanted = self._graph, f"{name}.codes"
        if wanted in self._nodes:
            return wanted
        if graph.is_const(name):
            kind = self._kind(name)
            return self._constant(wanted, kind, codes_of(graph.constant(name), kind))
        if not self._nodes[name].type.element.is_float:
            return name
        meaning = self._meaning[name]
        assert isinstance(meaning.scale, float)
        return self._emit(wanted, Quantize(meaning.scale, meaning.zero), [name])

    def _real(self, name: str) -> str:
        """The value of this name as floats."""
        graph, wanted = self._graph, f"{name}.real"
        if wanted in self._nodes:
            return wanted
        if graph.is_const(name):
            if name not in self._nodes:
                self._constant(name, graph[name].type, graph.constant(name))
            return name
        if self._nodes[name].type.element.is_float:
            return name
        return self._emit(wanted, Dequantize(), [name])

    def _layer(self, node: Node) -> None:
        made = self._weights[node.name]
        x, w, b = coded_types(self._graph, node, self._meaning)
        assert w.quantisation is not None
        self._arrays[str(w.quantisation.scale)] = made.scales.astype(np.float32)
        operands = [
            self._codes(node.operands[0]),
            self._constant(f"{node.name}.w", w, made.codes),
            self._constant(f"{node.name}.b", b, made.whole_bias(scale_of(x))),
        ]
        self._emit(node.name, coded_op(node.op, self._meaning[node.name]), operands)
