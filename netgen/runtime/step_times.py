"""Times of the steps of a compiled model, measured where it runs: no compiler, no plan.

The hook of the C reads the clock after each step. Calling Python takes about a microsecond, which
every step's time holds; `netgen bench MODEL --profile` measures without it, beside bounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from netgen.errors import UsageError
from netgen.runtime.html import table_html
from netgen.runtime.inputs import Array

Hook = Callable[[int, Array], bool | None]
Runs = Callable[[Hook], Callable[..., object]]


@dataclass(frozen=True)
class StepTime:
    """One step: the value that it computes, and its microseconds, its bands added up."""

    name: str
    us: float


@dataclass(frozen=True)
class StepTimes:
    """The steps of a run in their order, each with its least time of so many `rounds`."""

    steps: tuple[StepTime, ...]
    rounds: int

    @property
    def us(self) -> float:
        """Microseconds of all steps."""
        return sum(step.us for step in self.steps)

    def __str__(self) -> str:
        width = max(len(step.name) for step in self.steps)
        lines = [
            f"{step.name:{width}}  {step.us:9.1f} us {self._share(step)}" for step in self.steps
        ]
        return "\n".join([*lines, f"{'total':{width}}  {self.us:9.1f} us"])

    def _repr_html_(self) -> str:
        rows = [[step.name, f"{step.us:.1f}", self._share(step)] for step in self.steps]
        return table_html(["step", "µs", "share"], [*rows, ["total", f"{self.us:.1f}", ""]])

    def _share(self, step: StepTime) -> str:
        return f"{100 * step.us / self.us:4.1f} %" if self.us else ""


def step_times(
    runs: Runs, images: Sequence[object], names: Sequence[str], rounds: int
) -> StepTimes:
    """Run one image again and again; `runs` makes a function of images that calls a hook.

    Raises UsageError for no rounds.
    """
    if rounds < 1:
        raise UsageError("there is nothing to measure", expected="rounds of 1 or more")
    clock, spent = time.perf_counter, [0.0] * len(names)
    last = 0.0

    def stamp(step: int, _arena: Array) -> None:
        nonlocal last
        now = clock()
        spent[step] += now - last
        last = clock()

    run, least = runs(stamp), [float("inf")] * len(names)
    for _ in range(rounds):
        spent[:] = [0.0] * len(names)
        last = clock()
        run(*images)
        least = list(map(min, least, spent))
    steps = [StepTime(name, 1e6 * seconds) for name, seconds in zip(names, least, strict=True)]
    return StepTimes(tuple(steps), rounds)
