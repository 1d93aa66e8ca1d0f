"""One run of a compiled model as addresses, for C that times it."""

from __future__ import annotations

import dataclasses

from netgen.runtime.inputs import Array


@dataclasses.dataclass(frozen=True)
class RawRun:
    """One run as addresses: of PREFIX_run, its `model_t`, its images and results, in order.

    `held` is the memory that they lie in; `results` are its arrays that the run writes.
    """

    function: int
    model: int
    pointers: tuple[int, ...]
    results: tuple[Array, ...]
    held: tuple[object, ...]
