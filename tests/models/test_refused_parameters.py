"""Parameters that make no network: one line, with the way out."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from netgen.errors import GraphError, NetgenError, UsageError
from netgen.models import NETWORKS

HUGE = "is too large, expected at most 2147483647 bytes"
SHRUNK = "shrunk to one pixel and cannot be halved again; choose a larger input"

OF_ALL: list[tuple[str, object, str]] = [
    ("input_size", 0, "at least one pixel and one channel, found height 0"),
    ("input_size", -224, "found height -224"),
    ("input_size", 10**9, HUGE),
    ("input_size", "large", "ill-typed, expected int"),
    ("height", 0, "at least one pixel and one channel, found height 0"),
    ("height", 10**9, HUGE),
    ("width", -1, "found height 49, width -1"),
    ("width", 1, SHRUNK),
    ("classes", 0, "the shape [0, "),
    ("classes", -1, "empty dimension"),
    ("classes", 10**12, HUGE),
    ("classes", 2.5, "ill-typed, expected int, found 2.5"),
    ("input_channels", 0, "channels 0"),
    ("input_channels", 10**9, HUGE),
    ("alpha", 0, "out of range, expected more than 0"),
    ("alpha", -0.5, "out of range, expected more than 0"),
    ("alpha", "nan", "out of range"),
    ("alpha", "inf", "out of range"),
    ("alpha", 1e300, "at most 16, found 1e+300"),
    ("alpha", "wide", "ill-typed, expected float"),
    ("padding", "valid", "no such choice, expected one of torch, tensorflow"),
    ("batch_norm", "perhaps", "ill-typed, expected bool"),
    ("groups", 5, "no such choice, expected one of 1, 2, 3, 4, 8, found 5"),
    ("groups", 0, "no such choice"),
    ("groups", "three", "ill-typed, expected int"),
    ("scale", 0, "found 0.0"),
    ("scale", "nan", "found nan"),
    ("scale", 1e300, "found 1e+300"),
    ("stem", "mnist", "no such choice, expected one of imagenet, cifar, found 'mnist'"),
    ("shortcuts", "C", "no such choice, expected one of A, B, found 'C'"),
    ("filters", 0, "the shape [0, 10, 4, 1] has an empty dimension"),
    ("filters", 10**9, HUGE),
    ("blocks", 0, "'blocks' is out of range, expected 1 to 100, found 0"),
    ("blocks", -1, "expected 1 to 100"),
    ("blocks", 10**9, "expected 1 to 100"),
]


def refusals() -> list[tuple[str, str, object, str]]:
    return [
        (name, parameter, value, words)
        for name, network in NETWORKS.items()
        for parameter, value, words in OF_ALL
        if parameter in {p.name for p in network.parameters}
    ]


def refused(name: str, parameter: str, value: object) -> NetgenError:
    with pytest.raises((UsageError, GraphError)) as caught:
        NETWORKS[name].build(**{parameter: value})
    assert isinstance(caught.value, NetgenError)
    return caught.value


@pytest.mark.parametrize(("name", "parameter", "value", "words"), refusals())
def test_refusal(name: str, parameter: str, value: object, words: str) -> None:
    error = refused(name, parameter, value)
    message = str(error)
    assert words in message
    assert "\n" not in message
    assert len(message) < 250
    if isinstance(error, GraphError):
        own = Path(inspect.getfile(NETWORKS[name].builder)).name
        assert message.startswith(f"{own}:")


def test_scales_of_shufflenet_v2() -> None:
    """ShuffleNet v2 has four scales; v1 can have any, in whole groups."""
    error = refused("shufflenet_v2", "scale", 0.7)
    assert "expected one of 0.5, 1.0, 1.5, 2.0, found 0.7" in str(error)
    assert NETWORKS["shufflenet_v1"].build(scale=0.7).parameters() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_parameters(name: str) -> None:
    first = NETWORKS[name].parameters[0].name
    assert f"{name} has no parameter 'depth', expected one of {first}, " in str(
        refused(name, "depth", 1)
    )


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "ds_cnn"])
def test_too_small(name: str) -> None:
    """The smallest size has one pixel at the end; no stage halves one pixel."""
    smallest = 3 if name in ("resnet8", "resnet20") else 17
    own = Path(inspect.getfile(NETWORKS[name].builder)).name
    for size in range(1, smallest):
        message = str(refused(name, "input_size", size))
        assert message.startswith(f"{own}:")
        assert SHRUNK in message or "the kernel is 3 high and does not fit" in message
        assert "choose a larger input size" in message
    graph = NETWORKS[name].build(input_size=smallest)
    assert min(min(n.type.shape[1:3]) for n in graph.activations if len(n.type.shape) == 4) == 1
