"""The plan's data: values in buffers, steps that call kernel instances, offsets with a certificate.

It prints (`plan/show.py`), has one JSON form (`plan/json/plan_to_json.py`), is judged by an
independent checker (`plan/check/check_plan.py`) and can be executed in NumPy
(`plan/execute/interpreter.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from netgen.ir.operator import Operator
from netgen.ir.rows import is_image, recuts, rows_of
from netgen.ir.tensor_type import TensorType
from netgen.kernels.layer import Choice, Instance
from netgen.kernels.layout import ChannelRun, Layout, Places
from netgen.plan.data.alignment import round_up

VERSION = 3
# Of the arena and of all weights, as of each value: C's `int` and a `size_t` of 32 bits hold it.
MOST_BYTES = 2**31 - 1
# The element type of the one array as which the C declares all weights, where they are no C arrays.
WEIGHTS_ELEMENT = "f32"


@dataclass(frozen=True)
class BufferRun:
    """Consecutive places of a buffer's pixels from `first` on: channels `at`, `at + step`, ..."""

    buffer: str
    first: int
    channels: int
    at: int = 0
    step: int = 1


@dataclass(frozen=True)
class Slots:
    """Row i of a value stands in slot (i * `step` + `first`) modulo the slots of its buffer.

    It starts `shift` pixels before the slot's first pixel, in the slot's margin: the rows of a
    depthwise convolution take the place of rows that it has just read last.
    """

    step: int = 1
    first: int = 0
    shift: int = 0


@dataclass(frozen=True)
class View:
    """The origin of a value that no step computes: a channel map, or a reshape, of other values."""

    op: Operator
    operands: tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """An activation: its logical type, the runs of one buffer that hold its channels, its rows."""

    name: str
    type: TensorType
    runs: tuple[BufferRun, ...]
    view: View | None = None
    slots: Slots = Slots()

    @property
    def rows(self) -> int:
        """The number of its rows: one unless it is an image."""
        return rows_of(self.type.shape)


@dataclass(frozen=True)
class Buffer:
    """Memory of one or more values, or what a step needs for itself: its scratch.

    `kind` is `arena`, `state` for what lives between runs as well, at the arena's beginning, or
    `input` and `output` for the caller's own memory, whose offset is 0. It
    has `rows` slots for rows, fewer than its values have where it is a ring; a slot has `margin`
    spare pixels, then those of a row, `row_pixels` together, of `pitch` elements each, of
    `element_bytes`. Alive from segment `first` to segment `last`, both included; an input is alive
    before segment 0 as well. Runs of channels start at multiples of `granularity`, as the pitch is
    one. Codes stand as code + `bias`, modulo the element's range: 128 makes unsigned bytes of
    signed ones.
    """

    name: str
    kind: str
    bytes: int
    element_bytes: int
    pitch: int
    first: int
    last: int
    offset: int
    rows: int
    row_pixels: int
    margin: int = 0
    granularity: int = 1
    bias: int = 0

    @property
    def in_arena(self) -> bool:
        """Whether it stands in the arena, between runs as well or not."""
        return self.kind in {"arena", "state"}


@dataclass(frozen=True)
class PlannedState:
    """A value that lives between runs, and the value that takes its place in the end of one.

    Both stand in the same places. `initial` are its elements before the first run, as they stand,
    behind the weights of steps; without it they are zero, of codes the zero point.
    """

    value: str
    next: str
    initial: PackedWeights | None = None


@dataclass(frozen=True)
class Rectangle:
    """One block of the arena's memory, alive from segment `first` to segment `last`.

    It holds one buffer, or several that deliberately overlap.
    """

    buffers: tuple[str, ...]
    bytes: int
    first: int
    last: int
    offset: int


@dataclass(frozen=True)
class Overlap:
    """In `segment` the value `result` takes the place of `operand`, which nobody reads afterwards.

    The result's buffer starts `distance` bytes before the operand's (0: at the same place).
    """

    segment: int
    operand: str
    result: str
    distance: int


@dataclass(frozen=True)
class Segment:
    """Steps `first` to `last`, executed band by band, in the order of `execution_order.py`."""

    first: int
    last: int


@dataclass(frozen=True)
class PackedWeights:
    """The place of a step's packed constants, in bytes from the start of all weights."""

    offset: int
    bytes: int


@dataclass(frozen=True)
class Constant:
    """A constant that a step reads: its name in the graph, and its type."""

    name: str
    type: TensorType


@dataclass(frozen=True)
class Step:
    """Calls of a kernel instance, each over a band of `rows` rows of the result.

    A global average goes through the rows of what it reads. `reads` maps the letters of the formula
    to values, `constants` to constants of the graph. `scratch` is the buffer that a call has for
    itself, if it needs any; some kernels keep sums there from band to band. `choice` is how the
    kernel goes about it, where that is not the way that it would take by itself. `sizes` are passed
    to an instance that several shapes share.
    """

    name: str
    op: Operator
    kernel: str
    numeric_form: str
    instance: int
    reads: Mapping[str, str]
    constants: Mapping[str, Constant]
    writes: str
    weights: PackedWeights | None
    macs: int
    rows: int
    scratch: str | None
    choice: Choice | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Certificate:
    """The arena's size, the least that any placement of these rectangles needs, and the order.

    `lower_bound` is the largest sum of bytes alive in one segment; `gap` is how far above it the
    placement is: with 0 the placement is proven optimal for this schedule and these overlaps.
    """

    arena_bytes: int
    lower_bound_bytes: int
    gap_bytes: int


@dataclass(frozen=True)
class Plan:
    """A compiled network before it is written as C.

    The arena's first `fast_bytes` are in the fast region of RAM, where there are two; else all are.
    Calls of instances that have a `split` are made in `threads` parts, which may run at once.
    The buffers of `states` are the arena's first `state_bytes`.
    """

    network: str
    target: str
    alignment: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Mapping[str, Value]
    buffers: Mapping[str, Buffer]
    rectangles: tuple[Rectangle, ...]
    overlaps: tuple[Overlap, ...]
    instances: tuple[Instance, ...]
    steps: tuple[Step, ...]
    segments: tuple[Segment, ...]
    push_rows: bool
    certificate: Certificate
    fast_bytes: int
    weights_bytes: int
    threads: int = 1
    states: tuple[PlannedState, ...] = ()

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the steps execute."""
        return sum(step.macs for step in self.steps)

    @property
    def bytes_moved(self) -> int:
        """Bytes written by steps that only move data: maps that are copied, layout changes."""
        return sum(self.values[step.writes].type.bytes for step in self.steps if step.op.moves_only)

    @property
    def assignments(self) -> tuple[Step, ...]:
        """Steps that only move to its place what a state becomes."""
        following = {state.next for state in self.states}
        return tuple(s for s in self.steps if s.op.moves_only and s.writes in following)

    def buffer_of(self, value: str) -> Buffer:
        """The buffer of a value."""
        return self.buffers[self.values[value].runs[0].buffer]

    def layout(self, value: str) -> Layout:
        """The places of a value's channels in its pixels.

        A reshape that cuts its buffer's elements anew is dense, and what shows channels of it has
        its pixels.
        """
        runs, kind = self.values[value].runs, self.values[value].type
        buffer = self.buffers[runs[0].buffer]
        return Layout(
            self.cut_channels(value) or buffer.pitch,
            tuple(ChannelRun(run.first, run.channels, run.at, run.step) for run in runs),
            buffer.granularity,
            kind.element.wrap(kind.zero + buffer.bias) if buffer.bias else kind.zero,
            buffer.bias,
        )

    def is_recut(self, value: str) -> bool:
        """Whether a value is a reshape that cuts what it shows anew, or shows channels of one."""
        return self.cut_channels(value) is not None

    def cut_channels(self, value: str) -> int | None:
        """The places of a pixel as a reshape cuts them, into other pixels or rows; else None."""
        base = self.values[value]
        while base.view is not None and base.view.op.view_of == "elements":
            base = self.values[base.view.operands[0]]
        if recuts(base.type.shape, self.values[value].type.shape):
            return self.values[value].type.shape[-1]
        # Channels of several values are joined in pixels of their own only.
        operands = base.view.operands if base.view is not None else ()
        return self.cut_channels(operands[0]) if len(operands) == 1 else None

    def elements(self, value: str, first: int, end: int) -> Places:
        """The places of a value's rows `first` to `end`, in elements of their buffer's memory.

        [rows, pixels of a row, channels]; a value that has no rows counts as one.
        """
        held = self.values[value]
        kind, slots = held.type, held.slots
        buffer = self.buffer_of(value)
        layout = self.layout(value)
        places = layout.places()
        if self.is_recut(value) or not is_image(kind.shape):
            pixels = np.arange(kind.elements // len(places)).reshape(held.rows, -1)[first:end]
        else:
            rows = (np.arange(first, end) * slots.step + slots.first) % buffer.rows
            start = rows * buffer.row_pixels + buffer.margin - slots.shift
            pixels = start[:, None] + np.arange(kind.shape[2])
        return pixels[:, :, None] * layout.pitch + places

    def layouts(self, step: Step) -> dict[str, Layout]:
        """The layouts of a step's activations by letter, `y` for the result."""
        layouts = {letter: self.layout(value) for letter, value in step.reads.items()}
        return layouts | {"y": self.layout(step.writes)}

    @property
    def slow_bytes(self) -> int:
        """Bytes of the arena in the slow region of RAM."""
        return self.certificate.arena_bytes - self.fast_bytes

    @property
    def state_bytes(self) -> int:
        """Bytes at the arena's beginning that live between runs."""
        kept = [buffer for buffer in self.buffers.values() if buffer.kind == "state"]
        return max((b.offset + round_up(b.bytes, self.alignment) for b in kept), default=0)

    def caller_bytes(self) -> int:
        """Bytes of the caller's input and output buffers."""
        return sum(b.bytes for b in self.buffers.values() if not b.in_arena)
