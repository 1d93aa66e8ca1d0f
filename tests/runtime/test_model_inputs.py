from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from netgen.errors import InputError, UsageError
from netgen.runtime.inputs import checked_array
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ModelPort

Array = NDArray[np.float32]

BATCH = np.arange(4 * 24, dtype=np.float32).reshape(4, 4, 3, 2)


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def model(self) -> CompiledModel: ...


def unaligned(batch: Array) -> Array:
    raw = np.zeros(batch.nbytes + 1, np.uint8)
    view = raw[1:].view(np.float32).reshape(batch.shape)
    view[...] = batch
    assert not view.flags.aligned
    return view


def read_only(batch: Array) -> Array:
    copied = batch.copy()
    copied.flags.writeable = False
    return copied


VIEWS: tuple[Callable[[Array], Array], ...] = (
    lambda b: b[::-1],
    lambda b: b[:, ::-1, ::-1],
    lambda b: np.asfortranarray(b),
    lambda b: b[::2],
    lambda b: np.repeat(b, 2, axis=2)[:, :, ::2],
    lambda b: np.ascontiguousarray(b.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1),
    lambda b: np.broadcast_to(b[0], b.shape),
    unaligned,
    read_only,
)


def test_strides(sum_stub: Stub) -> None:
    model = sum_stub.model()
    for view in VIEWS:
        batch = view(BATCH.copy())
        before = batch.copy()
        expected = before.sum(axis=(1, 2)) * [2, -3] + [0.5, 10]
        np.testing.assert_array_equal(model(batch), expected)
        np.testing.assert_array_equal(model(batch[1]), expected[1])
        np.testing.assert_array_equal(batch, before)


def test_several_inputs_and_outputs(pair_stub: Stub) -> None:
    model = pair_stub.model()
    batch, vectors = BATCH[:3], np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    result = model(batch, vectors)
    assert isinstance(result, tuple)
    np.testing.assert_array_equal(result[0], batch + vectors[:, None, None, :])
    np.testing.assert_array_equal(result[1], 2 * vectors)
    total, twice = model.run(batch[1], vectors[1])
    np.testing.assert_array_equal(total, batch[1] + vectors[1])
    np.testing.assert_array_equal(twice, [6, 8])


def test_several_inputs_must_agree(pair_stub: Stub) -> None:
    model = pair_stub.model()
    with pytest.raises(InputError, match=r"expected 2 \(image, vector\), found 1$"):
        model(BATCH[:1])
    for vector in (np.zeros(2, np.float32), np.zeros((4, 2), np.float32)):
        with pytest.raises(InputError, match="different batch sizes"):
            model(BATCH[:3], vector)


REFUSED: tuple[tuple[object, list[str]], ...] = (
    (np.zeros((4, 3, 2), np.uint8), ["float32", "uint8 (4, 3, 2)", "model.preprocess(images)"]),
    (np.zeros((4, 3, 2)), ["float64", "images.astype(numpy.float32)"]),
    (np.zeros((5, 4, 3, 2), np.float16), ["float16 (5, 4, 3, 2)", "astype"]),
    (np.zeros((4, 3, 2), ">f4"), [">f4", "astype"]),
    (
        np.zeros((2, 4, 3), np.float32),
        ["expected float32 (4, 3, 2) or (N, 4, 3, 2)", "(2, 4, 3)", "transpose(1, 2, 0)"],
    ),
    (np.zeros((7, 2, 4, 3), np.float32), ["(7, 2, 4, 3)", "transpose(0, 2, 3, 1)"]),
    (np.zeros((8, 8, 2), np.float32), ["found float32 (8, 8, 2)", "resize", "4 x 3"]),
    (np.zeros((2, 4, 3), np.uint8), ["dtype and shape", "preprocess", "channels first"]),
    (np.zeros((1, 1, 4, 3, 2), np.float32), ["wrong shape", "(1, 1, 4, 3, 2)"]),
    (np.zeros((), np.float32), ["wrong shape", "()"]),
    ([[1.0, 2.0]], ["not an array", "found list"]),
)


def test_refused_arrays(sum_stub: Stub) -> None:
    model = sum_stub.model()
    for array, says in REFUSED:
        with pytest.raises(InputError) as error:
            model(array)
        message = str(error.value)
        assert "\n" not in message
        assert [part for part in ["image", *says] if part not in message] == []


def test_preprocess(sum_stub: Stub) -> None:
    model = sum_stub.model()
    pixels = (np.arange(2 * 24) * 5 % 256).astype(np.uint8).reshape(2, 4, 3, 2)
    result = model.preprocess(pixels)
    exact = (pixels / 255 - np.array([0.5, 0.25])) / np.array([0.5, 2.0])
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, exact.astype(np.float32))
    np.testing.assert_array_equal(model.preprocess(pixels[1]), result[1])
    with pytest.raises(InputError, match=r"expected uint8 .* found float32"):
        model.preprocess(result)
    with pytest.raises(InputError, match="channels first"):
        model.preprocess(pixels.transpose(0, 3, 1, 2))
    bare = CompiledModel(dataclasses.replace(model.image, normalisation=None))
    with pytest.raises(UsageError, match="does not declare a normalisation"):
        bare.preprocess(pixels)


@pytest.mark.parametrize(
    ("zero", "formula"),
    [(-5, r"0.03125 \* \(q \+ 5\)"), (7, r"0.03125 \* \(q - 7\)"), (0, r"0.03125 \* q")],
)
def test_what_a_code_stands_for(zero: int, formula: str) -> None:
    port = ModelPort("image", (4, 3, 2), "int8", 2.0**-5, zero)
    with pytest.raises(InputError, match=rf"takes int8: a code q stands for {formula}$"):
        checked_array(BATCH[0], port, "int8")
