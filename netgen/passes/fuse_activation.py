"""Fuse activations into the operator before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.clamp import Clamp


def fuse_activation(graph: Graph) -> Graph:
    """Make an activation an attribute of the operator that computes its operand.

    %c = conv2d(%x, %w, %b)            %y = conv2d(%x, %w, %b) {act=relu6}
    %y = relu6(%c)              ->

    Only where nothing else reads %c and it has no activation yet. An activation with attributes
    stays as it is: `act` is a name. So does one of codes, unless it is a clamp that keeps their
    scale: what layers clamp to is then the same.
    """
    return _fused(graph, lambda _: True)


def fuse_clamp(graph: Graph) -> Graph:
    """Do the same with activations that clamp alone.

    %c = conv2d(%x, %w, %b)            %y = conv2d(%x, %w, %b) {act=relu6}
    %y = relu6(%c)              ->

    Layers of codes have no others: a network of floats that is to be quantised keeps them apart.
    """
    return _fused(graph, lambda op: isinstance(op, Clamp))


def _fused(graph: Graph, wanted: Callable[[ElementwiseActivation], bool]) -> Graph:
    nodes: dict[str, Node] = {}
    for activation in graph.activations:
        op = activation.op
        if not isinstance(op, ElementwiseActivation) or op.has_attributes():
            continue
        if not wanted(op):
            continue
        source = activation.operands[0]
        layer = nodes.get(source, graph[source])
        if graph.sole_user(source) is not activation:
            continue
        if not layer.type.element.is_float and not _clamps(activation, layer):
            continue
        if layer.op.takes_activation(layer.type):
            fused = layer.op.with_activation(op.operator_name)
            nodes[activation.name] = replace(layer, name=activation.name, op=fused)
    return graph.rewrite(nodes)


def _clamps(activation: Node, layer: Node) -> bool:
    """Whether an activation of codes leaves those within its limits as they are."""
    return isinstance(activation.op, Clamp) and activation.type == layer.type
