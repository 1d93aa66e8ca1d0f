"""The memory of the plan interpreter: one arena of bytes and the caller's buffers, all poisoned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netgen.errors import PlanError
from netgen.plan.data.execution_order import Band
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Buffer, Plan, Step, is_image, rows_of
from netgen.plan.data.reach import Reach, row_reach

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# Four of these bytes are a NaN.
_POISON = 0xFF


class Memory:
    """Reads and writes rows of values where the plan says that they stand."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.arena: Bytes = np.full(plan.certificate.arena_bytes, _POISON, np.uint8)
        self.caller: dict[str, Bytes] = {
            buffer.name: np.full(buffer.bytes, _POISON, np.uint8)
            for buffer in plan.buffers.values()
            if buffer.kind != "arena"
        }

    def bytes(self, buffer: Buffer) -> Bytes:
        """The live bytes of a buffer: a view. Raises PlanError outside the arena."""
        if buffer.kind != "arena":
            return self.caller[buffer.name]
        end = buffer.offset + buffer.bytes
        if buffer.offset < 0 or end > len(self.arena):
            raise PlanError("the buffer leaves the arena", where=f"buffer {buffer.name}")
        return self.arena[buffer.offset : end]

    def floats(self, value: str) -> Floats:
        """The live elements of a value's buffer: a view."""
        return self.bytes(self.plan.buffer_of(value)).view(np.float32)

    def rows(self, value: str) -> int:
        """How many rows a value has: one unless it is an image."""
        return self.plan.values[value].rows

    def read(self, value: str, first: int, end: int) -> Floats:
        """Rows `first` to `end` of a value now, in its logical shape but for the rows: a copy."""
        shape = self.plan.values[value].type.shape
        rows = self.floats(value)[self.plan.elements(value, first, end)]
        return rows.reshape(1, end - first, *shape[2:]) if is_image(shape) else rows.reshape(shape)

    def read_into(self, array: Floats, value: str, rows: slice) -> None:
        """Copy rows of a value into an array of all of them."""
        first, end, _ = rows.indices(self.rows(value))
        if is_image(array.shape):
            array[:, first:end] = self.read(value, first, end)
        else:
            array[:] = self.read(value, 0, 1)

    def read_reached(self, value: str, reach: Reach | None, band: Band) -> Floats:
        """All of a value, NaN in the rows that a band does not need; it may not look at them."""
        rows = self.rows(value)
        begin = 0 if reach is None else reach.begin(band.first, rows)
        end = rows if reach is None else reach.end(band.end, rows)
        array = np.full(self.plan.values[value].type.shape, np.nan, np.float32)
        if begin < end:
            self.read_into(array, value, slice(begin, end))
        return array

    def write(self, value: str, first: int, array: npt.NDArray[np.floating]) -> None:
        """Store rows of a value from row `first` on, rounded to float32."""
        rows = rows_of(array.shape)
        at = self.plan.elements(value, first, first + rows)
        self.floats(value)[at] = array.astype(np.float32).reshape(at.shape)

    def poison_dead(self, segment: int) -> None:
        """Poison what died in a segment, but for bytes of buffers that live on."""
        arena = [buffer for buffer in self.plan.buffers.values() if buffer.kind == "arena"]
        alive = [buffer for buffer in arena if buffer.first <= segment < buffer.last]
        for dead in arena:
            if dead.last != segment:
                continue
            gone = np.ones(dead.bytes, np.bool_)
            for buffer in alive:
                begin, end = buffer.offset - dead.offset, buffer.offset - dead.offset + buffer.bytes
                gone[max(begin, 0) : max(end, 0)] = False
            self.bytes(dead)[gone] = _POISON

    def poison_scratch(self, step: Step) -> None:
        """Poison what a step has for itself: nothing that lives may stand there."""
        if step.scratch is not None:
            self.bytes(self.plan.buffers[step.scratch])[:] = _POISON

    def meets(self, step: Step, band: Band) -> bool:
        """Whether a band's result stands on bytes of the rows of x that it reads."""
        plan, x = self.plan, step.reads["x"]
        if plan.buffer_of(x).kind != "arena" or plan.buffer_of(step.writes).kind != "arena":
            return False
        reach = row_reach(step.op, "x", operand_types(plan, step), plan.values[step.writes].type)
        assert reach is not None
        begin, end = reach.begin(band.first, self.rows(x)), reach.end(band.end, self.rows(x))
        read = plan.elements(x, begin, end) + plan.buffer_of(x).offset // 4
        written = plan.elements(step.writes, band.first, band.end)
        written = written + plan.buffer_of(step.writes).offset // 4
        return bool(np.isin(written, read).any())
