"""Checks that every step reads what it should: executes the plan's memory without its data.

Each element of the memory holds a number that says which element of which value was written there
last. A step must find the numbers of its operands, in their order; those of a view are the numbers
of what it views, rearranged as the view's operator rearranges anything.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from netgen.errors import PlanError
from netgen.ir.operator import Signature
from netgen.ir.rows import is_image
from netgen.plan.check.hazards import band_fault
from netgen.plan.data.execution_order import Band, execution_order, height
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.pixel_order import pixel_order
from netgen.plan.data.plan import Plan, Step, Value

Numbers = npt.NDArray[np.int64]

_NOBODY = -1
# Elements of one value have consecutive numbers; no value has more than this.
_MOST_ELEMENTS = 1 << 32


def check_contents(plan: Plan) -> None:
    """Raise PlanError for a band that reads elements of which some were never, or over-, written.

    Bands run in the order that plan and C share. Within a band, what is written must not be read
    any more: it stands elsewhere, or `band_fault` finds every read of it to come before. Names,
    layouts and offsets must have been checked.
    """
    memory = _Memory(plan)
    for state in plan.states:
        memory.write(state.value, 0, memory.rows(state.value))
    for name in plan.inputs:
        if not plan.push_rows:
            memory.write(name, 0, memory.rows(name))
    finished = [0] * len(plan.steps)
    for band in execution_order(plan):
        if band.step < 0:
            memory.write(plan.inputs[0], band.first, band.end)
            continue
        _run(memory, plan.steps[band.step], band)
        finished[band.step] = band.end
    for index, step in enumerate(plan.steps):
        if finished[index] != height(plan, step):
            raise PlanError(
                "the step never gets all the rows that it needs",
                where=f"step %{step.name}",
                expected=f"{height(plan, step)} rows",
                found=str(finished[index]),
            )
    for value in plan.outputs:
        memory.check(value, 0, memory.rows(value), "end of the plan")
    for state in plan.states:
        memory.check(state.next, 0, memory.rows(state.next), "end of the plan, for the next run")


def _run(memory: _Memory, step: Step, band: Band) -> None:
    plan, where = memory.plan, f"step %{step.name}"
    types, result = operand_types(plan, step), plan.values[step.writes].type
    summed, kept = step.op.sums_rows, memory.keeps_sums(step)
    first, end = (0, 1) if summed else (band.first, band.end)
    written = memory.places(step.writes, first, end)
    if kept and band.first:
        memory.check_sums(step)
    elif summed and band.first:
        memory.check(step.writes, 0, 1, where)
    for letter, value in step.reads.items():
        reach, rows = step.op.row_reach(letter, types, result), memory.rows(value)
        span = (
            (0, rows)
            if reach is None
            else (reach.begin(band.first, rows), reach.end(band.end, rows))
        )
        memory.check(value, *span, where)
        if memory.home(value) == memory.home(step.writes):
            read = memory.places(value, *span)
            order = pixel_order(plan, step)
            if memory.size(value) != memory.size(step.writes):
                fault = memory.met((value, *span), (step.writes, first, end))
            else:
                fault = band_fault(step.op, letter, types, read, written, band, order)
            if fault:
                raise PlanError(f"the step destroys its operand {letter}: {fault}", where=where)
    if step.scratch is not None:
        memory.fill(step.scratch, memory.sums(step) if kept else _NOBODY)
    if not kept or band.end == height(plan, step):
        memory.write(step.writes, first, end)


class _Memory:
    """The arena and the caller's buffers, with numbers for elements.

    It consists of cells as large as what divides all elements; an element's cells hold one number.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.cell = math.gcd(*(buffer.element_bytes for buffer in plan.buffers.values()))
        self.arena = np.full(plan.certificate.arena_bytes // self.cell, _NOBODY, np.int64)
        self.caller = {
            b.name: np.full(b.bytes // self.cell, _NOBODY, np.int64)
            for b in plan.buffers.values()
            if not b.in_arena
        }
        states = [state.value for state in plan.states]
        self.written = [*plan.inputs, *states, *(step.writes for step in plan.steps)]
        self.expected: dict[str, Numbers] = {}

    def numbers(self, name: str, where: str) -> Numbers:
        """The numbers that a value's elements should hold, in its shape."""
        if name not in self.expected:
            value = self.plan.values[name]
            self.expected[name] = self._viewed(value, where).reshape(value.type.shape)
        return self.expected[name]

    def _viewed(self, value: Value, where: str) -> Numbers:
        if value.view is None:
            if value.name not in self.written:
                raise PlanError(f"%{value.name} is neither written nor a view", where=where)
            first = self.written.index(value.name) * _MOST_ELEMENTS
            return first + np.arange(value.type.elements)
        if value.name in self.written:
            raise PlanError(f"%{value.name} is a view, but a step writes it", where=where)
        operands = [self.numbers(name, where) for name in value.view.operands]
        types = tuple(self.plan.values[name].type for name in value.view.operands)
        return value.view.op.reference(operands, Signature(types, value.type))

    def rows(self, name: str) -> int:
        """The number of rows of a value: one unless it is an image."""
        return self.plan.values[name].rows

    def home(self, name: str) -> str:
        """The memory in which a value stands: the arena, or a buffer of the caller."""
        buffer = self.plan.buffers[self.plan.values[name].runs[0].buffer]
        return "arena" if buffer.in_arena else f"{buffer.kind} {buffer.name}"

    def places(self, name: str, first: int, end: int) -> Numbers:
        """The places of a value's rows in their memory: [rows, pixels of a row, channels].

        Places are counted in elements of the value's own size.
        """
        value = self.plan.values[name]
        buffer = self.plan.buffers[value.runs[0].buffer]
        channels = value.type.shape[-1]
        places = np.zeros(channels, np.int64)
        for run in value.runs:
            held = run.at + run.step * np.arange(run.channels)
            places[held] = run.first + np.arange(run.channels)
        start = buffer.offset // buffer.element_bytes
        if not is_image(value.type.shape) or self.plan.is_recut(name):
            pixels = np.arange(value.type.elements // channels).reshape(value.rows, -1)
            pitch = self.plan.cut_channels(name) or buffer.pitch
            return start + pixels[first:end, :, None] * pitch + places
        slots = (np.arange(first, end) * value.slots.step + value.slots.first) % buffer.rows
        pixel = slots[:, None] * buffer.row_pixels + buffer.margin - value.slots.shift
        pixel = pixel + np.arange(value.type.shape[2])
        return start + pixel[:, :, None] * buffer.pitch + places

    def memory(self, name: str) -> Numbers:
        """The numbers of the memory in which a value stands: a view."""
        buffer = self.plan.buffers[self.plan.values[name].runs[0].buffer]
        return self.arena if buffer.in_arena else self.caller[buffer.name]

    def write(self, name: str, first: int, end: int) -> None:
        """Let a step, or the caller, write rows of a value."""
        at = self.places(name, first, end)
        numbers = self.numbers(name, f"%{name}").reshape(self.rows(name), *at.shape[1:])
        for cells in self._cells(name, at):
            self.memory(name)[cells] = numbers[first:end]

    def size(self, name: str) -> int:
        """Bytes of an element."""
        return self.plan.values[name].type.element.bytes

    def met(self, read: tuple[str, int, int], written: tuple[str, int, int]) -> str | None:
        """The fault if rows of two values share memory, whose elements differ in size, or None."""
        cells = [
            np.concatenate([c.ravel() for c in self._cells(name, self.places(name, *rows))])
            for name, *rows in (read, written)
        ]
        shared = np.isin(cells[1], cells[0]).any()
        return "elements of another size must stand apart" if shared else None

    def _cells(self, name: str, places: Numbers) -> list[Numbers]:
        """The first cells of elements, then the second ones, and so on."""
        count = self.size(name) // self.cell
        return [places * count + n for n in range(count)]

    def keeps_sums(self, step: Step) -> bool:
        """Whether sums of rows wait in scratch, since the result is of another type."""
        result = self.plan.values[step.writes].type
        in_bands = step.rows < height(self.plan, step)
        return step.op.sums_rows and in_bands and step.op.sum_type(result) != result

    def sums(self, step: Step) -> int:
        """The number of all cells that hold sums of a step."""
        return -2 - self.written.index(step.writes)

    def fill(self, scratch: str | None, number: int) -> None:
        """Let a step use its scratch, whatever stands there."""
        self._scratch(scratch)[:] = number

    def check_sums(self, step: Step) -> None:
        """Scratch must hold what the step's last band left there."""
        found = self._scratch(step.scratch)
        lost = np.flatnonzero(found != self.sums(step))
        if not len(found) or len(lost):
            raise PlanError(
                "the sums of the step's rows are lost between its bands",
                where=f"step %{step.name}",
                expected=f"scratch that keeps the sums of %{step.name}",
                found=self._describe(int(found[lost[0]])) if len(found) else "none",
            )

    def _scratch(self, scratch: str | None) -> Numbers:
        """The cells of a buffer that holds no values; none without one."""
        if scratch is None:
            return self.arena[:0]
        buffer = self.plan.buffers[scratch]
        begin, end = buffer.offset, buffer.offset + buffer.bytes
        return self.arena[begin // self.cell : end // self.cell]

    def check(self, name: str, first: int, end: int, where: str) -> None:
        """Rows of a value must be those that it stands for."""
        at = self.places(name, first, end)
        numbers = self.numbers(name, where).reshape(self.rows(name), *at.shape[1:])
        expected = numbers[first:end]
        for cells in self._cells(name, at):
            found = self.memory(name)[cells]
            wrong = np.flatnonzero(found != expected)
            if not len(wrong):
                continue
            element = int(wrong[0])
            raise PlanError(
                f"%{name} is read, but its element {element} from row {first} does not hold it",
                where=where,
                expected=self._describe(int(expected.flat[element])),
                found=self._describe(int(found.flat[element])),
            )

    def _describe(self, number: int) -> str:
        if number == _NOBODY:
            return "never written"
        if number < _NOBODY:
            return f"sums of %{self.written[-2 - number]}"
        value, element = divmod(number, _MOST_ELEMENTS)
        return f"element {element} of %{self.written[value]}"
