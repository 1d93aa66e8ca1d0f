"""Models with states as Python has them: streams, calls that begin anew, batches, saved models."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import PlanError, UsageError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.plan.data.options import PlanKeywords
from netgen.runtime.model import CompiledModel
from tests.cases import heavy
from tests.plan.execute.test_states import PUSHED
from tests.plan.stateful_graphs import BODIES, assert_alike, expected_runs, stateful

RUNS = 5
WAYS: dict[str, PlanKeywords] = {
    "default": {},
    "arena": {"input": "arena"},
    "rows": {"input": "rows"},
    "threads": {"threads": 2},
    "small": {"small": True},
}
QUICK = {("rings", "default"), ("codes", "default"), ("bands", "rows"), ("rings", "threads")}


def results_of(found: object) -> tuple[Array, ...]:
    each = found if isinstance(found, tuple) else (found,)
    return tuple(np.asarray(array) for array in each)


def check_runs(graph: Graph, run: Callable[..., object]) -> None:
    """Compare runs that follow each other with the reference."""
    for inputs, expected in expected_runs(graph, RUNS):
        found = results_of(run(*[inputs[node.name][0] for node in graph.inputs]))
        for ours, theirs in zip(found, expected, strict=True):
            assert_alike(ours, theirs[0])


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) if (name, way) in QUICK else heavy(name, way) for name in BODIES for way in WAYS],
)
def test_streams(name: str, way: str) -> None:
    graph = stateful(name)
    if way == "rows" and name not in PUSHED:
        with pytest.raises(PlanError):
            netgen.compile(graph, target="generic", **WAYS[way])
        return
    stream = netgen.compile(graph, target="generic", **WAYS[way]).stream()
    check_runs(graph, stream)
    stream.reset()
    check_runs(graph, stream)


@pytest.fixture(scope="module")
def rings() -> CompiledModel:
    return netgen.compile(stateful("rings"), target="generic")


def steps(count: int = RUNS) -> tuple[Array, Array]:
    """Images of runs that follow each other, and what they give."""
    runs = [*expected_runs(stateful("rings"), count)]
    images = np.concatenate([inputs["x"] for inputs, _ in runs])
    return images, np.concatenate([results[0] for _, results in runs])


def test_a_call_is_a_stream_of_its_own(rings: CompiledModel) -> None:
    images, expected = steps()
    assert rings.stateful
    for _ in range(2):
        assert_alike(np.asarray(rings(images)), expected)
    alone = np.stack([np.asarray(rings(image)) for image in images])
    assert_alike(alone[0], expected[0])
    assert not np.allclose(alone[1], expected[1])
    for again in (pickle.loads(pickle.dumps(rings)), copy.deepcopy(rings)):  # ours
        assert_alike(np.asarray(again(images)), expected)


def test_a_stream_takes_images_one_by_one_and_in_batches(rings: CompiledModel) -> None:
    images, expected = steps()
    stream = rings.stream()
    assert_alike(np.asarray(stream(images[:2])), expected[:2])
    assert_alike(np.asarray(stream(images[2])), expected[2])
    rings(images)  # has nothing to do with the stream
    assert_alike(np.asarray(stream(images[3:])), expected[3:])


def test_streams_are_apart(rings: CompiledModel) -> None:
    images, expected = steps(32)
    found: dict[int, list[Array]] = {n: [] for n in range(4)}

    def run(number: int) -> None:
        stream = rings.stream()
        found[number] += [np.asarray(stream(image)) for image in images]

    threads = [threading.Thread(target=run, args=(n,)) for n in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found.values():
        assert_alike(np.stack(each), expected)


def test_threads_run_one_stream_in_order() -> None:
    images, expected = steps()
    model = netgen.compile(stateful("rings"), target="generic", threads=2)
    assert_alike(np.asarray(model(images)), expected)


def test_rows_of_a_stream() -> None:
    graph = stateful("bands")
    stream = netgen.compile(graph, target="generic", input="rows").stream()

    def push(image: Array) -> object:
        stream.push(image[:5])
        if stream.missing == image.shape[0] - 5:
            with pytest.raises(UsageError, match="an image is being pushed"):
                stream(image)
        stream.push(image[5:])
        return stream.finish()

    check_runs(graph, push)
    # Rows of an image that is given up leave no trace, nor does what was before.
    stream.push(np.ones((3, 16, 3), np.float32))
    stream.reset()
    assert stream.missing == 16
    check_runs(graph, push)
    stream.reset()
    check_runs(graph, stream)


def test_what_is_refused_changes_nothing(rings: CompiledModel) -> None:
    images, expected = steps()
    stream = rings.stream()
    stream(images[:3])
    with pytest.raises(netgen.errors.InputError):
        stream(images[0].astype(np.float64))
    assert_alike(np.asarray(stream(images[3:])), expected[3:])


def test_saved_models_have_their_states(rings: CompiledModel, tmp_path: Path) -> None:
    images, expected = steps()
    rings.save(tmp_path / "m.netgen")
    again = netgen.load_compiled(tmp_path / "m.netgen")
    assert again.stateful
    stream = again.stream()
    assert_alike(np.asarray(stream(images)), expected)
    assert again.image.state_bytes == rings.image.state_bytes == 216


def test_rows_are_no_business_of_a_model_of_images(rings: CompiledModel) -> None:
    with pytest.raises(UsageError, match="this model takes whole images"):
        rings.stream().push(np.zeros((1, 8), np.float32))


def test_models_without_states_have_no_stream() -> None:
    model = netgen.compile(netgen.load("ds_cnn", height=32, width=32, filters=8), target="generic")
    assert not model.stateful
    with pytest.raises(UsageError, match="takes whole images, and has no state"):
        model.stream()
