"""MobileNet v3, SqueezeNet 1.1 and DS-CNN against torchvision, their papers and MLPerf Tiny."""

from __future__ import annotations

import pytest

from netgen.models import NETWORKS
from netgen.models.mobilenet_v3 import LARGE, SMALL, Row
from netgen.ops.batch_norm import BatchNorm


@pytest.mark.parametrize(
    ("name", "parameters", "macs", "giga_macs"),
    [
        # "num_params" and "_ops" of torchvision.models.mobilenet_v3_*; paper: 219 and 56 million.
        ("mobilenet_v3_large", 5_483_032, 216_589_760, 0.217),
        ("mobilenet_v3_small", 2_542_856, 56_510_400, 0.057),
        ("squeezenet", 1_235_496, 349_151_936, 0.349),
    ],
)
def test_torchvisions_counts(name: str, parameters: int, macs: int, giga_macs: float) -> None:
    graph = NETWORKS[name].build()
    assert graph.parameters() == parameters
    assert graph.macs() == macs
    assert round(macs / 1e9, 3) == giga_macs


@pytest.mark.parametrize(
    ("name", "millions_of_macs", "millions_of_parameters"),
    [("mobilenet_v3_large", 219, 5.4), ("mobilenet_v3_small", 56, 2.5)],
)
def test_papers_counts_of_mobilenet_v3(
    name: str, millions_of_macs: int, millions_of_parameters: float
) -> None:
    """Table 3. Thinner networks are torchvision's: the paper's code keeps its last layers wide."""
    graph = NETWORKS[name].build()
    assert abs(graph.macs() / 1e6 / millions_of_macs - 1) < 0.015
    assert abs(graph.parameters() / 1e6 - millions_of_parameters) < 0.1


@pytest.mark.parametrize(
    ("name", "rows", "squeezed", "swish"),
    [
        ("mobilenet_v3_large", LARGE, {4, 5, 6, 11, 12, 13, 14, 15}, range(7, 16)),
        ("mobilenet_v3_small", SMALL, {1, 4, 5, 6, 7, 8, 9, 10, 11}, range(4, 12)),
    ],
)
def test_blocks_of_mobilenet_v3(
    name: str, rows: tuple[Row, ...], squeezed: set[int], swish: range
) -> None:
    """Tables 1 and 2: where there is squeeze and excite, and where hard swish."""
    graph = NETWORKS[name].build()
    names = {node.name for node in graph.activations}
    blocks = range(1, len(rows) + 1)
    assert {n for n in blocks if f"block{n}.squeeze.mul" in names} == squeezed
    assert [n for n in blocks if f"block{n}.depthwise.hard_swish" in names] == list(swish)
    for index, row in enumerate(rows, start=1):
        weights = graph[f"block{index}.depthwise.depthwise_conv2d.w"].type.shape
        assert weights == (row.expand, row.kernel, row.kernel, 1)
        assert graph[f"block{index}.project.batch_norm"].type.shape[3] == row.output
    assert graph["head.hard_swish"].type.shape == (1, 7, 7, 6 * rows[-1].output)
    norms = {node.op.eps for node in graph.activations if isinstance(node.op, BatchNorm)}
    assert norms == {1e-3}


def test_width_of_mobilenet_v3() -> None:
    graph = NETWORKS["mobilenet_v3_small"].build(alpha=0.5)
    assert graph["stem.conv2d"].type.shape == (1, 112, 112, 8)
    assert graph["block11.project.conv2d"].type.shape == (1, 7, 7, 48)
    assert graph["head.conv2d"].type.shape == (1, 7, 7, 288)
    assert graph["classifier1.linear"].type.shape == (1, 512)
    # Squeezed to a quarter, in whole eights.
    assert graph["block4.squeeze.reduce.conv2d"].type.shape == (1, 1, 1, 16)


def test_squeezenet() -> None:
    graph = NETWORKS["squeezenet"].build()
    shapes = {node.name: node.type.shape for node in graph.activations}
    assert shapes["stem.max_pool2d"] == (1, 55, 55, 64)
    concatenated = [
        node.type.shape for node in graph.activations if node.op.operator_name == "concat"
    ]
    assert concatenated == [
        (1, size, size, channels)
        for size, channels in [
            (55, 128), (55, 128), (27, 256), (27, 256),
            (13, 384), (13, 384), (13, 512), (13, 512),
        ]
    ]  # fmt: skip
    assert shapes["classifier.relu"] == (1, 13, 13, 1000)
    # As the paper says: 50 times fewer parameters than AlexNet's 61 million.
    assert 61_100_840 / graph.parameters() > 49


def test_ds_cnn() -> None:
    """MLPerf Tiny's reference: 24,908 parameters (Keras counts statistics), 2.66 million MACs."""
    graph = NETWORKS["ds_cnn"].build()
    constants = [node for node in graph.nodes if graph.is_const(node.name)]
    assert sum(node.type.elements for node in constants) == 24_908
    assert graph.parameters() == 24_908 - 2 * 9 * 64
    assert graph.macs() == 25 * 5 * (40 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 12 == 2_656_768
    assert graph["stem.conv2d"].type.shape == (1, 25, 5, 64)
    assert graph[graph.outputs[0]].op.operator_name == "softmax"


@pytest.mark.parametrize("blocks", [1, 3, 6])
@pytest.mark.parametrize("filters", [8, 76])
def test_depth_and_width_of_ds_cnn(blocks: int, filters: int) -> None:
    graph = NETWORKS["ds_cnn"].build(blocks=blocks, filters=filters, batch_norm=False, classes=5)
    unit = 9 * filters + filters + filters * filters + filters
    assert graph.parameters() == 41 * filters + blocks * unit + (filters + 1) * 5
    named = {n.name.split(".")[0] for n in graph.nodes if n.name.startswith("block")}
    assert named == {f"block{n}" for n in range(1, blocks + 1)}
