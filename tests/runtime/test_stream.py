"""Rows that are pushed from Python: the sums of a stub, and a real network."""

from __future__ import annotations

import gc
import pickle
import threading
import weakref
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.errors import BuildError, InputError, UsageError
from netgen.plan.data.options import Image
from netgen.runtime.model import CompiledModel

Array = NDArray[np.float32]

FACTORS = np.array([2, -3], np.float32)


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def model(self) -> CompiledModel: ...


def image(number: int) -> Array:
    numbers = np.arange(24, dtype=np.float32) * (number + 1) % 17 - 5
    return numbers.reshape(4, 3, 2)


def expected(pixels: Array) -> Array:
    logits: Array = pixels.sum(axis=(0, 1)) * FACTORS + np.array([0.5, 10], np.float32)
    return logits


def parts(rows: int, most: int) -> Iterator[slice]:
    for first in range(0, rows, most):
        yield slice(first, min(first + most, rows))


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_any_number_of_rows(most: int, push_stub: Stub) -> None:
    stream = push_stub.model().stream()
    for number in range(3):  # one image after the other
        assert stream.missing == 4
        for rows in parts(4, most):
            stream.push(image(number)[rows])
            assert stream.missing == 4 - rows.stop
        result = stream.finish()
        assert isinstance(result, np.ndarray)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, expected(image(number)))


def test_a_row_by_itself_needs_no_axis(push_stub: Stub) -> None:
    stream = push_stub.model().stream()
    for row in image(0):
        stream.push(row)
    stream.push(image(0)[:0])
    np.testing.assert_array_equal(stream.finish(), expected(image(0)))


def test_rows_in_any_memory(push_stub: Stub) -> None:
    """Rows far apart, backwards, of pixels that are spread, misaligned, read-only."""
    stream = push_stub.model().stream()
    pixels = image(1)
    wide = np.full((4, 5, 2), np.nan, np.float32)
    wide[:, 1:4] = pixels
    spread = np.full((4, 3, 4), np.nan, np.float32)
    spread[..., ::2] = pixels
    raw = np.frombuffer(b"x" + pixels.tobytes(), np.uint8)[1:]
    misaligned = raw.view(np.float32).reshape(4, 3, 2)
    backwards = np.ascontiguousarray(pixels[::-1])[::-1]
    repeated = np.broadcast_to(pixels[0], (4, 3, 2))
    for rows in (wide[:, 1:4], spread[..., ::2], misaligned, backwards):
        stream.push(rows)
        np.testing.assert_array_equal(stream.finish(), expected(pixels))
    stream.push(repeated)
    np.testing.assert_array_equal(stream.finish(), expected(repeated))


def test_streams_and_calls_do_not_meet(push_stub: Stub) -> None:
    model = push_stub.model()
    streams = [model.stream() for _ in range(3)]
    for row in range(4):
        for number, stream in enumerate(streams):
            stream.push(image(number)[row])
            np.testing.assert_array_equal(model(image(5)), expected(image(5)))
    for number, stream in enumerate(streams):
        np.testing.assert_array_equal(stream.finish(), expected(image(number)))


def test_arenas_are_shared_between_images(push_stub: Stub) -> None:
    model = push_stub.model()
    model(image(0))
    (instance,) = model._idle
    stream = model.stream()
    stream.push(image(1)[:1])
    assert not model._idle
    stream.push(image(1)[1:])
    stream.finish()
    assert list(model._idle) == [instance]


def test_an_abandoned_image_frees_its_arena(push_stub: Stub) -> None:
    stream = push_stub.model().stream()
    stream.push(image(1)[:1])
    assert stream._instance is not None
    arena = weakref.ref(stream._instance.arena)
    del stream
    gc.collect()
    assert arena() is None


def test_threads_share_a_stream(push_stub: Stub) -> None:
    stream = push_stub.model().stream()
    row = image(3)[2]
    for _ in range(30):
        threads = [threading.Thread(target=stream.push, args=(row,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        np.testing.assert_array_equal(stream.finish(), expected(np.stack([row] * 4)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((1, 3, 2)), r"wrong dtype.*expected float32 \(3, 2\) or \(N, 3, 2\)"),
        (np.zeros((1, 3, 2), np.uint8), "wrong dtype.*normalise 8-bit pixels"),
        (np.zeros((2, 3), np.float32), r"wrong shape.*found float32 \(2, 3\)"),
        (np.zeros((1, 2, 3, 2), np.float32), "wrong shape"),
        ([[0.0] * 2] * 3, "not an array"),
        (np.zeros((4, 3, 2), np.float32), r"more rows than the image has.*at most 3.*found 4"),
    ],
)
def test_what_is_no_row(rows: object, message: str, push_stub: Stub) -> None:
    """It is refused, and the image can go on."""
    stream = push_stub.model().stream()
    stream.push(image(2)[:1])
    with pytest.raises(InputError, match=f"input 'image': {message}"):
        stream.push(rows)
    assert stream.missing == 3
    stream.push(image(2)[1:])
    np.testing.assert_array_equal(stream.finish(), expected(image(2)))


def test_finishing_too_early(push_stub: Stub) -> None:
    stream = push_stub.model().stream()
    with pytest.raises(UsageError, match="not complete, expected 4 rows, found 0; push the other"):
        stream.finish()
    stream.push(image(0)[:3])
    with pytest.raises(UsageError, match="not complete, expected 4 rows, found 3"):
        stream.finish()
    stream.push(image(0)[3])
    stream.finish()
    with pytest.raises(UsageError, match="found 0"):
        stream.finish()


def test_errors_of_the_c_end_the_image(push_stub: Stub) -> None:
    stream = push_stub.model().stream()
    bad = np.zeros((1, 3, 2), np.float32)
    bad[0, 0, 0] = 12345
    with pytest.raises(BuildError, match=r"pushed_push_rows: returned -7 \(STUB_ERROR_RUN\)"):
        stream.push(bad)
    assert stream.missing == 4
    stream.push(image(0))
    np.testing.assert_array_equal(stream.finish(), expected(image(0)))


def test_a_model_of_whole_images(sum_stub: Stub) -> None:
    with pytest.raises(UsageError, match=r"takes whole images, and has no state; compile it with"):
        sum_stub.model().stream()


def test_the_same_network_however_its_image_comes() -> None:
    graph = netgen.load("ds_cnn", height=32, width=32, filters=8)
    images = np.random.default_rng(0).standard_normal((2, 32, 32, 1)).astype(np.float32)
    ways: tuple[Image, ...] = ("caller", "arena", "rows")
    models = [netgen.compile(graph, target="generic", input=way) for way in ways]
    results = [model(images) for model in models]
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])
    for model in (models[2], pickle.loads(pickle.dumps(models[2]))):
        stream = model.stream()
        for rows in parts(32, 5):
            stream.push(images[1, rows])
        np.testing.assert_array_equal(stream.finish(), models[0](images[1]))
    spread = np.zeros((2, 32, 32, 2), np.float32)[..., ::2]
    spread[:] = images
    np.testing.assert_array_equal(models[1](spread), results[0])
