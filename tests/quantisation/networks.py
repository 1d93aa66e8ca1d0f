"""Small networks with seeded weights, of all operators that trained ones have, and images."""

from __future__ import annotations

import numpy as np

from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image, parameter, scope
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.ops import (
    add,
    avg_pool2d,
    batch_norm,
    channel_pad,
    channel_shuffle,
    concat,
    conv2d,
    depthwise_conv2d,
    flatten,
    global_avg_pool,
    hard_sigmoid,
    hard_swish,
    linear,
    max_pool2d,
    mul,
    relu,
    relu6,
    sigmoid,
    softmax,
    spatial_slice,
    split,
    table,
    transpose_conv2d,
)
from netgen.weights.assign import seeded_graph
from netgen.weights.seeded import uniform

COUNT = 12


def unit(x: Tensor, channels: int, kernel: int = 1, stride: int = 1) -> Tensor:
    return batch_norm(conv2d(x, channels, kernel, stride=stride, pad=kernel // 2, bias=False))


@network
def thin() -> Tensor:
    """An inverted residual."""
    x = relu6(unit(image(12, 12, 3), 8, 3, 2))
    with scope("block"):
        y = relu6(unit(x, 16))
        y = relu6(batch_norm(depthwise_conv2d(y, 3, pad=1, bias=False)))
        x = x + unit(y, 8)
    return linear(flatten(global_avg_pool(x)), 10)


@network
def moves() -> Tensor:
    """Codes that move between values: shuffles, slices, pads, pools."""
    x = max_pool2d(relu(unit(image(12, 12, 3), 8, 3)), 3, stride=2, pad=1)
    left, right = split(x, 2)
    x = channel_shuffle(concat(left, relu(unit(right, 4, 3))), 2)
    y = relu(unit(x, 16, 3, 2))
    x = relu(add(y, channel_pad(spatial_slice(x, stride=2), 4, 4)))
    return softmax(linear(flatten(avg_pool2d(x, 3)), 6))


@network
def gated() -> Tensor:
    """Squeeze and excite, and an activation that has no form in codes."""
    x = hard_swish(unit(image(8, 8, 3), 8, 3))
    gate = sigmoid(conv2d(relu(conv2d(global_avg_pool(x), 4)), 8))
    x = mul(x, gate)
    with scope("rest"):
        x = hard_sigmoid(conv2d(x, 8))
        x = conv2d(x, 8)
    return linear(flatten(x), 5)


@network
def placed() -> Tensor:
    """Learned numbers that are channels beside computed ones."""
    x = relu(unit(image(8, 8, 3), 6, 3))
    place = table(parameter("place", "w", (1, 8, 8, 2)))
    x = concat(x, relu(place))
    return linear(flatten(global_avg_pool(relu(conv2d(x, 8)))), 5)


@network
def grown() -> Tensor:
    """A transposed convolution."""
    x = relu(unit(image(6, 6, 3), 8, 3))
    x = relu(transpose_conv2d(x, 4, 3, stride=2, pad=1))
    return linear(flatten(avg_pool2d(x, 3)), 5)


def seeded(of: Network) -> Graph:
    return seeded_graph(of, of.name, {})


def images(graph: Graph, count: int = COUNT) -> dict[str, Array]:
    """Smooth images, alike and different: a ramp of each beside noise."""
    (node,) = graph.inputs
    shape = node.type.shape[1:]
    ramp = np.linspace(-1.0, 1.0, shape[0])[:, None, None]
    batch = [
        ramp * np.cos(n) + uniform(f"image {n}", shape) * (0.5 + n / count) for n in range(count)
    ]
    return {node.name: np.stack(batch).astype(np.float32)}
