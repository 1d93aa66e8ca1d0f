"""Tables of foreign names: every parameter once, and exactly what the real files hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


# The parameters that change which layers there are, and so which names.
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "mobilenet_v2": ({}, {"alpha": 0.35}),
    "mobilenet_v3_small": ({}, {"alpha": 0.35}, {"alpha": 1.3}),
    "shufflenet_v2": ({}, {"scale": 0.5, "stem": "cifar", "input_size": 32}, {"scale": 2.0}),
    "resnet20": ({}, {"shortcuts": "B"}),
}


@pytest.mark.parametrize(
    ("network", "table", "parameters"),
    [
        (net.name, table, parameters)
        for net in NETWORKS.values()
        for table in net.tables
        for parameters in VARIANTS.get(net.name, ({},))
    ],
)
def test_every_parameter_has_one_foreign_name(
    network: str, table: WeightTable, parameters: dict[str, Any]
) -> None:
    graph = NETWORKS[network].build(**{**table.parameters, **parameters})
    names = table.names(graph)
    assert names.keys() == constants(graph)
    assert len(set(names.values())) == len(names)


def test_which_networks_have_tables() -> None:
    without = {name for name, network in NETWORKS.items() if not network.tables}
    assert without == {"shufflenet_v1", "resnet8", "ds_cnn"}  # nobody's files have agreed names


# Some of torchvision's names, as torch prints them.
TORCHVISION = {
    "mobilenet_v3_large": {
        "stem.conv2d.w": "features.0.0.weight",
        "block1.depthwise.depthwise_conv2d.w": "features.1.block.0.0.weight",
        "block1.project.batch_norm.var": "features.1.block.1.1.running_var",
        "block4.squeeze.reduce.conv2d.b": "features.4.block.2.fc1.bias",
        "block4.squeeze.restore.conv2d.w": "features.4.block.2.fc2.weight",
        "block4.project.conv2d.w": "features.4.block.3.0.weight",
        "block7.project.batch_norm.beta": "features.7.block.2.1.bias",
        "head.batch_norm.mean": "features.16.1.running_mean",
        "classifier1.linear.w": "classifier.0.weight",
        "classifier2.linear.b": "classifier.3.bias",
    },
    "mobilenet_v3_small": {
        "block1.squeeze.reduce.conv2d.w": "features.1.block.1.fc1.weight",
        "block1.project.conv2d.w": "features.1.block.2.0.weight",
        "block11.squeeze.restore.conv2d.b": "features.11.block.2.fc2.bias",
        "head.conv2d.w": "features.12.0.weight",
    },
    "shufflenet_v2": {
        "stem.batch_norm.gamma": "conv1.1.weight",
        "stage2.unit1.branch1.depthwise.depthwise_conv2d.w": "stage2.0.branch1.0.weight",
        "stage2.unit1.branch1.pointwise.batch_norm.mean": "stage2.0.branch1.3.running_mean",
        "stage3.unit8.branch2.second.conv2d.w": "stage3.7.branch2.5.weight",
        "head.conv2d.w": "conv5.0.weight",
        "classifier.linear.b": "fc.bias",
    },
    "resnet18": {
        "stem.conv2d.w": "conv1.weight",
        "stem.batch_norm.var": "bn1.running_var",
        "stage1.block2.second.conv2d.w": "layer1.1.conv2.weight",
        "stage2.block1.shortcut.conv2d.w": "layer2.0.downsample.0.weight",
        "stage4.block1.shortcut.batch_norm.beta": "layer4.0.downsample.1.bias",
        "classifier.linear.w": "fc.weight",
    },
    "resnet50": {
        "stage1.block1.compress.conv2d.w": "layer1.0.conv1.weight",
        "stage1.block1.shortcut.conv2d.w": "layer1.0.downsample.0.weight",
        "stage3.block6.convolve.batch_norm.gamma": "layer3.5.bn2.weight",
        "stage4.block3.expand.conv2d.w": "layer4.2.conv3.weight",
    },
    "squeezenet": {
        "stem.conv2d.w": "features.0.weight",
        "fire1.squeeze.conv2d.w": "features.3.squeeze.weight",
        "fire2.expand1x1.conv2d.b": "features.4.expand1x1.bias",
        "fire4.squeeze.conv2d.w": "features.6.squeeze.weight",
        "fire10.expand3x3.conv2d.w": "features.12.expand3x3.weight",
        "classifier.conv2d.b": "classifier.1.bias",
    },
}
# Tensors of torchvision's files, less the counters of batches.
TENSORS = {
    "mobilenet_v2": 262,
    "mobilenet_v3_large": 312 - 46,
    "mobilenet_v3_small": 244 - 34,
    "shufflenet_v2": 338 - 56,
    "resnet18": 122 - 20,
    "resnet34": 218 - 36,
    "resnet50": 320 - 53,
    "squeezenet": 52,
}


@pytest.mark.parametrize("network", TORCHVISION)
def test_some_names_of_torchvision(network: str) -> None:
    names = table(network, "torchvision").names(NETWORKS[network].build())
    assert {name: names.get(name) for name in TORCHVISION[network]} == TORCHVISION[network]


@pytest.mark.parametrize("network", TENSORS)
def test_number_of_torchvisions_tensors(network: str) -> None:
    graph = NETWORKS[network].build()
    assert len(table(network, "torchvision").names(graph)) == TENSORS[network]


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


@pytest.mark.parametrize(
    ("network", "parameters", "file", "tensors"),
    [
        ("mobilenet_v2", {}, "mobilenet_v2_imagenet/mobilenet_v2-b0353104.pth", 314),
        ("resnet20", {}, "cifar10/resnet20-12fca82f.th", 97),
        (
            "shufflenet_v2",
            {"scale": 0.5, "stem": "cifar", "input_size": 32, "classes": 10},
            "cifar10/cifar10_shufflenetv2_x0_5-1308b4e9.pt",
            338,
        ),
    ],
)
def test_real_files(
    network: str, parameters: dict[str, Any], file: str, tensors: int, shared_data: Path
) -> None:
    """The names are exactly the file's, and the shapes are the named layers'."""
    weights = read_weights(shared_data / file)
    (foreign,) = NETWORKS[network].tables
    graph = NETWORKS[network].build(**parameters)
    names = foreign.names(graph)
    assert len(weights.arrays) == tensors
    used = {name for name in weights.arrays if not name.endswith(foreign.ignored)}
    assert set(names.values()) == used
    for name, stored_name in names.items():
        shape = graph[name].type.shape
        stored = (shape[0], shape[3], *shape[1:3]) if len(shape) == 4 else shape
        assert weights.arrays[stored_name].shape == stored, stored_name


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
