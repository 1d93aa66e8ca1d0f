"""The networks that most tests of emission compile."""

from __future__ import annotations

import pytest

import netgen
from netgen.ir.graph import Graph
from tests.kernels.layers import CORNERS, KINDS, drawn_layers, network_of


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
