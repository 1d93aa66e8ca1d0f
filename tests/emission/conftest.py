"""The networks that most tests of emission compile."""

from __future__ import annotations

import pytest

import netgen
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph
from netgen.ops import conv2d, depthwise_conv2d, flatten, global_avg_pool, linear, relu6
from netgen.weights.seeded import seeded_weights
from tests.kernels.layers import CORNERS, KINDS, drawn_layers, network_of


@network
def tiny() -> Tensor:
    """A stem, a residual block of depthwise and pointwise convolutions, a classifier."""
    x = relu6(conv2d(image(10, 10, 3), 12, 3, stride=2, pad="same", name="stem"))
    y = relu6(depthwise_conv2d(x, 3, pad=1, name="depthwise"))
    x = x + conv2d(y, 12, name="pointwise")
    return linear(flatten(global_avg_pool(x)), 5, name="classifier")


@pytest.fixture(scope="session")
def tiny_graph() -> Graph:
    """One layer of each kind, to be read, and to compile where compilers are slow."""
    graph = tiny.build()
    return graph.with_constants(seeded_weights(graph))


@pytest.fixture(scope="session")
def small_graph() -> Graph:
    """MobileNetV2 at its thinnest, on 32 pixels."""
    return netgen.load("mobilenet_v2", alpha=0.35, input_size=32, classes=10)


@pytest.fixture(scope="session")
def small_graphs(small_graph: Graph) -> list[Graph]:
    """Both networks at their thinnest."""
    return [
        small_graph,
        netgen.load("mobilenet_v1", alpha=0.25, input_size=32, classes=10),
    ]


@pytest.fixture(scope="session")
def layers_graph() -> Graph:
    """A random layer of every kind and the shapes that those seldom have, unconnected."""
    return network_of([*CORNERS, *drawn_layers(1, KINDS, len(KINDS))])
