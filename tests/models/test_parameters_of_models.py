"""Effects of each parameter of the architectures, whatever the architecture."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from netgen.ir.graph import Graph
from netgen.ir.verify import verify
from netgen.models import NETWORKS
from netgen.models.photos import CIFAR, IMAGENET, SYMMETRIC
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from tests.cases import heavy

NAMES = sorted(NETWORKS)


def taking(*parameters: str) -> list[str]:
    """The networks that have these parameters."""
    return [
        name
        for name in NAMES
        if set(parameters) <= {parameter.name for parameter in NETWORKS[name].parameters}
    ]


def strided(graph: Graph) -> dict[tuple[int, ...], int]:
    """Paddings of the 3x3 layers that halve the image, and how many have each."""
    found: dict[tuple[int, ...], int] = {}
    for node in graph.activations:
        if isinstance(node.op, Conv2d | DepthwiseConv2d) and node.op.stride == (2, 2):
            shape = graph[node.operands[1]].type.shape
            if shape[1:3] == (3, 3):
                found[node.op.pad] = found.get(node.op.pad, 0) + 1
    return found


def test_the_list_of_networks() -> None:
    assert NAMES == [
        "ds_cnn", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
        "resnet18", "resnet20", "resnet34", "resnet50", "resnet8", "shufflenet_v1",
        "shufflenet_v2", "squeezenet",
    ]  # fmt: skip
    for name, network in NETWORKS.items():
        assert network.name == name
        assert network.summary
        assert len(network.summary) < 90


@pytest.mark.parametrize("name", NAMES)
def test_expected_pixels(name: str) -> None:
    expected = {"mobilenet_v1": SYMMETRIC, "resnet8": None, "ds_cnn": None}.get(name, IMAGENET)
    assert NETWORKS[name].expected_pixels({}) == expected


def test_expected_pixels_of_cifar() -> None:
    assert NETWORKS["shufflenet_v2"].expected_pixels({"stem": "cifar"}) == CIFAR


@pytest.mark.parametrize("name", taking("input_size"))
def test_classes_and_input_channels(name: str) -> None:
    graph = verify(NETWORKS[name].build(classes=7, input_channels=1, input_size=96))
    assert graph.inputs[0].type.shape == (1, 96, 96, 1)
    assert graph["stem.conv2d.w"].type.shape[3] == 1
    assert graph[graph.outputs[0]].type.shape == (1, 7)
    assert len(graph.outputs) == 1


def test_sizes_of_a_spectrogram() -> None:
    graph = verify(NETWORKS["ds_cnn"].build(height=40, width=13, classes=3))
    assert graph.inputs[0].type.shape == (1, 40, 13, 1)
    assert graph["block4.pointwise.relu"].type.shape == (1, 20, 7, 64)
    assert graph[graph.outputs[0]].type.shape == (1, 3)


def test_padding_is_offered() -> None:
    assert taking("padding") == ["ds_cnn", "mobilenet_v1", "mobilenet_v2", "resnet8"]
    assert taking("batch_norm") == taking("padding")


@pytest.mark.parametrize(("name", "halvings"), [("mobilenet_v1", 5), ("mobilenet_v2", 5)])
def test_padding_of_mobilenets(name: str, halvings: int) -> None:
    tensorflow = NETWORKS[name].build(padding="tensorflow")
    torch = NETWORKS[name].build(padding="torch")
    assert strided(tensorflow) == {(0, 1, 0, 1): halvings}
    assert strided(torch) == {(1, 1, 1, 1): halvings}
    for graph in (tensorflow, torch):
        assert [node.type for node in graph.nodes] == [node.type for node in torch.nodes]
    # An odd size is padded alike on both sides by TensorFlow too.
    odd = NETWORKS[name].build(padding="tensorflow", input_size=33)
    assert strided(odd) == {(1, 1, 1, 1): halvings}


def test_padding_of_resnet8() -> None:
    assert strided(NETWORKS["resnet8"].build()) == {(0, 1, 0, 1): 2}
    assert strided(NETWORKS["resnet8"].build(padding="torch")) == {(1, 1, 1, 1): 2}


def test_padding_of_ds_cnn() -> None:
    stem = NETWORKS["ds_cnn"].build()["stem.conv2d"]
    assert isinstance(stem.op, Conv2d)
    assert stem.op.pad == (4, 5, 1, 1)  # 49 -> 25, 10 -> 5


@pytest.mark.parametrize("name", taking("batch_norm"))
def test_batch_norm(name: str) -> None:
    plain = NETWORKS[name].build(batch_norm=False)
    normalised = NETWORKS[name].build()
    kinds = [node.op.operator_name for node in plain.activations]
    assert "batch_norm" not in kinds
    weighted = [node for node in plain.activations if isinstance(node.op, Conv2d | DepthwiseConv2d)]
    assert all(len(node.operands) == 3 for node in weighted)
    names = {node.op.operator_name for node in normalised.activations} - set(kinds)
    assert names == {"batch_norm"}
    assert plain.macs() == normalised.macs()
    convolutions = [
        node for node in normalised.activations if isinstance(node.op, Conv2d | DepthwiseConv2d)
    ]
    # Keras' networks of MLPerf Tiny have biases before batch norm.
    operands = 3 if name in ("ds_cnn", "resnet8") else 2
    assert all(len(node.operands) == operands for node in convolutions)


@pytest.mark.parametrize("name", taking("input_size"))
@pytest.mark.parametrize("size", [17, heavy(32), 33, heavy(100), heavy(225)])
def test_any_size_that_is_large_enough(name: str, size: int) -> None:
    graph = verify(NETWORKS[name].build(input_size=size, classes=11))
    assert graph[graph.outputs[0]].type.shape == (1, 11)


@pytest.mark.parametrize("name", taking("input_size", "alpha", "padding"))
@pytest.mark.parametrize("padding", ["torch", "tensorflow"])
@pytest.mark.parametrize("size", [17, 33, 513])
def test_any_size_with_either_padding(name: str, padding: str, size: int) -> None:
    graph = verify(NETWORKS[name].build(input_size=size, alpha=0.35, padding=padding))
    assert graph[graph.outputs[0]].type.shape == (1, 1000)


@pytest.mark.parametrize("name", taking("alpha"))
def test_width(name: str) -> None:
    counts = [NETWORKS[name].build(alpha=alpha).parameters() for alpha in (0.35, 0.5, 1.0, 1.3)]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("name", NAMES)
def test_every_value_knows_its_line(name: str) -> None:
    """Lines are those of the architecture's own file, not of what all architectures share."""
    own = Path(inspect.getfile(NETWORKS[name].builder))
    lines = own.read_text(encoding="utf-8").splitlines()
    words = ("(", "+")  # a call, or an addition
    for node in NETWORKS[name].build().nodes:
        assert node.source is not None
        assert node.source.file == own.name
        assert any(word in lines[node.source.line - 1] for word in words), node.name


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mobilenet_v2", {"alpha": "0.5", "input_size": "96", "batch_norm": "no"}),
        ("shufflenet_v1", {"groups": "4", "scale": "0.5"}),
        ("shufflenet_v2", {"scale": "2", "stem": "cifar", "input_size": "32"}),
        ("resnet20", {"shortcuts": "B", "classes": "100"}),
        ("ds_cnn", {"height": "40", "blocks": "2"}),
    ],
)
def test_parameters_as_text(name: str, parameters: dict[str, Any]) -> None:
    """Parameters may be texts, as the command line gives them."""
    settled = NETWORKS[name].settle(parameters)
    given, typed = NETWORKS[name].build(**parameters), NETWORKS[name].build(**settled)
    assert [n.type for n in given.nodes] == [n.type for n in typed.nodes]
