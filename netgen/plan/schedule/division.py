"""Whether a call may be divided between threads: each of them then has scratch of its own."""

from __future__ import annotations

from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.split import Split
from netgen.kernels.targets import Target

# What it takes to hand a call to waiting threads and to wait for them, in cycles: half a
# microsecond by itself, and what caches lose.
_MEETING_CYCLES = 6000.0
_NONE: frozenset[str] = frozenset()


def may_divide(kernel: Kernel, layer: Layer, target: Target, threads: int) -> bool:
    """Whether a call may come to be divided, so that each thread needs scratch of its own."""
    return threads > 1 and division_pays(
        kernel, layer, target, kernel.split(layer, target, threads, _NONE)
    )


def division_pays(kernel: Kernel, layer: Layer, target: Target, found: Split | None) -> bool:
    """Whether a division saves more than it takes."""
    if found is None:
        return False
    return kernel.cost_of_call(layer, target) * (1.0 - found.share) > _MEETING_CYCLES
