from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from netgen.errors import BuildError, UsageError
from netgen.runtime import cpu
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ModelImage, WeightsFile
from tests.tools import STRICTLY, start_python

Array = NDArray[np.float32]


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def image(self) -> ModelImage: ...
    def model(self) -> CompiledModel: ...


def images(count: int) -> Array:
    numbers = np.arange(count * 24, dtype=np.float32) % 17 - 5
    return numbers.reshape(count, 4, 3, 2)


def expected(batch: Array) -> Array:
    sums = batch.sum(axis=(1, 2))
    logits: Array = sums * np.array([2, -3], np.float32) + np.array([0.5, 10], np.float32)
    return logits


def test_one_image_and_a_batch(sum_stub: Stub) -> None:
    model = sum_stub.model()
    batch = images(5)
    result = model(batch)
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected(batch))
    single = model(batch[3])
    assert isinstance(single, np.ndarray)
    assert single.shape == (2,)
    np.testing.assert_array_equal(single, expected(batch)[3])


def test_an_empty_batch(sum_stub: Stub) -> None:
    result = sum_stub.model()(images(0))
    assert isinstance(result, np.ndarray)
    assert result.shape == (0, 2)
    assert result.dtype == np.float32


def test_threads_share_a_model(sum_stub: Stub) -> None:
    model = sum_stub.model()
    batches = [images(50) + float(n) for n in range(4)]
    start = threading.Barrier(4)

    def run(batch: Array) -> list[object]:
        start.wait()
        return [model(batch) for _ in range(40)]

    with ThreadPoolExecutor(4) as threads:
        for batch, results in zip(batches, threads.map(run, batches), strict=True):
            for result in results:
                np.testing.assert_array_equal(result, expected(batch))
    assert 1 <= len(model._idle) <= 4


def test_a_second_call_reuses_the_arena(sum_stub: Stub) -> None:
    model = sum_stub.model()
    model(images(2))
    first = model._idle[0]
    model(images(2))
    assert list(model._idle) == [first]


def test_the_interpreter_lock_is_released(wait_stub: Stub) -> None:
    model = wait_stub.model()
    mail = np.zeros((4, 3, 2), np.float32)
    flat = mail.reshape(-1)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(model, mail)
        while flat[0] == 0 and not running.done():
            pass
        flat[1] = 1.0  # the C waits for this, and gives up at last if no Python can run
        np.testing.assert_array_equal(running.result(), [7, 7])


def test_pickle_needs_no_compiler(sum_stub: Stub, tmp_path: Path) -> None:
    batch = images(3)
    with (tmp_path / "all.pickle").open("wb") as file:
        pickle.dump((sum_stub.model(), batch, expected(batch)), file)
    script = """
import pickle, sys, numpy
with open(sys.argv[1], "rb") as file:
    model, batch, expected = pickle.load(file)
numpy.testing.assert_array_equal(model(batch), expected)
again = pickle.loads(pickle.dumps(model))
numpy.testing.assert_array_equal(again(batch), expected)
print("equal")
"""
    cache = str(tmp_path / "elsewhere")
    child = start_python(
        *STRICTLY,
        script,
        str(tmp_path / "all.pickle"),
        PATH="",
        CC="",
        NETGEN_CACHE_DIR=cache,
    )
    output, _ = child.communicate()
    assert output == "equal\n"
    assert {path.suffix for path in Path(cache).iterdir()} == {".so", ".weights"}


def test_running_imports_no_compiler() -> None:
    script = """
import sys, netgen.runtime.model
heavy = {"networkx", "jinja2", "PIL", "cffi", "pycparser", "netgen.ops", "netgen.kernels"}
print(sorted(heavy & set(sys.modules)))
"""
    assert start_python(*STRICTLY, script).communicate()[0] == "[]\n"


def test_copies(sum_stub: Stub) -> None:
    model = sum_stub.model()
    batch = images(2)
    for other in (copy.copy(model), copy.deepcopy(model)):
        assert other is not model
        np.testing.assert_array_equal(other(batch), expected(batch))


def test_pickle_outlives_the_cache(sum_stub: Stub, cache_dir: Path) -> None:
    model = sum_stub.model()
    for path in cache_dir.iterdir():
        path.unlink()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again(images(1)), expected(images(1)))


def test_a_processor_without_the_features(sum_stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    image = sum_stub.image()
    needy = dataclasses.replace(image, target="future", cpu_features=("sse2", "warp9"))
    monkeypatch.setattr(cpu, "cpu_features", lambda: frozenset({"sse2", "warp9"}))
    data = pickle.dumps(CompiledModel(needy))
    monkeypatch.setattr(cpu, "cpu_features", lambda: frozenset({"sse2"}))
    with pytest.raises(BuildError, match=r"lacks warp9, which target future needs; compile"):
        pickle.loads(data)


def test_another_system(sum_stub: Stub) -> None:
    image = dataclasses.replace(sum_stub.image(), platform="Plan9 mips")
    with pytest.raises(BuildError, match="another system, expected Plan9 mips, found"):
        CompiledModel(image)


def test_the_hook_sees_every_step(sum_stub: Stub) -> None:
    seen: list[tuple[int, list[float]]] = []
    batch = images(1)
    result = sum_stub.model().run_with_hook(
        batch[0], hook=lambda step, arena: seen.append((step, arena.view(np.float32)[:2].tolist()))
    )
    assert result is not None
    np.testing.assert_array_equal(result[0], expected(batch)[0])
    sums = batch.sum(axis=(0, 1, 2)).tolist()
    assert seen == [(0, sums), (1, sums)]


def test_the_hook_raises(sum_stub: Stub) -> None:
    seen = []

    def hook(step: int, _arena: Array) -> None:
        seen.append(step)
        raise KeyError(step)

    model = sum_stub.model()
    with pytest.raises(KeyError, match="0"):
        model.run_with_hook(images(1)[0], hook=hook)
    assert seen == [0]
    np.testing.assert_array_equal(model(images(1)), expected(images(1)))


def test_the_hook_cancels(sum_stub: Stub) -> None:
    model = sum_stub.model()
    for last in (0, 1):
        seen: list[int] = []

        def hook(step: int, _arena: Array, seen: list[int] = seen, last: int = last) -> bool:
            seen.append(step)
            return step == last

        assert model.run_with_hook(images(1)[0], hook=hook) is None
        assert seen == list(range(last + 1))
    with pytest.raises(UsageError, match=r"one image, found 2 images"):
        model.run_with_hook(images(2), hook=lambda _step, _arena: None)


def test_errors_of_the_c_are_named(sum_stub: Stub) -> None:
    image = sum_stub.image()
    with pytest.raises(BuildError, match=r"model_init: returned -1 \(STUB_ERROR_ARENA\)"):
        CompiledModel(dataclasses.replace(image, arena_bytes=20))(images(1))
    with pytest.raises(BuildError, match=r"model_init: returned -3 \(STUB_ERROR_BLOB\)"):
        CompiledModel(dataclasses.replace(image, weights=b"short"))(images(1))
    model = CompiledModel(image)
    bad = images(1)[0] * 0
    bad[0, 0, 0] = (12345 - 0.5) / 2
    with pytest.raises(BuildError, match=r"model_run: returned -7 \(STUB_ERROR_RUN\)"):
        model(bad)
    assert not model._idle
    np.testing.assert_array_equal(model(images(1)), expected(images(1)))


def test_weights_are_mapped_and_checked(sum_stub: Stub, tmp_path: Path) -> None:
    image = sum_stub.image()
    assert isinstance(image.weights, bytes)
    path = tmp_path / "blob"
    path.write_bytes(image.weights)
    blob = WeightsFile(path, "", len(image.weights))
    model = CompiledModel(dataclasses.replace(image, weights=blob))
    assert isinstance(model._weights, np.memmap)
    assert not model._weights.flags.writeable
    np.testing.assert_array_equal(model(images(1)), expected(images(1)))
    data = pickle.dumps(model)
    path.write_bytes(image.weights[:-1])
    with pytest.raises(BuildError, match="damaged, expected 16 bytes, found 15"):
        CompiledModel(dataclasses.replace(image, weights=blob))
    path.unlink()
    with pytest.raises(BuildError, match="cannot be mapped"):
        CompiledModel(dataclasses.replace(image, weights=blob))
    np.testing.assert_array_equal(pickle.loads(data)(images(1)), expected(images(1)))


def test_a_library_that_is_none(sum_stub: Stub) -> None:
    image = sum_stub.image()
    with pytest.raises(BuildError, match="cannot be loaded"):
        CompiledModel(dataclasses.replace(image, shared_object=b"not an object file"))
    with pytest.raises(BuildError, match="other_init"):
        CompiledModel(dataclasses.replace(image, prefix="other"))


def test_repr(sum_stub: Stub) -> None:
    text = "<CompiledModel model for generic: image (4, 3, 2), logits (2,)>"
    assert repr(sum_stub.model()) == text
