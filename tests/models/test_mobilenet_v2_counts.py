"""MobileNet v2 against the paper's own code, torchvision, and a formula from the paper's table."""

from __future__ import annotations

import math

import pytest

from netgen.ir.graph import Graph
from netgen.models import NETWORKS
from netgen.models.blocks import make_divisible
from netgen.ops.batch_norm import BatchNorm

MOBILENET_V2 = NETWORKS["mobilenet_v2"]


def without_batch_norm(graph: Graph) -> int:
    """Parameters less those of batch norm, which some tables leave out."""
    norms = [node for node in graph.activations if isinstance(node.op, BatchNorm)]
    return graph.parameters() - sum(2 * node.type.shape[3] for node in norms)


@pytest.mark.parametrize(
    ("alpha", "input_size", "millions_of_macs", "millions_of_parameters"),
    [
        # README of the paper's own code: tensorflow/models, research/slim/nets/mobilenet.
        (1.4, 224, 582, 6.06),
        (1.3, 224, 509, 5.34),
        (1.0, 224, 300, 3.47),
        (1.0, 192, 221, 3.47),
        (1.0, 160, 154, 3.47),
        (1.0, 128, 99, 3.47),
        (1.0, 96, 56, 3.47),
        (0.75, 224, 209, 2.61),
        (0.75, 96, 39, 2.61),
        (0.5, 224, 97, 1.95),
        (0.5, 96, 18, 1.95),
        (0.35, 224, 59, 1.66),
        (0.35, 96, 11, 1.66),
    ],
)
def test_published_counts(
    alpha: float, input_size: int, millions_of_macs: int, millions_of_parameters: float
) -> None:
    graph = MOBILENET_V2.build(alpha=alpha, input_size=input_size)
    assert graph.macs() // 1_000_000 == millions_of_macs
    assert abs(without_batch_norm(graph) / 1e6 - millions_of_parameters) < 0.0101


def test_torchvisions_count() -> None:
    # torchvision.models.mobilenet_v2: "num_params": 3504872, "_ops": 0.301.
    graph = MOBILENET_V2.build()
    assert graph.parameters() == 3_504_872
    assert round(graph.macs() / 1e9, 3) == 0.301


def nearest_multiple_of_eight(channels: float) -> int:
    """The rounding of the paper's code, said in words: the nearest, half up, but above 90 %."""
    multiples = [8 * n for n in range(1, 500)]
    distance = min(abs(m - channels) for m in multiples)
    nearest = max(m for m in multiples if abs(m - channels) == distance)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def formula(alpha: float, size: int, classes: int, inputs: int) -> tuple[int, int]:
    """Parameters and MACs from table 2, row by row."""
    parameters = macs = 0

    def unit(weights: int, channels: int, pixels: int) -> None:
        nonlocal parameters, macs
        parameters += weights + 2 * channels
        macs += weights * pixels

    c = nearest_multiple_of_eight(32 * alpha)
    size = math.ceil(size / 2)
    unit(9 * inputs * c, c, size**2)
    rows = "1 16 1 1; 6 24 2 2; 6 32 3 2; 6 64 4 2; 6 96 3 1; 6 160 3 2; 6 320 1 1"
    for row in rows.split(";"):
        t, channels, n, s = map(int, row.split())
        for step in [s] + [1] * (n - 1):
            wide, out = t * c, nearest_multiple_of_eight(channels * alpha)
            if t > 1:
                unit(c * wide, wide, size**2)
            size = math.ceil(size / step)
            unit(9 * wide, wide, size**2)
            unit(wide * out, out, size**2)
            c = out
    last = nearest_multiple_of_eight(1280 * alpha) if alpha > 1 else 1280
    unit(c * last, last, size**2)
    return parameters + (last + 1) * classes, macs + last * classes


@pytest.mark.parametrize("alpha", [0.1, 0.35, 0.5, 0.6, 0.75, 1.0, 1.1, 1.3, 1.4, 2.0])
@pytest.mark.parametrize(("size", "classes", "inputs"), [(224, 1000, 3), (96, 10, 1), (33, 2, 4)])
def test_counts_of_the_table(alpha: float, size: int, classes: int, inputs: int) -> None:
    graph = MOBILENET_V2.build(alpha=alpha, input_size=size, classes=classes, input_channels=inputs)
    assert (graph.parameters(), graph.macs()) == formula(alpha, size, classes, inputs)


@pytest.mark.parametrize("channels", [1.0, 8, 11.2, 12, 16, 20, 22.4, 33.6, 56.0, 83.9, 1792])
def test_rounding(channels: float) -> None:
    assert make_divisible(channels) == nearest_multiple_of_eight(channels)


def test_blocks() -> None:
    graph = MOBILENET_V2.build()
    last = [
        node for node in graph.activations if node.name.endswith((".add", "project.batch_norm"))
    ]
    blocks = {node.name.split(".")[0]: node for node in last}  # an addition comes after its project
    strides = [
        (56, 24), (56, 24), (28, 32), (28, 32), (28, 32), *[(14, 64)] * 4, *[(14, 96)] * 3,
        *[(7, 160)] * 3, (7, 320),
    ]  # fmt: skip
    shapes = [node.type.shape for node in blocks.values()]
    assert shapes == [(1, size, size, channels) for size, channels in [(112, 16), *strides]]
    residual = [name for name, node in blocks.items() if node.op.operator_name == "add"]
    assert residual == [f"block{n}" for n in (3, 5, 6, 8, 9, 10, 12, 13, 15, 16)]
    assert {node.op.eps for node in graph.activations if isinstance(node.op, BatchNorm)} == {1e-5}
