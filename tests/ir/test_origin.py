"""Origins and normalisations: what a graph says about its weights."""

from __future__ import annotations

import math

import pytest

from netgen.errors import GraphError, UsageError
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin, origin_from_json, origin_to_json

FULL = Origin(
    "mobilenet_v2",
    {"input_size": 96, "alpha": 0.35, "padding": "torch", "batch_norm": True},
    "weights.pth",
    "ab" * 32,
    "BSD-3-Clause",
    Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    by_position=True,
)


@pytest.mark.parametrize("origin", [FULL, Origin("my_net.py:my_net")])
def test_json_round_trips(origin: Origin) -> None:
    text = origin_to_json(origin)
    assert "\n" not in text
    assert origin_from_json(text, "file") == origin
    assert origin_to_json(origin_from_json(text, "file")) == text


@pytest.mark.parametrize(
    "text", ["", "{", "3", "[]", "{}", '{"normalisation": 3}', '{"normalisation": null, "x": 1}']
)
def test_malformed_json(text: str) -> None:
    with pytest.raises(
        GraphError, match=r"^net\.safetensors: the origin of the graph is malformed"
    ):
        origin_from_json(text, "net.safetensors")


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ((), ()),
        ((0.5,), (0.5, 0.5)),
        ((0.5,), (0.0,)),
        ((0.5,), (-1.0,)),
        ((math.nan,), (1.0,)),
        ((0.5,), (math.inf,)),
    ],
)
def test_normalisations_that_cannot_be(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="normalisation"):
        Normalisation(mean, std)
