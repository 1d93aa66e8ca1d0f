"""Fuse activations into the operator before them."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.hard_swish import HardSwish
from netgen.ops.linear import Linear
from netgen.ops.mul import Mul
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.sigmoid import Sigmoid

_ACTIVATIONS = (HardSigmoid, HardSwish, Relu, Relu6, Sigmoid)


def fuse_activation(graph: Graph) -> Graph:
    """Make an activation an attribute of the operator that computes its operand.

    %c = conv2d(%x, %w, %b)            %y = conv2d(%x, %w, %b) {act=relu6}
    %y = relu6(%c)              ->

    Only where nothing else reads %c and it has no activation yet.
    """
    nodes: dict[str, Node] = {}
    for activation in graph.activations:
        if not isinstance(activation.op, _ACTIVATIONS):
            continue
        source = activation.operands[0]
        layer = nodes.get(source, graph[source])
        if graph.sole_user(source) is not activation:
            continue
        if (
            isinstance(layer.op, Add | Conv2d | DepthwiseConv2d | Linear | Mul)
            and layer.op.act == "none"
        ):
            fused = replace(layer.op, act=activation.op.operator_name)
            nodes[activation.name] = replace(layer, name=activation.name, op=fused)
    return graph.rewrite(nodes)
