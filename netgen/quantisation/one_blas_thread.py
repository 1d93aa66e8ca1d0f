"""Matrix products of NumPy on one thread each.

Images are spread over the cores already. OpenBLAS, which NumPy brings along, would start as many
threads again for every product, and these wait for each other by spinning: on a busy machine that
takes ten times as long. Results do not depend on it, but for the last bits of floats.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

# The names that builds of OpenBLAS give the two functions, as prefix and suffix.
_NAMES = (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", ""))


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep OpenBLAS to one thread; another library, or one at another place, is left alone."""
    changed = []
    for library in _libraries():
        for prefix, suffix in _NAMES:
            read = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            write = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if read is not None and write is not None:
                changed.append((write, int(read())))
                write(1)
                break
    try:
        yield
    finally:
        for write, count in changed:
            write(count)


def _libraries() -> list[ctypes.CDLL]:
    """The OpenBLAS beside NumPy, which is loaded: opening it again gives the same one."""
    folder = Path(np.__file__).parents[1] / "numpy.libs"
    return [ctypes.CDLL(str(file)) for file in sorted(folder.glob("*openblas*"))]
