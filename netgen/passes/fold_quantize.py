"""Let layers with weights read codes of u8 that were only shifted to i8."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.quantize import Quantize
from netgen.ops.rescaled import scale_of

# Those with kernels of u8 by i8.
_LAYERS = (Conv2d, DepthwiseConv2d, Linear)
# From a code of i8 to that of u8 for the same number.
_SHIFT = 128


def fold_quantize(graph: Graph) -> Graph:
    """Drop a quantize whose codes differ from those it reads by 128 alone.

    %q = quantize(%x) {scale=S, zero=Z-128}
    %y = conv2d(%q, %w) {scale=T}              ->     %y = conv2d(%x, %w) {scale=T}

    %x is u8 {scale=S, zero=Z}. Nothing is rounded: the numbers less their zero points are the same.
    It stays unless all that read it are layers with weights of i8. A scale that was that of x is
    written down.
    """
    changed: dict[str, Node] = {}
    for node in graph.activations:
        if not isinstance(node.op, Quantize) or node.name in graph.results:
            continue
        (x,) = node.operands
        readers = graph.users(node.name)
        if _shifts(graph[x].type, node.type) and all(
            _takes(graph, reader, node.name) for reader in readers
        ):
            changed |= {reader.name: _reading(reader, x) for reader in readers}
    return graph.rewrite(changed)


def _shifts(x: TensorType, y: TensorType) -> bool:
    """Whether codes of i8 are those of u8 less 128."""
    return (
        (x.dtype, y.dtype) == ("u8", "i8")
        and scale_of(x) == scale_of(y)
        and x.zero == y.zero + _SHIFT
    )


def _takes(graph: Graph, reader: Node, codes: str) -> bool:
    """Whether a layer could multiply codes of u8, as its x alone, by its weights."""
    x, *others = reader.operands
    return (
        isinstance(reader.op, _LAYERS)
        and x == codes
        and codes not in others
        and graph[others[0]].type.dtype == "i8"
        and graph[others[0]].type.zero == 0
    )


def _reading(reader: Node, x: str) -> Node:
    """The layer with another x, its result as it was."""
    own = reader.type.quantisation
    assert isinstance(reader.op, _LAYERS)
    assert isinstance(own, Quantisation)
    assert isinstance(own.scale, float)
    op = replace(reader.op, scale=own.scale, zero=own.zero)
    return replace(reader, op=op, operands=(x, *reader.operands[1:]))
