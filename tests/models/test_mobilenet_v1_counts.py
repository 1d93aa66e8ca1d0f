"""MobileNet v1 against its paper (tables 6 and 7) and the counts that Keras reports."""

from __future__ import annotations

import pytest

from netgen.models import NETWORKS
from netgen.ops.batch_norm import BatchNorm

MOBILENET_V1 = NETWORKS["mobilenet_v1"]


@pytest.mark.parametrize(
    ("alpha", "input_size", "millions_of_macs", "millions_of_parameters"),
    [
        # Table 6: width multiplier.
        (1.0, 224, 569, 4.2),
        (0.75, 224, 325, 2.6),
        (0.5, 224, 149, 1.3),
        (0.25, 224, 41, 0.5),
        # Table 7: resolution.
        (1.0, 192, 418, 4.2),
        (1.0, 160, 290, 4.2),
        (1.0, 128, 186, 4.2),
    ],
)
def test_counts_of_the_paper(
    alpha: float, input_size: int, millions_of_macs: int, millions_of_parameters: float
) -> None:
    graph = MOBILENET_V1.build(alpha=alpha, input_size=input_size)
    # The paper rounds some of its numbers and cuts others.
    assert abs(graph.macs() / 1e6 - millions_of_macs) < 0.75
    assert round(graph.parameters() / 1e6, 1) == millions_of_parameters


@pytest.mark.parametrize(
    ("alpha", "total", "trained"),
    [
        # keras.applications.MobileNet(alpha=...).summary(): total and non-trainable.
        (1.0, 4_253_864, 4_253_864 - 21_888),
        (0.75, 2_601_976, 2_601_976 - 16_416),
        (0.5, 1_342_536, 1_342_536 - 10_944),
        (0.25, 475_544, 475_544 - 5_472),
    ],
)
def test_exact_counts(alpha: float, total: int, trained: int) -> None:
    graph = MOBILENET_V1.build(alpha=alpha)
    constants = [node for node in graph.nodes if graph.is_const(node.name)]
    assert sum(node.type.elements for node in constants) == total
    assert graph.parameters() == trained


def test_layers() -> None:
    graph = MOBILENET_V1.build()
    shapes = [
        node.type.shape for node in graph.activations if node.op.operator_name == "depthwise_conv2d"
    ]
    assert shapes == [
        (1, size, size, channels)
        for size, channels in [
            (112, 32), (56, 64), (56, 128), (28, 128), (28, 256), (14, 256),
            *[(14, 512)] * 5, (7, 512), (7, 1024),
        ]
    ]  # fmt: skip
    assert {node.op.eps for node in graph.activations if isinstance(node.op, BatchNorm)} == {1e-3}


def test_widths_never_fall_below_eight() -> None:
    graph = MOBILENET_V1.build(alpha=0.01)
    assert graph["stem.conv2d"].type.shape[3] == 8
    assert graph["block13.pointwise.conv2d"].type.shape[3] == 10
