"""Less scratch for more time: the choices of kernels that a segment may fall back on.

Some kernels offer choices that take less scratch than their own (`Kernel.choices`). Of a call those
matter that lie on the lower hull of bytes and cycles. Steps from one to the next are taken in the
order of cycles for each byte, the cheapest first, over all calls of a segment: so each number of
steps is the fastest way to its bytes, among those that no mixture of others beats.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from netgen.kernels.layer import Choice, Layer
from netgen.plan.data.alignment import round_up
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.division import scratch_bytes
from netgen.plan.schedule.schedule import Schedule


@dataclass(frozen=True, order=True)
class LeanStep:
    """A call goes from one choice to another: cycles for each byte, by which steps are ordered."""

    price: float
    call: int
    number: int
    saved: int
    cycles: float
    choice: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class LeanSteps:
    """The steps of a segment in order, the bytes saved and the cycles lost by the first n."""

    steps: tuple[LeanStep, ...] = ()
    saved: tuple[int, ...] = (0,)
    lost: tuple[float, ...] = (0.0,)

    def needed(self, bytes_less: int) -> int | None:
        """The number of steps that save so many bytes; None if all of them do not."""
        number = bisect_left(self.saved, bytes_less)
        return number if number < len(self.saved) else None

    def choices(self, number: int) -> dict[int, Choice]:
        """The choices of calls after so many steps, by call."""
        return {step.call: dict(step.choice) for step in self.steps[:number]}


NO_STEPS = LeanSteps()


class GrowingSteps:
    """The steps of a segment to which calls are added."""

    def __init__(self) -> None:
        self._steps: list[LeanStep] = []
        self._made = NO_STEPS

    def add(self, steps: Sequence[LeanStep]) -> LeanSteps:
        """The steps with those of one more call."""
        if steps:
            for step in steps:
                insort(self._steps, step)
            saved = accumulate((step.saved for step in self._steps), initial=0)
            lost = accumulate((step.cycles for step in self._steps), initial=0.0)
            self._made = LeanSteps((*self._steps,), (*saved,), (*lost,))
        return self._made


def lean_steps(schedule: Schedule, call: int, layer: Layer, bands: int) -> list[LeanStep]:
    """The steps of one call, whose layer is that of a whole image or of one of so many bands."""
    made, target = schedule.calls[call], schedule.target
    if not made.kernel.scratch(layer, target):
        return []
    # A band does not change what a kernel states.
    times = 1 if layer.band is not None else bands
    points = pairwise(_hull(schedule, made, layer))
    return [
        LeanStep(
            price=times * (slower - cycles) / (size - less),
            call=call,
            number=number,
            saved=size - less,
            cycles=times * (slower - cycles),
            choice=(*choice.items(),),
        )
        for number, ((size, cycles, _), (less, slower, choice)) in enumerate(points)
    ]


def _hull(schedule: Schedule, made: Call, layer: Layer) -> Iterator[tuple[int, float, Choice]]:
    """Bytes of scratch, cycles and choice: the kernel's own, then slower ones on the lower hull."""
    target, kernel = schedule.target, made.kernel
    found = []
    for choice in kernel.choices(layer, target):
        chosen = replace(layer, choice=choice)
        size = scratch_bytes(kernel, chosen, target, schedule.threads)
        found.append((round_up(size, target.alignment), kernel.cost(chosen, target), choice))
    if not found:
        return
    size, cycles, choice = found[0]
    yield size, cycles, choice
    while less := [point for point in found if point[0] < size]:
        # What is faster by the estimate is not the kernel's own for other reasons.
        slopes = [max(c - cycles, 0.0) / (size - s) for s, c, _ in less]
        flattest = min(range(len(less)), key=lambda n: (slopes[n], less[n][0]))
        size, cycles, choice = less[flattest][0], max(less[flattest][1], cycles), less[flattest][2]
        yield size, cycles, choice
