"""The description of a peer, and the axis orders that peers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netgen.bench.worker import Array, Loader
from netgen.export.onnx_operators import TO_CHANNELS_FIRST, TO_CHANNELS_LAST
from netgen.ir.graph import Graph


@dataclass(frozen=True)
class Peer:
    """One runtime.

    `prepare` runs in the parent and makes what the worker is sent; `load` runs in the worker,
    and is told how many threads to use.
    `packages` are what the two import; `extra` of netgen installs them.
    """

    packages: tuple[str, ...]
    prepare: Callable[[Graph], object]
    load: Loader
    extra: str = "bench"


def channels_first(array: Array) -> Array:
    """NCHW of an NHWC array, packed; other ranks have no channels to move."""
    return np.ascontiguousarray(array.transpose(TO_CHANNELS_FIRST) if array.ndim == 4 else array)


def channels_last(array: Array) -> Array:
    """NHWC of an NCHW array; other ranks have no channels to move."""
    return array.transpose(TO_CHANNELS_LAST) if array.ndim == 4 else array
