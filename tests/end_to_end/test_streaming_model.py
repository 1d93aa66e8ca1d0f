"""A streaming wake-word model of others, step by step as TensorFlow Lite's references run it.

504 steps of features of spoken words; the score rises twice.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.compiler import lower, resolve_target
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret, next_states
from netgen.ir.tensor_type import Array
from netgen.plan.data.options import PlanKeywords
from netgen.plan.execute.interpreter import execute
from netgen.plan.execute.memory import Memory
from netgen.plan.pareto import pareto
from tests.cases import heavy
from tests.tools import find_package, require_processor

pytestmark = pytest.mark.usefixtures("as_users_compile")

FILE = "tflite_models/okay_nabu.tflite"
EXPECTED = "tflite_models/okay_nabu_expected_tflite_ref.npz"


@pytest.fixture(scope="module")
def wake_word(shared_data: Path) -> Graph:
    find_package("tflite")
    return netgen.load(str(shared_data / FILE))


@pytest.fixture(scope="module")
def steps(shared_data: Path) -> tuple[Array, Array]:
    """The features of every step, and its score."""
    with np.load(shared_data / EXPECTED) as data:
        return data["x"], data["y"].reshape(-1, 1)


def test_the_meaning(wake_word: Graph, steps: tuple[Array, Array]) -> None:
    images, scores = steps
    states = None
    for image, score in zip(images[:60], scores, strict=False):
        values = interpret(wake_word, {wake_word.inputs[0].name: image}, states)
        states = next_states(wake_word, values)
        np.testing.assert_array_equal(values[wake_word.outputs[0]][0], score)


WAYS: dict[str, PlanKeywords] = {
    "default": {},
    "arena": {"input": "arena"},
    "small": {"small": True},
    "threads": {"threads": 2},
    "copies": {"copies": True},
}


@pytest.mark.parametrize("way", ["default", *(heavy(way) for way in WAYS if way != "default")])
@pytest.mark.parametrize(
    "target", ["generic", *(heavy(f"x86-64-v{version}") for version in (2, 3, 4))]
)
def test_every_step(wake_word: Graph, steps: tuple[Array, Array], way: str, target: str) -> None:
    require_processor(target)
    images, scores = steps
    model = netgen.compile(wake_word, target=target, **WAYS[way])
    assert scores.max() > 250
    stream = model.stream()
    for _ in range(2):
        np.testing.assert_array_equal(np.stack([stream(image[0]) for image in images]), scores)
        stream.reset()
    np.testing.assert_array_equal(model(images[:, 0]), scores)


def test_every_budget(wake_word: Graph, steps: tuple[Array, Array]) -> None:
    images, scores = steps
    lowered = lower(wake_word, resolve_target("generic"))
    for point in pareto(lowered.graph, resolve_target("generic")):
        model = netgen.compile(wake_word, target="generic", ram=point.arena_bytes)
        assert model.image.arena_bytes <= point.arena_bytes
        np.testing.assert_array_equal(model(images[:, 0]), scores)


def test_the_plan(wake_word: Graph, steps: tuple[Array, Array]) -> None:
    images, scores = steps
    lowered = lower(wake_word, resolve_target("generic"))
    plan, memory = lowered.plan, Memory(lowered.plan)
    assert len(plan.states) == 6
    # New rows are written behind those that are kept: 3,408 bytes of state, 440 of new rows.
    assert plan.state_bytes == 3848
    assert sum(plan.values[state.value].type.bytes for state in plan.states) == 3408
    memory.reset(lowered.graph)
    for image, score in zip(images[:20], scores, strict=False):
        found = execute(plan, lowered.graph, {plan.inputs[0]: image}, memory)
        np.testing.assert_array_equal(found[plan.outputs[0]][0], score)
