"""Channels first on request, and arrays of other libraries without copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pytest

from netgen.errors import InputError, UsageError
from netgen.runtime.inputs import checked_array, checked_batches
from netgen.runtime.layouts import Layout
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ModelPort

PORT = ModelPort("image", (4, 3, 2))
BATCH = np.arange(48, dtype=np.float32).reshape(2, 4, 3, 2)
VECTOR = np.array([[5, 7], [1, 2]], np.float32)


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def model(self) -> CompiledModel: ...


class Lender:
    """An array of another library, which lends its memory by DLPack only."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array

    def __dlpack__(self, **options: object) -> object:
        return cast("Callable[..., object]", self.array.__dlpack__)(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return cast("tuple[int, int]", self.array.__dlpack_device__())


class Unwilling(Lender):
    """An array that says why it does not."""

    def __dlpack__(self, **options: object) -> object:
        raise BufferError("it is on another\ndevice")


def test_channels_first_give_the_same_numbers(pair_stub: Stub) -> None:
    model = pair_stub.model()
    expected = model.run(BATCH, VECTOR)
    image, vector = model.run(BATCH.transpose(0, 3, 1, 2).copy(), VECTOR, layout="NCHW")
    assert image.shape == (2, 2, 4, 3)
    np.testing.assert_array_equal(image, expected[0].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(vector, expected[1])
    single = model(BATCH[0].transpose(2, 0, 1), VECTOR[0], layout="NCHW")
    np.testing.assert_array_equal(single[0], expected[0][0].transpose(2, 0, 1))


def test_neither_images_nor_results_are_copied(pair_stub: Stub) -> None:
    given = BATCH.transpose(0, 3, 1, 2)
    (batch,), _ = checked_batches([given], [PORT], "NCHW")
    assert np.shares_memory(batch, BATCH)
    assert batch.shape == BATCH.shape
    result = pair_stub.model().run(given, VECTOR, layout="NCHW")[0]
    assert result.base is not None


def test_the_layout_is_in_the_message(sum_stub: Stub) -> None:
    model = sum_stub.model()
    with pytest.raises(InputError, match=r"expected float32 \(2, 4, 3\) or \(N, 2, 4, 3\)"):
        model(BATCH, layout="NCHW")
    with pytest.raises(InputError, match=r"expected float32 \(4, 3, 2\)"):
        model(BATCH.transpose(0, 3, 1, 2))
    with pytest.raises(UsageError, match="there is no layout 'NWHC', expected one of NHWC, NCHW"):
        model(BATCH, layout=cast("Layout", "NWHC"))


def test_other_libraries_lend_their_memory(sum_stub: Stub) -> None:
    lent = checked_array(Lender(BATCH), PORT, "float32")
    assert np.shares_memory(lent, BATCH)
    model = sum_stub.model()
    np.testing.assert_array_equal(model(Lender(BATCH)), model(BATCH))
    # and take results without copies: any library that reads DLPack
    result = model.run(BATCH)[0]
    assert np.shares_memory(np.from_dlpack(result), result)


def test_what_cannot_be_lent_is_an_error_with_the_reason() -> None:
    with pytest.raises(InputError, match="as it is: it is on another device, found Unwilling; "):
        checked_array(Unwilling(BATCH), PORT, "float32")
    with pytest.raises(InputError, match="not an array"):
        checked_array([1.0, 2.0], PORT, "float32")


def test_memory_that_is_only_read(sum_stub: Stub) -> None:
    fixed = BATCH.copy()
    fixed.setflags(write=False)
    model = sum_stub.model()
    np.testing.assert_array_equal(model(fixed), model(BATCH))
