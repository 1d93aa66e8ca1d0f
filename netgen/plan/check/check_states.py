"""Checks of states: where they stand from run to run, and that what they become stands there.

That nothing is overwritten early or read late is a matter of contents: `check_contents` begins with
the states in their places, and ends with what they become.
"""

from __future__ import annotations

import numpy as np

from netgen.errors import PlanError
from netgen.plan.data.plan import Plan, PlannedState


def check_states(plan: Plan) -> None:
    """Raise PlanError for the first fault; names and layouts must have been checked."""
    states = [state.value for state in plan.states]
    if len(set(states)) != len(states):
        raise PlanError("a state is listed twice", where=f"plan of {plan.network}")
    written = {step.writes for step in plan.steps}
    for state in plan.states:
        _check_state(plan, state, written)
    homes = {plan.buffer_of(state).name for state in states}
    for buffer in plan.buffers.values():
        if (buffer.kind == "state") != (buffer.name in homes):
            raise PlanError(
                "a buffer lives between runs if and only if it holds a state",
                where=f"buffer {buffer.name}",
                expected="state" if buffer.name in homes else "arena",
                found=buffer.kind,
            )
    _check_beginning(plan)


def _check_state(plan: Plan, state: PlannedState, written: set[str]) -> None:
    """It is no step's, nor the caller's; what it becomes stands in its places."""
    where = f"state %{state.value}"
    value, following = plan.values[state.value], plan.values[state.next]
    callers = {*plan.inputs, *plan.outputs}
    if value.view is not None or state.value in written | callers:
        raise PlanError("a state is what the run before left, and nothing else", where=where)
    if following.view is not None or state.next in callers:
        raise PlanError(
            f"it becomes %{state.next}, which has no places of its own",
            where=where,
            expected="the state itself, or what a step writes",
        )
    if following.type != value.type:
        raise PlanError(
            f"it becomes %{state.next}, of another type",
            where=where,
            expected=str(value.type),
            found=str(following.type),
        )
    homes = [plan.buffer_of(name).name for name in (state.value, state.next)]
    first, then = (plan.elements(name, 0, value.rows) for name in (state.value, state.next))
    if homes[0] != homes[1] or not np.array_equal(first, then):
        raise PlanError(f"it becomes %{state.next}, which stands at other places", where=where)
    if len(value.runs) > 1 or value.runs[0].step != 1 or value.slots != following.slots:
        raise PlanError("the channels of a state do not stand side by side", where=where)
    buffer = plan.buffer_of(state.value)
    if buffer.margin or buffer.rows * buffer.row_pixels * value.type.shape[-1] != (
        value.type.elements
    ):
        raise PlanError("a state does not have all pixels of its buffer", where=where)


def _check_beginning(plan: Plan) -> None:
    """The arena, and its fast region, begin with the states, and nothing else is there."""
    end = plan.state_bytes
    if end > plan.fast_bytes:
        raise PlanError(
            "states stand behind the fast region of RAM",
            where=f"plan of {plan.network}",
            expected=f"{plan.fast_bytes} bytes at most",
            found=str(end),
        )
    for buffer in plan.buffers.values():
        if buffer.kind == "arena" and buffer.offset < end:
            raise PlanError(
                "it stands among the states",
                where=f"buffer {buffer.name}",
                expected=f"byte {end} or behind",
                found=str(buffer.offset),
            )
