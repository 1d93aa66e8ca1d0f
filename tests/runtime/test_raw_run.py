"""Runs that C makes by itself: addresses instead of calls."""

from __future__ import annotations

import ctypes
from typing import Protocol

import numpy as np
import pytest

from netgen.errors import UsageError
from netgen.runtime.build import CHook
from netgen.runtime.model import CompiledModel

IMAGE = np.arange(24, dtype=np.float32).reshape(4, 3, 2)

# `user` is null for a null hook, as the stubs ask for.
NO_HOOK = CHook(0, 0)


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def model(self) -> CompiledModel: ...


def test_what_c_needs_to_run_a_model(sum_stub: Stub) -> None:
    model = sum_stub.model()
    raw = model.raw_run(IMAGE, hook=NO_HOOK)
    run = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * (1 + len(raw.pointers)))(
        raw.function
    )
    for _ in range(2):
        raw.results[0][...] = np.nan
        assert run(raw.model, *raw.pointers) == 0
        np.testing.assert_array_equal(raw.results[0], model(IMAGE))


def test_an_image_that_is_not_contiguous_is_copied(sum_stub: Stub) -> None:
    raw = sum_stub.model().raw_run(IMAGE[::-1], hook=NO_HOOK)
    given = (ctypes.c_float * 24).from_address(raw.pointers[0])
    np.testing.assert_array_equal(np.array(given).reshape(4, 3, 2), IMAGE[::-1])


def test_batches_are_refused(sum_stub: Stub) -> None:
    with pytest.raises(UsageError, match="a raw run takes one image"):
        sum_stub.model().raw_run(IMAGE[None], hook=NO_HOOK)
