"""The description of a peer, and the axis orders that peers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netgen.bench.subject import Subject
from netgen.bench.worker import Array, Loader
from netgen.export.onnx_operators import TO_CHANNELS_FIRST, TO_CHANNELS_LAST
from netgen.ir.graph import Graph


@dataclass(frozen=True)
class Form:
    """One way to run a network: `prepare` in the parent, `load` in the worker.

    `takes` says in the parent whether a network can be run so.
    """

    prepare: Callable[[Subject], object]
    load: Loader
    takes: Callable[[Subject], bool] = lambda _: True


@dataclass(frozen=True)
class Peer:
    """One runtime.

    `prepare` runs in the parent and makes what the worker is sent, of a graph of floats; `load`
    runs in the worker, and is told how many threads to use.
    `packages` are what the two import; `extra` of netgen installs them.

    `of_file` runs a `.tflite` file as it is. `of_codes` runs what netgen writes of a graph of
    codes. A peer without `prepare` runs files alone.
    """

    packages: tuple[str, ...]
    prepare: Callable[[Graph], object] | None
    load: Loader
    extra: str = "bench"
    of_file: Form | None = None
    of_codes: Form | None = None


def channels_first(array: Array) -> Array:
    """NCHW of an NHWC array, packed; other ranks have no channels to move."""
    return np.ascontiguousarray(array.transpose(TO_CHANNELS_FIRST) if array.ndim == 4 else array)


def channels_last(array: Array) -> Array:
    """NHWC of an NCHW array; other ranks have no channels to move."""
    return array.transpose(TO_CHANNELS_LAST) if array.ndim == 4 else array
