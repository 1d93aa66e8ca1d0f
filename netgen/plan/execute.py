"""The plan interpreter: executes a plan in NumPy on one poisoned byte arena.

Values are read and written through their runs, buffers and offsets alone, so a wrong offset, life
or overlap gives wrong numbers, or NaN. Operators mean what their NumPy reference says, in float64,
and every result is rounded to float32 when it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from netgen.errors import InputError, PlanError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.window import Window
from netgen.plan.plan import Buffer, Overlap, Plan, Step

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# Four of these bytes are a NaN.
_POISON = 0xFF


def execute(plan: Plan, graph: Graph, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Floats]:
    """All values by name, inputs included, each as it stood in memory right after it was written.

    `inputs` maps each input's name to an array of its shape; `graph` holds the constants. Raises
    InputError for missing or misshapen inputs, PlanError where a step has no order of execution.
    """
    memory = Memory(plan)
    found: dict[str, Floats] = {}
    for name in plan.inputs:
        memory.write(name, _input(plan, name, inputs))
        found |= memory.read_beside(name)
    overlaps = {overlap.step: overlap for overlap in plan.overlaps}
    for index, step in enumerate(plan.steps):
        _run(memory, graph, step, overlaps.get(index))
        found |= memory.read_beside(step.writes)
        memory.poison_dead(index)
    return found


def _input(plan: Plan, name: str, inputs: Mapping[str, npt.ArrayLike]) -> Floats:
    if name not in inputs:
        raise InputError(f"no array for the input %{name}")
    array = np.asarray(inputs[name], np.float32)
    expected = plan.values[name].type.shape
    if array.shape != expected:
        raise InputError(
            f"the array for the input %{name} has the wrong shape",
            expected=str(list(expected)),
            found=str(list(array.shape)),
        )
    return array


class Memory:
    """One arena of bytes and the caller's buffers, all poisoned, and the values that live there."""

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

    def _runs(self, name: str) -> list[Floats]:
        """The live elements of a value's runs, each [pixels, channels of the run]: views."""
        value = self.plan.values[name]
        views: list[Floats] = []
        for run in value.runs:
            buffer = self.plan.buffers[run.buffer]
            elements = self.bytes(buffer).view(np.float32)
            if len(value.runs) == 1 and value.type.bytes == buffer.bytes:
                # The whole buffer, whatever its pitch: a reshape of what was written there.
                views.append(elements.reshape(-1, run.channels))
                continue
            pixels = elements.reshape(-1, buffer.pitch)
            views.append(pixels[:, run.first : run.first + run.channels])
        return views

    def read(self, name: str) -> Floats:
        """A value's elements now, in its logical shape and channel order: a copy."""
        shape = self.plan.values[name].type.shape
        return np.concatenate(self._runs(name), axis=1).reshape(shape)

    def write(self, name: str, array: npt.NDArray[np.floating]) -> None:
        """Store a whole value, rounded to float32."""
        flat = array.astype(np.float32).reshape(-1, array.shape[-1])
        first = 0
        for run in self._runs(name):
            run[:] = flat[:, first : first + run.shape[1]]
            first += run.shape[1]

    def poison(self, name: str) -> None:
        """Make a value's elements NaN."""
        for run in self._runs(name):
            run[:] = np.nan

    def poison_dead(self, index: int) -> None:
        """Poison what died at a step, but for bytes of buffers that live on."""
        arena = [buffer for buffer in self.plan.buffers.values() if buffer.kind == "arena"]
        alive = [buffer for buffer in arena if buffer.first <= index < buffer.last]
        for dead in arena:
            if dead.last != index:
                continue
            gone = np.ones(dead.bytes, np.bool_)
            for buffer in alive:
                begin, end = buffer.offset - dead.offset, buffer.offset - dead.offset + buffer.bytes
                gone[max(begin, 0) : max(end, 0)] = False
            self.bytes(dead)[gone] = _POISON

    def read_beside(self, name: str) -> dict[str, Floats]:
        """A value that was just written, and all reshapes of it."""
        buffers = {run.buffer for run in self.plan.values[name].runs}
        written = {step.writes for step in self.plan.steps} | set(self.plan.inputs)
        return {
            other: self.read(other)
            for other, value in self.plan.values.items()
            if other == name
            or (other not in written and {run.buffer for run in value.runs} == buffers)
        }


def _run(memory: Memory, graph: Graph, step: Step, overlap: Overlap | None) -> None:
    """Execute one step; where its output takes an operand's place, in the order of the kernel."""
    constants = {
        letter: graph.constant(name).astype(np.float64) for letter, name in step.constants.items()
    }
    if overlap is not None and isinstance(step.op, DepthwiseConv2d) and overlap.letter == "x":
        _run_depthwise_in_place(memory, step, step.op, constants, overlap)
        return
    if overlap is None:
        # The kernel may write before it has read everything: what it writes over is lost.
        memory.poison(step.writes)
    elif overlap.distance:
        raise PlanError(
            f"{step.op.operator_name} gives no order in which it could overwrite {overlap.letter}",
            where=f"step %{step.name}",
        )
    operands = {a: memory.read(name).astype(np.float64) for a, name in step.reads.items()}
    operands |= constants
    memory.write(step.writes, compute_band(step, operands, range(step.rows)))


def compute_band(step: Step, operands: Mapping[str, Array], rows: range) -> Array:
    """The output rows `rows` of a step, shaped as its result but for the number of rows.

    Operands are whole and by letter. Steps that have no rows to choose from are computed whole.
    """
    if isinstance(step.op, Conv2d | DepthwiseConv2d):
        shape = operands["w"].shape
        window = step.op.window(shape)
        x, w = operands["x"], operands["w"]
        reach = window.dilation[1] * (window.size[1] - 1) + 1
        width = x.shape[2] + window.pad[2] + window.pad[3]
        columns = range((width - reach) // window.stride[1] + 1)
        patch = window_patch(x, window, rows, columns)
        rest = [operands[letter] for letter in step.op.operand_names[2:] if letter in operands]
        if len(rest) > 1:
            rest[1] = rest[1][:, rows.start : rows.stop]
        return replace(step.op, pad=(0, 0, 0, 0)).reference([patch, w, *rest])
    if rows != range(step.rows):
        raise PlanError(
            f"{step.op.operator_name} is not computed in bands", where=f"step %{step.name}"
        )
    letters = [letter for letter in step.op.letters(len(operands)) if letter in operands]
    return step.op.reference([operands[letter] for letter in letters])


def window_patch(x: npt.NDArray[np.floating], window: Window, rows: range, columns: range) -> Array:
    """The inputs that a rectangle of outputs needs: (1, h, w, C), zero outside the image."""
    begins, ends = [], []
    for axis, outputs in ((0, rows), (1, columns)):
        reach = (window.size[axis] - 1) * window.dilation[axis] + 1
        begins.append(outputs.start * window.stride[axis] - window.pad[2 * axis])
        ends.append((outputs.stop - 1) * window.stride[axis] - window.pad[2 * axis] + reach)
    patch = np.zeros((1, ends[0] - begins[0], ends[1] - begins[1], x.shape[3]))
    top, left = max(begins[0], 0), max(begins[1], 0)
    inside = x[:, top : max(ends[0], 0), left : max(ends[1], 0)]
    _, height, width, _ = inside.shape
    if inside.size:
        i, j = top - begins[0], left - begins[1]
        patch[:, i : i + height, j : j + width] = inside
    return patch


def _run_depthwise_in_place(
    memory: Memory,
    step: Step,
    op: DepthwiseConv2d,
    constants: Mapping[str, Array],
    overlap: Overlap,
) -> None:
    """Row by row, each output computed from the memory as it is at that moment.

    At a distance of whole pixels channels cannot meet each other, and all are computed at once;
    otherwise one after the other along each row, as a kernel does that goes along rows.
    """
    plan = memory.plan
    x = _image(memory, step.reads["x"])
    y = _image(memory, step.writes)
    window = op.window(constants["w"].shape)
    point = replace(op, stride=(1, 1), pad=(0, 0, 0, 0))
    channels = y.shape[3]
    whole = overlap.distance % (4 * plan.buffer_of(step.reads["x"]).pitch) == 0
    groups = [slice(None)] if whole else [slice(c, c + 1) for c in range(channels)]
    for i in range(y.shape[1]):
        for group in groups:
            weights = [constants[a][group] for a in op.operand_names if a in constants]
            for j in range(y.shape[2]):
                patch = window_patch(x[..., group], window, range(i, i + 1), range(j, j + 1))
                y[:, i, j, group] = point.reference([patch, *weights])[:, 0, 0]


def _image(memory: Memory, name: str) -> Floats:
    """The live elements of a dense value, in its shape."""
    buffer = memory.plan.buffer_of(name)
    return memory.bytes(buffer).view(np.float32).reshape(memory.plan.values[name].type.shape)
