"""The time of each step of a compiled model on this machine."""

from __future__ import annotations

import time
from statistics import median

from netgen.runtime.inputs import Array
from netgen.runtime.model import CompiledModel

_WARM, _RUNS = 3, 21


def measure_steps(model: CompiledModel, inputs: tuple[Array, ...], steps: int) -> list[float]:
    """Milliseconds of each step, the median of several runs; bands of a step are added up.

    The clock is read after every call of a kernel, in the hook that all generated code has.
    """
    runs = [_run(model, inputs, steps) for _ in range(_WARM + _RUNS)][_WARM:]
    return [1e3 * median(times) for times in zip(*runs, strict=True)]


def _run(model: CompiledModel, inputs: tuple[Array, ...], steps: int) -> list[float]:
    times = [0.0] * steps
    last = time.perf_counter()

    def tick(step: int, _: Array) -> None:
        nonlocal last
        now = time.perf_counter()
        times[step] += now - last
        last = now

    model.run_with_hook(*inputs, hook=tick)
    return times
