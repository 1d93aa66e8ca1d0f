"""The order in which a plan is executed: which step computes which rows next.

A segment of one step is one call, or one for each band. In a longer one, rows are pushed through:
as long as any step has the rows that its next band needs, the one furthest down goes first. So no
row waits longer than it must, none is computed twice, and the same few lines of C do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netgen.ir.rows import Reach
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step


@dataclass(frozen=True)
class Band:
    """Rows `first` to `end` of a step's result; of a pushed input, whose `step` is -1."""

    step: int
    first: int
    end: int


@dataclass(frozen=True)
class Need:
    """Rows of what step `step` (-1: the pushed input) computes; without a reach all of them."""

    step: int
    height: int
    reach: Reach | None

    def rows(self, end: int) -> int:
        """The number of rows that must be there before the reader computes its first `end` rows."""
        return self.height if self.reach is None else self.reach.end(end, self.height)


def height(plan: Plan, step: Step) -> int:
    """The number of rows that a step goes through: of its result, or those that it sums up."""
    types = {letter: plan.values[value].type for letter, value in step.reads.items()}
    return step.op.rows(types, plan.values[step.writes].type)


def sources(plan: Plan, value: str) -> tuple[str, ...]:
    """The values that a value shows: itself, or for a view what that views, to the last."""
    view = plan.values[value].view
    if view is None:
        return (value,)
    return tuple(dict.fromkeys(s for operand in view.operands for s in sources(plan, operand)))


def needs(plan: Plan, index: int) -> list[Need]:
    """The needs of a step: rows of other steps of its segment, and of an input that is pushed."""
    step = plan.steps[index]
    segment = next(s for s in plan.segments if s.first <= index <= s.last)
    makers: dict[str, int] = {
        plan.steps[n].writes: n for n in range(segment.first, segment.last + 1)
    }
    if plan.push_rows and segment.first == 0:
        makers[plan.inputs[0]] = -1
    types, result = operand_types(plan, step), plan.values[step.writes].type
    found = []
    for letter, value in step.reads.items():
        reach = None if plan.is_recut(value) else step.op.row_reach(letter, types, result)
        for source in sources(plan, value):
            if source not in makers:
                continue
            maker = makers[source]
            rows = height(plan, plan.steps[maker]) if maker >= 0 else plan.values[source].rows
            summed = maker >= 0 and plan.steps[maker].op.sums_rows
            found.append(Need(maker, rows, None if summed else reach))
    return list(dict.fromkeys(found))


def execution_order(plan: Plan) -> Iterator[Band]:
    """All bands in the order of execution, rows of a pushed input included."""
    for number, segment in enumerate(plan.segments):
        steps = range(segment.first, segment.last + 1)
        heights = {n: height(plan, plan.steps[n]) for n in steps}
        wanted = {n: needs(plan, n) for n in steps}
        done = dict.fromkeys(steps, 0)
        if plan.push_rows and number == 0:
            heights[-1], done[-1] = plan.values[plan.inputs[0]].type.shape[1], 0
        while True:
            ready = _furthest(plan, heights, wanted, done)
            if ready is None:
                break
            yield ready
            done[ready.step] = ready.end


def _furthest(
    plan: Plan,
    heights: Mapping[int, int],
    wanted: Mapping[int, list[Need]],
    done: Mapping[int, int],
) -> Band | None:
    for n in sorted(wanted, reverse=True):
        end = done[n] + plan.steps[n].rows
        if end <= heights[n] and all(done[w.step] >= w.rows(end) for w in wanted[n]):
            return Band(n, done[n], end)
    if -1 in heights and done[-1] < heights[-1]:
        return Band(-1, done[-1], done[-1] + 1)
    return None
