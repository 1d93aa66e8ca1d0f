"""Whether a call may be divided between threads, and how much scratch that takes."""

from __future__ import annotations

from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.split import Split
from netgen.kernels.targets import Target

# What it takes to hand a call to waiting threads and to wait for them, in cycles: half a
# microsecond by itself, and what caches lose.
_MEETING_CYCLES = 6000.0
_NONE: frozenset[str] = frozenset()


def scratch_bytes(kernel: Kernel, layer: Layer, target: Target, threads: int) -> int:
    """Bytes that a call needs for itself: so many for each thread that it may be divided between.

    Where bands keep something there, threads share it.
    """
    size = kernel.scratch(layer, target)
    if not size or kernel.keeps_scratch or threads == 1:
        return size
    split = kernel.split(layer, target, threads, _NONE)
    return size * threads if division_pays(kernel, layer, target, split) else size


def division_pays(kernel: Kernel, layer: Layer, target: Target, found: Split | None) -> bool:
    """Whether a division saves more than it takes."""
    if found is None:
        return False
    return kernel.cost_of_call(layer, target) * (1.0 - found.share) > _MEETING_CYCLES
