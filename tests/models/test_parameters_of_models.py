"""What each parameter of the architectures does, and the refusals."""

from __future__ import annotations

import pytest

from netgen.errors import NetgenError
from netgen.ir.graph import Graph
from netgen.ir.verify import verify
from netgen.models import NETWORKS
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d

NAMES = sorted(NETWORKS)


def strided(graph: Graph) -> dict[tuple[int, ...], int]:
    """Paddings of the layers that halve the image, and how many have each."""
    found: dict[tuple[int, ...], int] = {}
    for node in graph.activations:
        if isinstance(node.op, Conv2d | DepthwiseConv2d) and node.op.stride == (2, 2):
            found[node.op.pad] = found.get(node.op.pad, 0) + 1
    return found


def test_the_list_of_networks() -> None:
    assert NAMES == ["mobilenet_v1", "mobilenet_v2"]
    for name, network in NETWORKS.items():
        assert network.name == name
        assert network.summary
        assert network.normalisation is not None
        assert len(network.normalisation.mean) == 3


@pytest.mark.parametrize("name", NAMES)
def test_classes_and_input_channels(name: str) -> None:
    graph = verify(NETWORKS[name].build(classes=7, input_channels=1, input_size=96))
    assert graph.inputs[0].type.shape == (1, 96, 96, 1)
    assert graph["stem.conv2d.w"].type.shape[3] == 1
    assert graph[graph.outputs[0]].type.shape == (1, 7)
    assert len(graph.outputs) == 1


@pytest.mark.parametrize("name", NAMES)
def test_padding(name: str) -> None:
    tensorflow = NETWORKS[name].build(padding="tensorflow")
    torch = NETWORKS[name].build(padding="torch")
    assert strided(tensorflow) == {(0, 1, 0, 1): 5}
    assert strided(torch) == {(1, 1, 1, 1): 5}
    for graph in (tensorflow, torch):
        assert [node.type for node in graph.nodes] == [node.type for node in torch.nodes]
    # An odd size is padded alike on both sides by TensorFlow too.
    assert strided(NETWORKS[name].build(padding="tensorflow", input_size=33)) == {(1, 1, 1, 1): 5}


@pytest.mark.parametrize("name", NAMES)
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
    assert all(len(node.operands) == 2 for node in convolutions)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [17, 32, 33, 100, 225, 513])
def test_any_size_that_is_large_enough(name: str, size: int) -> None:
    for padding in ("torch", "tensorflow"):
        graph = verify(NETWORKS[name].build(input_size=size, alpha=0.35, padding=padding))
        assert graph[graph.outputs[0]].type.shape == (1, 1000)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("alpha", 0, "out of range, expected more than 0"),
        ("alpha", -0.5, "out of range, expected more than 0"),
        ("alpha", "nan", "out of range"),
        ("alpha", "inf", "out of range"),
        ("alpha", 1e300, "at most 16, found 1e+300"),
        ("alpha", "wide", "ill-typed, expected float"),
        ("input_size", 0, "at least one pixel and one channel, found height 0"),
        ("input_size", -224, "found height -224"),
        ("input_size", 1, "shrunk to one pixel and cannot be halved again; choose a larger input"),
        ("input_size", 16, "shrunk to one pixel and cannot be halved again"),
        ("input_size", 10**9, "is too large"),
        ("input_size", "large", "ill-typed, expected int"),
        ("classes", 0, "the shape [0, "),
        ("classes", -1, "empty dimension"),
        ("classes", 10**12, "is too large"),
        ("input_channels", 0, "channels 0"),
        ("padding", "valid", "no such choice, expected one of torch, tensorflow"),
        ("batch_norm", "perhaps", "ill-typed, expected bool"),
        ("width", 1, "has no parameter 'width', expected one of alpha, input_size, classes"),
    ],
)
def test_refusals(name: str, parameter: str, value: object, words: str) -> None:
    with pytest.raises(NetgenError) as caught:
        NETWORKS[name].build(**{parameter: value})
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert len(message) < 250
