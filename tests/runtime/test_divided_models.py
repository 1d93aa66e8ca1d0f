"""Compiled models that run on several threads: the same results, batches, forks, failures."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.emission.weights import BLOB_HEADER_BYTES
from netgen.errors import BuildError
from netgen.ir.graph import Graph
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ChangedWeights
from netgen.runtime.shares import run_shares

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return netgen.load("resnet8")


@pytest.fixture(scope="module")
def images(graph: Graph) -> Array:
    shape = (7, *graph.inputs[0].type.shape[1:])
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def expected(graph: Graph, images: Array) -> Array:
    return np.asarray(netgen.compile(graph)(images))


@pytest.fixture(scope="module")
def model(graph: Graph) -> CompiledModel:
    return netgen.compile(graph, threads=2)


@pytest.mark.parametrize(
    "threads", [2, *(pytest.param(n, marks=pytest.mark.heavy) for n in (3, 5))]
)
def test_images_and_batches_keep_their_bits(
    threads: int, graph: Graph, images: Array, expected: Array
) -> None:
    model = netgen.compile(graph, threads=threads)
    assert model.image.threads == threads
    for count in range(len(images) + 1):
        assert np.array_equal(np.asarray(model(images[:count])), expected[:count])
    assert np.array_equal(np.stack([np.asarray(model(image)) for image in images]), expected)


@pytest.mark.heavy
def test_rows_are_pushed(graph: Graph, images: Array, expected: Array) -> None:
    model = netgen.compile(graph, threads=2, input="rows")
    stream = model.stream()
    for image, result in zip(images, expected, strict=True):
        for row in range(0, 32, 16):
            stream.push(image[row : row + 16])
        assert np.array_equal(np.asarray(stream.finish()), result)


def test_calls_from_several_threads(model: CompiledModel, images: Array, expected: Array) -> None:
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: np.asarray(model(images)), range(12)):
            assert np.array_equal(result, expected)


def test_a_child_of_a_fork_runs(model: CompiledModel, images: Array, expected: Array) -> None:
    assert np.array_equal(np.asarray(model(images)), expected)
    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        right = all(
            np.array_equal(np.asarray(model(images)), expected)
            and np.array_equal(np.asarray(model(images[0])), expected[0])
            for _ in range(3)
        )
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_pickles_keep_their_threads(model: CompiledModel, images: Array, expected: Array) -> None:
    copy = pickle.loads(pickle.dumps(model))
    assert copy.image.threads == 2
    assert np.array_equal(np.asarray(copy(images)), expected)


def test_saved_models_keep_their_threads(
    model: CompiledModel, images: Array, expected: Array, tmp_path: Path
) -> None:
    """Both libraries are in the one file, and their weights once."""
    model.save(tmp_path / "two.netgen")
    loaded = netgen.load_compiled(tmp_path / "two.netgen")
    assert loaded.image.threads == 2
    assert np.array_equal(np.asarray(loaded(images)), expected)
    assert np.array_equal(np.asarray(loaded(images[0])), expected[0])
    weights = model.with_weights().weights
    assert isinstance(weights, bytes)
    undivided = model._undivided
    assert undivided is not None
    undivided.save(tmp_path / "one.netgen")
    sizes = [(tmp_path / f"{name}.netgen").stat().st_size for name in ("one", "two")]
    # Besides the library there are the heads of both blobs, and three parts begin at pages.
    most = len(model.image.shared_object) + 1000 + 3 * (1 << 14)
    assert 0 < sizes[1] - sizes[0] <= most < len(weights)
    pickled = [len(pickle.dumps(each)) for each in (undivided, model)]
    own = len(model.image.shared_object) + len(model.image.memory_map)
    assert 0 < pickled[1] - pickled[0] < own + 3000
    (tmp_path / "cut.netgen").write_bytes((tmp_path / "two.netgen").read_bytes()[:-1])
    with pytest.raises(BuildError, match="the weights of the compiled model are damaged"):
        netgen.load_compiled(tmp_path / "cut.netgen")


def test_weights_are_in_the_cache_once(model: CompiledModel) -> None:
    """One file for both: these blobs differ in their heads, which name the layout."""
    undivided, weights = model._undivided, model.image.weights
    assert undivided is not None
    assert isinstance(weights, ChangedWeights)
    assert weights.base == undivided.image.weights
    assert 0 < max(each.end for each in weights.stretches) <= BLOB_HEADER_BYTES


def test_a_hook_sees_every_step(model: CompiledModel, images: Array, expected: Array) -> None:
    steps: list[int] = []

    def note(step: int, _: Array) -> None:
        steps.append(step)

    found = model.run_with_hook(images[0], hook=note)
    assert found is not None
    assert np.array_equal(found[0], expected[0])
    assert steps == [*range(len(steps))]
    assert model.run_with_hook(images[0], hook=lambda step, _: step == 3) is None


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_exception_of_a_share_is_raised_when_all_are_done(failing: int) -> None:
    done: list[int] = []

    def run(share: int) -> None:
        if share == failing:
            raise KeyError(share)
        done.append(share)

    with pytest.raises(KeyError, match=str(failing)):
        run_shares(run, [0, 1, 2])
    assert sorted(done) == [n for n in range(3) if n != failing]
