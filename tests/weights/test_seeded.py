"""Seeded weights: the same everywhere, and activations that keep their size."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from netgen.ir.interpret import interpret
from netgen.ir.text import parse_graph
from netgen.models import NETWORKS
from netgen.passes import run_pipeline
from netgen.weights.seeded import seeded_weights, uniform
from tests.cases import heavy


def test_uniform_numbers_are_fixed() -> None:
    # splitmix64 of a seed of zero begins with these (Vigna's reference code); here the seed is a
    # hash, so the sequence is recomputed with Python's integers.
    seed = int.from_bytes(hashlib.sha256(b"conv2d.w").digest()[:8], "little")
    mask = 2**64 - 1
    expected = []
    for index in range(1, 7):
        z = (seed + index * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        expected.append(((z ^ (z >> 31)) >> 11) * 2.0**-52 - 1.0)
    assert uniform("conv2d.w", (2, 3)).tolist() == np.reshape(expected, (2, 3)).tolist()


def test_uniform_numbers_are_uniform() -> None:
    numbers = uniform("x", (100_000,))
    assert -1.0 <= numbers.min() < -0.999
    assert 0.999 < numbers.max() < 1.0
    assert abs(numbers.mean()) < 0.01
    assert (numbers**2).mean() == pytest.approx(1 / 3, rel=0.01)
    assert abs(np.corrcoef(numbers, uniform("y", (100_000,)))[0, 1]) < 0.01


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mobilenet_v1", {"alpha": 0.5}),
        ("mobilenet_v2", {"alpha": 0.5}),
        heavy("mobilenet_v3_large", {"input_size": 96}),
        heavy("resnet50", {}),
        ("shufflenet_v1", {}),
        ("resnet20", {"input_size": 32}),
    ],
)
def test_activations_keep_their_size(name: str, parameters: dict[str, Any]) -> None:
    graph = NETWORKS[name].build(**{"input_size": 64, **parameters})
    graph = graph.with_constants(seeded_weights(graph))
    assert {array.dtype for array in graph.constants.values()} == {np.dtype(np.float32)}
    image = uniform("image", graph.inputs[0].type.shape) * np.sqrt(3.0)
    for value in interpret(run_pipeline(graph), {"image": image}).values():
        assert 0.02 < (value**2).mean() < 8.0


def test_weights_belong_to_names_of_data() -> None:
    text = """netgen 1
graph net {
  %x : f32[1,2] = input
  %a : f32[3,2] = const {data=@first}
  %b : f32[2]   = const {data=@second}
  %c : f32[2]   = const {data=@second}
  %s : f32[1,2] = batch_norm(%x, %b, %c, %b, %c)
  %y : f32[1,3] = linear(%s, %a)
  return %y
}"""
    graph = parse_graph(text)[0]
    weights = seeded_weights(graph)
    assert {name: array.shape for name, array in weights.items()} == {
        "first": (3, 2),
        "second": (2,),
    }
    assert interpret(graph.with_constants(weights), {"x": [[1, 2]]})["y"].shape == (1, 3)


def test_values_of_constants_alone() -> None:
    text = """netgen 1
graph net {
  %x : f32[1,2] = input
  %a : f32[1,2] = const {data=@a}
  %r : f32[1,2] = relu(%a)
  %s : f32[1,2] = add(%a, %a)
  %t : f32[1,2] = add(%r, %s)
  %y : f32[1,2] = add(%x, %t)
  return %y
}"""
    assert seeded_weights(parse_graph(text)[0]).keys() == {"a"}
