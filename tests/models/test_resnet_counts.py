"""The ResNets against torchvision, their paper and MLPerf Tiny."""

from __future__ import annotations

import pytest

from netgen.ir.graph import Graph
from netgen.models import NETWORKS
from netgen.ops.channel_pad import ChannelPad


def with_statistics(graph: Graph) -> int:
    """All numbers of a weight file: parameters, and means and variances of batch norm."""
    return sum(node.type.elements for node in graph.nodes if graph.is_const(node.name))


@pytest.mark.parametrize(
    ("name", "parameters", "giga_macs"),
    [
        # "num_params" and "_ops" of torchvision.models.resnet*.
        ("resnet18", 11_689_512, 1.814),
        ("resnet34", 21_797_672, 3.664),
        ("resnet50", 25_557_032, 4.089),
    ],
)
def test_torchvisions_counts(name: str, parameters: int, giga_macs: float) -> None:
    graph = NETWORKS[name].build()
    assert graph.parameters() == parameters
    assert round(graph.macs() / 1e9, 3) == giga_macs


@pytest.mark.parametrize(
    ("name", "repetitions", "widening"),
    [
        ("resnet18", (2, 2, 2, 2), 1),
        ("resnet34", (3, 4, 6, 3), 1),
        ("resnet50", (3, 4, 6, 3), 4),
    ],
)
def test_stages_of_table_1(name: str, repetitions: tuple[int, ...], widening: int) -> None:
    graph = NETWORKS[name].build()
    assert graph["stem.conv2d"].type.shape == (1, 112, 112, 64)
    assert graph["stem.max_pool2d"].type.shape == (1, 56, 56, 64)
    shapes = {
        node.name.rpartition(".")[0]: node.type.shape
        for node in graph.activations
        if node.name.startswith("stage") and node.op.operator_name == "relu"
    }
    blocks = {name: shape for name, shape in shapes.items() if name.count(".") == 1}
    assert blocks == {
        f"stage{stage}.block{index}": (1, 112 >> stage, 112 >> stage, (32 << stage) * widening)
        for stage, count in enumerate(repetitions, start=1)
        for index in range(1, count + 1)
    }
    projections = {n.name.split(".short")[0] for n in graph.nodes if "shortcut" in n.name}
    first = 1 if widening > 1 else 2  # wide ends are projected to in the first stage too
    assert projections == {f"stage{stage}.block1" for stage in range(first, 5)}


def test_two_kinds_of_blocks() -> None:
    """Two wide convolutions; or a thin one between a compression and an expansion."""
    basic, bottleneck = NETWORKS["resnet34"].build(), NETWORKS["resnet50"].build()
    parts = [basic[f"stage2.block2.{part}.conv2d.w"].type.shape for part in ("first", "second")]
    assert parts == [(128, 3, 3, 128)] * 2
    parts = [
        bottleneck[f"stage2.block2.{part}.conv2d.w"].type.shape
        for part in ("compress", "convolve", "expand")
    ]
    assert parts == [(128, 1, 1, 512), (128, 3, 3, 128), (512, 1, 1, 128)]


def test_resnet20() -> None:
    """Section 4.2: 6n + 2 = 20 layers, 0.27 million parameters; 40.55 million MACs."""
    graph = NETWORKS["resnet20"].build()
    convolutions = [n for n in graph.activations if n.op.operator_name == "conv2d"]
    assert len(convolutions) == 19
    weights = 9 * (3 * 16 + 6 * 16**2 + 16 * 32 + 5 * 32**2 + 32 * 64 + 5 * 64**2)
    assert graph.parameters() == weights + 2 * (7 * 16 + 6 * 32 + 6 * 64) + 65 * 10 == 269_722
    assert with_statistics(graph) == 269_722 + 2 * (7 * 16 + 6 * 32 + 6 * 64)
    assert graph.macs() == 40_551_040


def test_shortcuts() -> None:
    a, b = (NETWORKS["resnet20"].build(shortcuts=option) for option in "AB")
    projections = 16 * 32 + 32 * 64
    assert b.parameters() == a.parameters() + projections + 2 * (32 + 64) == 272_474
    assert b.macs() == a.macs() + 16 * 32 * 16**2 + 32 * 64 * 8**2
    pads = [node.op for node in a.activations if isinstance(node.op, ChannelPad)]
    assert [(pad.front, pad.back) for pad in pads] == [(8, 8), (16, 16)]
    assert not [node for node in b.activations if isinstance(node.op, ChannelPad)]


def test_resnet8() -> None:
    """MLPerf Tiny's README: 78,666 parameters (Keras counts statistics), 12.5 million MACs."""
    graph = NETWORKS["resnet8"].build()
    assert with_statistics(graph) == 78_666
    assert graph.parameters() == 78_666 - 2 * (3 * 16 + 2 * 32 + 2 * 64)
    assert graph.macs() == 12_501_632
    # Two projections without batch norm; its own convolutions have biases nevertheless.
    norms = [n for n in graph.activations if n.op.operator_name == "batch_norm"]
    convolutions = [n for n in graph.activations if n.op.operator_name == "conv2d"]
    assert (len(norms), len(convolutions)) == (7, 9)
    assert all(len(node.operands) == 3 for node in convolutions)
    assert graph[graph.outputs[0]].op.operator_name == "softmax"
