"""Tables of foreign names: every parameter once, and exactly what the real files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.dsl.network import WeightTable
from netgen.ir.graph import Graph
from netgen.models import NETWORKS
from netgen.weights.read import read_weights


def constants(graph: Graph) -> set[str]:
    return {node.name for node in graph.nodes if graph.is_const(node.name)}


def table(network: str, title: str) -> WeightTable:
    found = [table for table in NETWORKS[network].tables if table.title.startswith(title)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("network", "table"), [(net.name, table) for net in NETWORKS.values() for table in net.tables]
)
def test_every_parameter_has_one_foreign_name(network: str, table: WeightTable) -> None:
    graph = NETWORKS[network].build(**{"alpha": 0.35, **table.parameters})
    names = table.names(graph)
    assert names.keys() == constants(graph)
    assert len(set(names.values())) == len(names)


def test_names_of_torchvision() -> None:
    names = table("mobilenet_v2", "torchvision").names(NETWORKS["mobilenet_v2"].build())
    assert names["stem.conv2d.w"] == "features.0.0.weight"
    assert names["stem.batch_norm.gamma"] == "features.0.1.weight"
    assert names["block1.depthwise.depthwise_conv2d.w"] == "features.1.conv.0.0.weight"
    assert names["block1.project.conv2d.w"] == "features.1.conv.1.weight"
    assert names["block1.project.batch_norm.mean"] == "features.1.conv.2.running_mean"
    assert names["block17.expand.batch_norm.var"] == "features.17.conv.0.1.running_var"
    assert names["block17.depthwise.batch_norm.beta"] == "features.17.conv.1.1.bias"
    assert names["block17.project.conv2d.w"] == "features.17.conv.2.weight"
    assert names["block17.project.batch_norm.gamma"] == "features.17.conv.3.weight"
    assert names["head.conv2d.w"] == "features.18.0.weight"
    assert names["classifier.linear.b"] == "classifier.1.bias"
    assert len(names) == 262  # and 52 counters of batches in torchvision's 314 tensors


def test_torchvisions_file(shared_data: Path) -> None:
    file = read_weights(shared_data / "mobilenet_v2_imagenet" / "mobilenet_v2-b0353104.pth")
    torchvision = table("mobilenet_v2", "torchvision")
    graph = NETWORKS["mobilenet_v2"].build()
    names = torchvision.names(graph)
    assert len(file.arrays) == 314
    used = {name for name in file.arrays if not name.endswith(torchvision.ignored)}
    assert set(names.values()) == used
    for name, foreign in names.items():
        shape = graph[name].type.shape
        stored = (shape[0], shape[3], *shape[1:3]) if len(shape) == 4 else shape
        assert file.arrays[foreign].shape == stored, foreign


def test_the_dequantised_file(shared_data: Path) -> None:
    folder = shared_data / "mobilenet_v1_imagenet"
    file = read_weights(folder / "mobilenet_v1_0.25_128_dequant_fp32.npz")
    tflite = table("mobilenet_v1", "TFLite")
    graph = NETWORKS["mobilenet_v1"].build(
        alpha=0.25, input_size=128, classes=1001, **tflite.parameters
    )
    names = tflite.names(graph)
    assert set(names.values()) == set(file.arrays)
    for name, foreign in names.items():
        assert file.arrays[foreign].size == graph[name].type.elements, foreign


def test_the_table_of_folded_names_takes_any_graph() -> None:
    # Finding out which table fits a file asks for its names whatever the parameters are.
    graph = NETWORKS["mobilenet_v1"].build()
    assert table("mobilenet_v1", "TFLite").names(graph)["stem.conv2d.w"] == "00_CONV_2D_w"
