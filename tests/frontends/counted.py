"""Work that reading a damaged file may take: calls of functions and bytes, never seconds."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A small model takes some ten thousand calls of functions, in Python and in C, a real one some
# hundred thousand.
MOST_CALLS = 1_000_000
MOST_BYTES = 1 << 29


@contextmanager
def counted() -> Iterator[None]:
    """Fail where too many functions are called, or too much memory is taken.

    Memory is traced from here on, unless the caller traces it already, which is faster.
    """
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        del frame, argument
        calls += event in ("call", "c_call")
        assert calls <= MOST_CALLS

    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start(1)
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        _, peak = tracemalloc.get_traced_memory()
        if not traced:
            tracemalloc.stop()
    assert peak - before <= MOST_BYTES
