"""Checks that every step reads what it should: executes the plan's memory without its data.

Each element of the memory holds the number of the step that wrote it last. A value that no step
writes (an input, or a reshape of another value) must lie exactly over one that was written.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netgen.errors import PlanError
from netgen.plan.plan import Plan, Value

Writers = npt.NDArray[np.int32]

_NOBODY = -1
# Inputs have the numbers from here downwards.
_FIRST_INPUT = -2


def check_contents(plan: Plan) -> None:
    """Raise PlanError for a step that reads elements of which some were never, or over-, written.

    Names, layouts and offsets must have been checked; every value is dense.
    """
    memory = _Memory(plan)
    for number, name in enumerate(plan.inputs):
        memory.write(name, _FIRST_INPUT - number)
    for number, step in enumerate(plan.steps):
        for value in step.reads.values():
            memory.check(value, f"step %{step.name}")
        memory.write(step.writes, number)
    for value in plan.outputs:
        memory.check(value, "end of the plan")


class _Memory:
    """The arena and the caller's buffers, with writers for elements."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.arena = np.full(plan.certificate.arena_bytes // 4, _NOBODY, np.int32)
        self.caller = {
            b.name: np.full(b.bytes // 4, _NOBODY, np.int32)
            for b in plan.buffers.values()
            if b.kind != "arena"
        }
        self.numbers = {step.writes: index for index, step in enumerate(plan.steps)}
        self.numbers |= {name: _FIRST_INPUT - index for index, name in enumerate(plan.inputs)}
        self.names = {number: name for name, number in self.numbers.items()}

    def elements(self, value: Value) -> Writers:
        """The writers of a dense value's elements: a view."""
        buffer = self.plan.buffers[value.runs[0].buffer]
        if buffer.kind != "arena":
            return self.caller[buffer.name]
        return self.arena[buffer.offset // 4 : (buffer.offset + buffer.bytes) // 4]

    def write(self, name: str, number: int) -> None:
        """Let a step, or an input, write all of a value."""
        self.elements(self.plan.values[name])[:] = number

    def check(self, name: str, where: str) -> None:
        """All elements of a value must come from its own writer, or for a reshape from one."""
        value = self.plan.values[name]
        writers = self.elements(value)
        expected = self.numbers.get(name, int(writers[0]))
        wrong = np.flatnonzero(writers != expected)
        if expected == _NOBODY or len(wrong):
            at = int(wrong[0]) if len(wrong) else 0
            writer = self.names.get(int(writers[at]))
            raise PlanError(
                f"%{name} is read, but its element {at} does not hold it",
                where=where,
                expected=f"%{self.names[expected]}" if expected != _NOBODY else "a written value",
                found=f"%{writer}" if writer else "never written",
            )
        source = self.plan.values[self.names[expected]]
        if source.runs[0].buffer != value.runs[0].buffer or source.type.bytes != value.type.bytes:
            raise PlanError(
                f"%{name} is neither written nor a reshape of what stands there",
                where=where,
                found=f"%{source.name}",
            )
