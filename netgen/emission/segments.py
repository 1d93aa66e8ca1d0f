"""Segments as C: calls in a numbered list, or a function that executes steps band by band.

Such a function is `plan/data/execution_order.py` written out: a chain of conditions, the step
furthest down first.
What it counts are rows; `rows7` is how many of them step 7 has computed. Where rows are pushed the
counters stand in `model_t`, whose `pushed` counts the pushed ones. One step by itself is a loop,
and where every step has only one band there is nothing to find out.
"""

from __future__ import annotations

from dataclasses import dataclass

from netgen.emission.calls import Calls, CallText, used
from netgen.emission.lent import Lent, lent_pointers
from netgen.plan.data.execution_order import Need, execution_order, height, needs
from netgen.plan.data.plan import Plan, Segment

# Of `model_t`: how many rows were pushed.
PUSHED = "m->pushed"


@dataclass(frozen=True)
class BandText:
    """A call of a band, the condition for it, and the counter that it moves on by `rows`."""

    condition: str
    call: CallText
    counter: str
    rows: int


@dataclass(frozen=True)
class SegmentText:
    """A function that executes a segment: `uses` of what is lent, `counters` and `constants`.

    Where calls are `divided` between threads it is told who they are.
    """

    title: str
    comment: str
    function: str
    parameters: str
    arguments: str
    counters: tuple[str, ...]
    constants: str
    uses: tuple[Lent, ...]
    divided: bool
    bands: tuple[BandText, ...]


@dataclass(frozen=True)
class Item:
    """One item of the run function: a call, a loop over the bands of a step, or a segment."""

    call: CallText | None = None
    loop: BandText | None = None
    segment: SegmentText | None = None


def in_one_band(plan: Plan, segment: Segment) -> bool:
    """Whether each step of a segment computes all of its rows at once."""
    steps = plan.steps[segment.first : segment.last + 1]
    return all(step.rows == height(plan, step) for step in steps)


def run_items(calls: Calls, prefix: str) -> list[Item]:
    """The items that run all segments in order, but for the one whose rows are pushed."""
    pushed = 1 if calls.plan.push_rows else 0
    return [
        item
        for segment in calls.plan.segments[pushed:]
        for item in _segment_items(calls, segment, prefix)
    ]


def _segment_items(calls: Calls, segment: Segment, prefix: str) -> list[Item]:
    plan, alone = calls.plan, segment.first == segment.last
    if not in_one_band(plan, segment):
        if alone:
            return [Item(loop=_loop(calls, segment.first))]
        return [Item(segment=segment_text(calls, segment, prefix, pushed=False))]
    if alone:
        return [Item(call=calls.whole(segment.first))]
    steps = [band.step for band in execution_order(plan)]
    return [
        Item(call=calls.band(step, "0")) for step in steps if segment.first <= step <= segment.last
    ]


def _loop(calls: Calls, index: int) -> BandText:
    step = calls.plan.steps[index]
    condition = f"row < {calls.constant('height', index, height(calls.plan, step))}"
    return BandText(condition, calls.band(index, "row"), "row", step.rows)


def pushed_segment(calls: Calls, prefix: str) -> SegmentText | None:
    """The segment whose rows are pushed, if there is one."""
    if not calls.plan.push_rows:
        return None
    return segment_text(calls, calls.plan.segments[0], prefix, pushed=True)


def segment_text(calls: Calls, segment: Segment, prefix: str, *, pushed: bool) -> SegmentText:
    """The function of a segment."""
    steps = range(segment.first, segment.last + 1)
    bands = tuple(_band(calls, index, pushed=pushed) for index in reversed(steps))
    texts = [band.call.arguments for band in bands]
    ports, team = calls.ports_in(texts), used(["team"], texts)
    first, last = segment.first, segment.last
    span = f"{first}" if first == last else f"{first}_to_{last}"
    model = f"{prefix}_t *m" if pushed else f"const {prefix}_t *m"
    teams = [f"{prefix}_{name} *{name}" for name in team]
    return SegmentText(
        title=f"Step{'' if first == last else 's'} {span.replace('_', ' ')}, band by band.",
        comment=_comment(first, last, pushed=pushed),
        function=f"{prefix}_step{'' if first == last else 's'}_{span}",
        parameters=", ".join([model, *teams, *[port.parameter for port in ports]]),
        arguments=", ".join(["m", *team, *[port.variable for port in ports]]),
        counters=() if pushed else _declarations(steps),
        constants=calls.constants_in([*texts, *[band.condition for band in bands]]),
        uses=lent_pointers(texts),
        divided=bool(team),
        bands=bands,
    )


def _declarations(steps: range) -> tuple[str, ...]:
    """The counters, some to a line."""
    names = [f"{_counter(n, pushed=False)} = 0" for n in steps]
    return tuple(", ".join(names[n : n + 6]) for n in range(0, len(names), 6))


def _comment(first: int, last: int, *, pushed: bool) -> str:
    """The comment above the function of steps `first` to `last`."""
    steps = f"Step {first}" if first == last else f"Steps {first} to {last}"
    pace = "as far as the pushed rows go" if pushed else "band by band"
    counted = f"{_counter(first, pushed=pushed)} counts the rows that step {first} has computed"
    if pushed:
        counted += f", and so on; {PUSHED} counts those that were pushed"
    elif first != last:
        counted += ", and so on"
    if first == last:
        return f"{steps}, {pace}. {counted}."
    order = "of the steps whose rows are there, the one furthest down goes first"
    return f"{steps}, {pace}: {order}. {counted}."


def _counter(index: int, *, pushed: bool) -> str:
    """The variable that counts the rows of a step; step -1 stands for the pushed rows."""
    if index < 0:
        return PUSHED
    return f"rows[{index}]" if pushed else f"rows{index}"


def _band(calls: Calls, index: int, *, pushed: bool) -> BandText:
    step = calls.plan.steps[index]
    counter, rows = _counter(index, pushed=pushed), height(calls.plan, step)
    conditions = [f"{counter} < {calls.constant('height', index, rows)}"]
    for need in needs(calls.plan, index):
        maker = _counter(need.step, pushed=pushed)
        owner = need.step if need.step >= 0 else "input"
        everything = f"{maker} == {calls.constant('height', owner, need.height)}"
        conditions.append(_condition(need, everything, maker, counter, step.rows, rows))
    return BandText(
        condition=" && ".join(dict.fromkeys(conditions)),
        call=calls.band(index, counter),
        counter=counter,
        rows=step.rows,
    )


def _condition(need: Need, everything: str, maker: str, counter: str, band: int, rows: int) -> str:
    """Whether the rows are there that the next band needs: enough of them, or `everything`."""
    reach = need.reach
    if reach is None:
        return everything
    more = (band - 1) * reach.stride - reach.pad + reach.size
    index = counter if reach.stride == 1 else f"{counter} * {reach.stride}"
    binding = reach.lowest(rows - 1) + reach.size > need.height
    if reach.step > 1:
        # Both sides times the step: C would round a quotient below 0 the other way.
        more += (reach.size - 1) * (reach.step - 1) - 1
        behind = f" {'-' if more < 0 else '+'} {abs(more)}" if more else ""
        enough = f"{maker} * {reach.step} > {index}{behind}"
    elif more == 1 or more <= 0:
        enough = f"{maker} > {index}" if more == 1 else f"{maker} >= {index}"
        enough += f" - {-more}" if more < 0 else ""
    else:
        enough = f"{maker} >= {index} + {more}"
    return f"({everything} || {enough})" if binding else enough
