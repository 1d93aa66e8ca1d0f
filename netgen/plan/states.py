"""States in plans: what they become, where they stand, what they begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netgen.ir.operator import State
from netgen.kernels.targets import Target
from netgen.plan.data.alignment import round_up
from netgen.plan.data.plan import PackedWeights, PlannedState, Rectangle
from netgen.plan.data.states import has_initial
from netgen.plan.schedule.schedule import Schedule


def plan_states(
    scheduled: Schedule, end: int, target: Target
) -> tuple[tuple[PlannedState, ...], int]:
    """The states, and where their initial elements end, which begin at `end` of the weights."""
    found = []
    for node in scheduled.graph.states:
        assert isinstance(node.op, State)
        initial: PackedWeights | None = None
        if has_initial(node.type, node.op.data):
            initial = PackedWeights(end, node.type.bytes)
            end = round_up(end + initial.bytes, target.alignment)
        following = scheduled.graph.next_values[node.name]
        found.append(PlannedState(node.name, following, initial))
    return tuple(found), end


def state_rectangles(
    scheduled: Schedule, kept: Mapping[str, int], target: Target
) -> Iterator[Rectangle]:
    """The buffers that live between runs at these offsets, each by itself."""
    for name, offset in kept.items():
        buffer = scheduled.buffers[name]
        size = round_up(buffer.bytes, target.alignment)
        yield Rectangle((name,), size, buffer.first, buffer.last, offset)
