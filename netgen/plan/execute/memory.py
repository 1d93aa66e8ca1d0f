"""The memory of the plan interpreter: one arena of bytes and the caller's buffers, all poisoned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.ir.rows import Reach, is_image, rows_of
from netgen.ir.tensor_type import Array, TensorType
from netgen.kernels.layout import Places
from netgen.plan.data.execution_order import Band
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Buffer, Plan, Step
from netgen.plan.data.states import initial_elements

# Floats of these bytes are NaN; for integers memory remembers which bytes were written.
_POISON = 0xFF


# No buffer has such a name: it is no value's.
_ARENA = ":arena"


def poisoned(kind: TensorType) -> Array:
    """An array that holds nothing yet: NaN, of codes the lowest."""
    element = kind.element
    empty = np.nan if element.is_float else element.low
    return np.full(kind.shape, empty, element.storage)


def _biased(array: Array, bias: int) -> Array:
    """Codes as they are stored: with a bias added, modulo the element's range. Floats have none."""
    if not bias or np.issubdtype(array.dtype, np.floating):
        return array
    unsigned = np.dtype(f"<u{array.itemsize}")
    shifted: Array = array.view(unsigned) + np.array(bias % 2 ** (8 * array.itemsize), unsigned)
    return shifted.view(array.dtype)


class Memory:
    """Reads and writes rows of values where the plan says that they stand."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._sizes = {b.name: b.bytes for b in plan.buffers.values() if not b.in_arena}
        self._sizes[_ARENA] = plan.certificate.arena_bytes
        self._bytes = {name: np.full(size, _POISON, np.uint8) for name, size in self._sizes.items()}
        self._written = {name: np.zeros(size, np.bool_) for name, size in self._sizes.items()}

    def _span(self, buffer: Buffer) -> tuple[str, slice]:
        """The memory of a buffer, and its bytes there. Raises PlanError outside the arena."""
        if not buffer.in_arena:
            return buffer.name, slice(0, buffer.bytes)
        end = buffer.offset + buffer.bytes
        if buffer.offset < 0 or end > self._sizes[_ARENA]:
            raise PlanError("the buffer leaves the arena", where=f"buffer {buffer.name}")
        return _ARENA, slice(buffer.offset, end)

    def poison(self, buffer: Buffer, which: npt.NDArray[np.bool_]) -> None:
        """Make bytes of a buffer such as nobody may read."""
        name, span = self._span(buffer)
        self._bytes[name][span][which] = _POISON
        self._written[name][span][which] = False

    def load(self, value: str, at: Places) -> Array:
        """Elements of a value at places of its buffer, as they stand but for the layout's bias.

        Raises PlanError for integers that nobody has written: no code tells by itself.
        """
        buffer, element = self.plan.buffer_of(value), self.plan.values[value].type.element
        name, span = self._span(buffer)
        found: Array = self._bytes[name][span].view(element.storage)[at]
        if element.is_float:
            return found
        if not self._written[name][span][:: element.bytes][at].all():
            raise PlanError(f"%{value} is read where nobody has written", where=buffer.name)
        return _biased(found, -buffer.bias)

    def store(self, value: str, at: Places, array: Array) -> None:
        """Put elements, given in their storage type, at places of a value's buffer."""
        self._place(value, at, _biased(array, self.plan.buffer_of(value).bias))

    def _place(self, value: str, at: Places, array: Array) -> None:
        """Put elements, as they stand in memory, at places of a value's buffer."""
        buffer, element = self.plan.buffer_of(value), self.plan.values[value].type.element
        name, span = self._span(buffer)
        self._bytes[name][span].view(element.storage)[at] = array
        if not element.is_float:
            for byte in range(element.bytes):
                self._written[name][span][byte :: element.bytes][at] = True

    def rows(self, value: str) -> int:
        """The number of rows of a value: one unless it is an image."""
        return self.plan.values[value].rows

    def read(self, value: str, first: int, end: int) -> Array:
        """Rows `first` to `end` of a value now, in its logical shape but for the rows: a copy."""
        shape = self.plan.values[value].type.shape
        rows = self.load(value, self.plan.elements(value, first, end))
        return rows.reshape(1, end - first, *shape[2:]) if is_image(shape) else rows.reshape(shape)

    def read_into(self, array: Array, value: str, rows: slice) -> None:
        """Copy rows of a value into an array of all of them."""
        first, end, _ = rows.indices(self.rows(value))
        if is_image(array.shape):
            array[:, first:end] = self.read(value, first, end)
        else:
            array[:] = self.read(value, 0, 1)

    def read_reached(self, value: str, reach: Reach | None, band: Band) -> Array:
        """All of a value, poisoned in the rows that a band does not need: NaN, of codes the lowest.

        It may not look at them.
        """
        rows = self.rows(value)
        begin = 0 if reach is None else reach.begin(band.first, rows)
        end = rows if reach is None else reach.end(band.end, rows)
        array = poisoned(self.plan.values[value].type)
        if begin < end:
            self.read_into(array, value, slice(begin, end))
        return array

    def write(self, value: str, first: int, array: Array) -> None:
        """Store rows of a value from row `first` on, floats rounded."""
        rows = rows_of(array.shape)
        at = self.plan.elements(value, first, first + rows)
        stored = self.plan.values[value].type.element.store(array)
        self.store(value, at, stored.reshape(at.shape))

    def reset(self, graph: Graph) -> None:
        """Let the states be what they are before the first run."""
        for state in self.plan.states:
            at = self.plan.elements(state.value, 0, self.rows(state.value))
            self._place(
                state.value, at, initial_elements(self.plan, graph, state).reshape(at.shape)
            )

    def keep_states(self) -> None:
        """Poison all but the states, as between two runs anyone may who uses the memory."""
        held = {
            s.value: self.load(s.value, self.plan.elements(s.value, 0, self.rows(s.value)))
            for s in self.plan.states
        }
        for name in self._bytes:
            self._bytes[name][:] = _POISON
            self._written[name][:] = False
        for name, array in held.items():
            self.store(name, self.plan.elements(name, 0, self.rows(name)), array)

    def poison_dead(self, segment: int) -> None:
        """Poison what died in a segment, but for bytes of buffers that live on."""
        arena = [buffer for buffer in self.plan.buffers.values() if buffer.in_arena]
        alive = [buffer for buffer in arena if buffer.first <= segment < buffer.last]
        for dead in arena:
            if dead.last != segment:
                continue
            gone = np.ones(dead.bytes, np.bool_)
            for buffer in alive:
                begin, end = buffer.offset - dead.offset, buffer.offset - dead.offset + buffer.bytes
                gone[max(begin, 0) : max(end, 0)] = False
            self.poison(dead, gone)

    def poison_scratch(self, step: Step) -> None:
        """Poison what a step has for itself: nothing that lives may stand there."""
        if step.scratch is not None:
            scratch = self.plan.buffers[step.scratch]
            self.poison(scratch, np.ones(scratch.bytes, np.bool_))

    def read_sums(self, step: Step, kind: TensorType) -> Array:
        """The sums of rows that a band has left in its step's scratch.

        Raises PlanError where there is none, or others have written there.
        """
        name, span = self._sums(step, kind)
        if not self._written[name][span].all():
            raise PlanError("the sums of rows are not there any more", where=f"step %{step.name}")
        found = self._bytes[name][span].view(kind.element.storage).reshape(kind.shape)
        return found.astype(kind.element.working)

    def write_sums(self, step: Step, kind: TensorType, array: Array) -> None:
        """Leave sums of rows in a step's scratch."""
        name, span = self._sums(step, kind)
        self._bytes[name][span] = kind.element.store(array).reshape(-1).view(np.uint8)
        self._written[name][span] = True

    def _sums(self, step: Step, kind: TensorType) -> tuple[str, slice]:
        """The memory of a step's sums, and their bytes there."""
        if step.scratch is None or self.plan.buffers[step.scratch].bytes < kind.bytes:
            raise PlanError("sums of rows have no scratch to wait in", where=f"step %{step.name}")
        name, span = self._span(self.plan.buffers[step.scratch])
        return name, slice(span.start, span.start + kind.bytes)

    def meets(self, step: Step, band: Band) -> bool:
        """Whether a band's result stands on bytes of the rows of x that it reads."""
        plan, x = self.plan, step.reads["x"]
        home, result = plan.buffer_of(x), plan.buffer_of(step.writes)
        # Elements of other sizes never share memory, as the checker has found.
        if not (home.in_arena and result.in_arena) or home.element_bytes != result.element_bytes:
            return False
        reach = step.op.row_reach("x", operand_types(plan, step), plan.values[step.writes].type)
        assert reach is not None
        begin, end = reach.begin(band.first, self.rows(x)), reach.end(band.end, self.rows(x))
        read = plan.elements(x, begin, end) + home.offset // home.element_bytes
        written = plan.elements(step.writes, band.first, band.end)
        written = written + result.offset // result.element_bytes
        return bool(np.isin(written, read).any())
