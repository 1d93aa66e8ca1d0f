"""Cross-layer equalisation: channels between two layers get ranges that are alike.

Source: "Data-Free Quantization Through Weight Equalization and Bias Correction", Nagel et al. 2019,
section 4.1. Weights have a scale for each output here, so that only the codes of the value between
the layers gain, and only the inputs of the second layer can lose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const
from netgen.ir.tensor_type import Array
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.reshape import Reshape
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.weighted import Weighted
from netgen.quantisation.scheme import Scheme
from netgen.quantisation.statistics import ChannelStatistics

# Whatever lies between two layers: it computes channel by channel, and of t x it gives t y.
_BETWEEN = (GlobalAvgPool, AvgPool2d, MaxPool2d, SpatialSlice, Reshape)
# How far channels are taken towards the largest one: which of it is the best is computed.
_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Images that were not seen may reach so much further than those that were: without it, codes of
# many channels end where a few images did (ShuffleNetV2 lost 6 decibels on other images).
_MARGIN = 2.5
_LARGEST = 8.0


@dataclass(frozen=True)
class Pair:
    """A layer, what lies behind it channel by channel, and the layer that reads that."""

    first: Node
    between: tuple[Node, ...]
    second: Node


@dataclass(frozen=True)
class Equalised:
    """The graph with other weights, its statistics, and the values whose channels were scaled."""

    graph: Graph
    statistics: Mapping[str, ChannelStatistics]
    factors: Mapping[str, Array]


def equalise(
    graph: Graph, scheme: Scheme, statistics: Mapping[str, ChannelStatistics]
) -> Equalised:
    """Scale channels that stand between two layers, without a change of any other value.

    %a = conv2d(%x, %a.w, %a.b) {act=relu}         a.w, a.b times f
    %b = conv2d(%a, %b.w, %b.b)             ->     b.w over f, along its inputs

    Only where nothing else reads %a. A ReLU6 would cut elsewhere: of its channels those stay that
    come near 6, and others grow to it at most, so that it cuts what calibration has not seen.
    """
    arrays: dict[str, ConstantArray] = {}
    known = dict(statistics)
    chosen: dict[str, Array] = {}

    def data(name: str) -> Array:
        return arrays.get(name, graph.constant(name)).astype(np.float64)

    for pair in pairs(graph, scheme):
        weights = data(pair.second.operands[1])
        factors = _factors(pair, weights, known)
        if (factors == 1.0).all():
            continue
        w, *b = pair.first.operands[1:]
        arrays[w] = data(w) * factors.reshape(-1, *(1,) * (data(w).ndim - 1))
        for name in b:
            arrays[name] = data(name) * factors
        arrays[pair.second.operands[1]] = weights / _along_inputs(pair.second, weights, factors)
        for node in (pair.first, *pair.between):
            known[node.name] = known[node.name].scaled(factors)
            chosen[node.name] = factors
    return Equalised(_with_arrays(graph, arrays), known, chosen)


def _with_arrays(graph: Graph, arrays: Mapping[str, ConstantArray]) -> Graph:
    """The graph with these constants, each under the name of its value."""
    nodes = {name: replace(graph[name], op=Const(f"{name}.equalised")) for name in arrays}
    data = {f"{name}.equalised": array.astype(np.float32) for name, array in arrays.items()}
    return graph.rewrite(nodes, data)


def pairs(graph: Graph, scheme: Scheme) -> list[Pair]:
    """The pairs of a graph, in order; each constant of theirs is read once."""
    found = []
    for first in graph.activations:
        if not isinstance(first.op, Weighted) or first.op.activation not in {
            "none",
            "relu",
            "relu6",
        }:
            continue
        between: list[Node] = []
        reader = graph.sole_user(first.name)
        while reader is not None and _keeps(graph, reader):
            between.append(reader)
            reader = graph.sole_user(reader.name)
        if reader is None or not _takes(graph, reader, between[-1] if between else first):
            continue
        constants = (*first.operands[1:], reader.operands[1])
        alone = all(graph.sole_user(name) is not None for name in constants)
        if alone and {first.name, reader.name} <= scheme.coded:
            found.append(Pair(first, tuple(between), reader))
    return found


def _keeps(graph: Graph, node: Node) -> bool:
    """Whether channels of a value are those of its operand, times what they are times."""
    if not isinstance(node.op, _BETWEEN):
        return False
    (x,) = graph.operand_types(node)
    return not isinstance(node.op, Reshape) or x.elements == x.shape[-1] == node.type.shape[-1]


def _takes(graph: Graph, node: Node, x: Node) -> bool:
    """Whether a layer reads x by weights that could be scaled along its inputs."""
    if not isinstance(node.op, Weighted) or node.operands[0] != x.name:
        return False
    if not graph.is_const(node.operands[1]):
        return False
    return not isinstance(node.op, Conv2d) or node.op.groups == 1


def _along_inputs(node: Node, w: Array, factors: Array) -> Array:
    """One number for each input, to divide weights by."""
    if isinstance(node.op, DepthwiseConv2d):
        repeated = np.repeat(factors, len(w) // len(factors))
        return repeated.reshape(-1, *(1,) * (w.ndim - 1))
    return factors


def _factors(pair: Pair, w: Array, statistics: Mapping[str, ChannelStatistics]) -> Array:
    """The factor of each channel that gives the least noise in the sums of the second layer."""
    of_first = statistics[pair.first.name]
    reach = np.maximum(of_first.high, -of_first.low)
    top = reach.max()
    least = top / _LARGEST
    reach = np.minimum(reach * _MARGIN, top)
    whole = np.where(reach > 0.0, top / np.maximum(reach, least), 1.0)
    read = statistics[pair.between[-1].name if pair.between else pair.first.name]
    result = statistics[pair.second.name].square
    relative = 1.0 / (result + 0.01 * result.mean() + 1e-30)
    candidates = [whole**power for power in _POWERS]
    return min(candidates, key=lambda factors: _noise(pair.second, w, factors, read, relative))


def _noise(
    second: Node, w: Array, factors: Array, read: ChannelStatistics, relative: Array
) -> float:
    """The noise that codes of x and of the weights bring into the sums, over their squares."""
    scaled = w / _along_inputs(second, w, factors)
    after = read.scaled(factors)
    x_step = (after.high.max() - min(after.low.min(), 0.0)) / 255.0
    w_step = np.abs(scaled).reshape(len(w), -1).max(axis=1) / 127.0
    of_x = (scaled**2).reshape(len(w), -1).sum(axis=1) * x_step**2
    taps = w.size // len(w) // w.shape[-1]
    depthwise = isinstance(second.op, DepthwiseConv2d)
    square = np.repeat(after.square, len(w) // len(factors)) if depthwise else after.square.sum()
    return float(((of_x + w_step**2 * taps * square) * relative).sum())
