"""The plan's data: values in buffers, steps that call kernel instances, offsets with a certificate.

It prints (`plan/show.py`), has one JSON form (`plan/json_form.py`), is judged by an independent
checker (`plan/check.py`) and can be executed in NumPy (`plan/execute.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.kernels.layer import Instance

VERSION = 1


@dataclass(frozen=True)
class Run:
    """Consecutive channels of a buffer's pixels, `first` the first."""

    buffer: str
    first: int
    channels: int


@dataclass(frozen=True)
class Value:
    """An activation: its logical type, and the runs that hold its channels in logical order."""

    name: str
    type: TensorType
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Buffer:
    """Memory of one or more values.

    `kind` is `arena`, or `input` and `output` for the caller's own memory, whose offset is 0.
    `pitch` is the number of channels from one pixel to the next. Alive from step `first` to step
    `last`, both included; an input is alive before step 0 as well.
    """

    name: str
    kind: str
    bytes: int
    pitch: int
    first: int
    last: int
    offset: int


@dataclass(frozen=True)
class Rectangle:
    """What the arena is packed with: buffers that deliberately overlap, as one block of memory."""

    buffers: tuple[str, ...]
    bytes: int
    first: int
    last: int
    offset: int


@dataclass(frozen=True)
class Overlap:
    """At `step` the output takes the place of an operand that nobody reads afterwards.

    The output starts `distance` bytes before the operand (0: at the same place).
    """

    step: int
    letter: str
    distance: int


@dataclass(frozen=True)
class PackedWeights:
    """Where a step's packed constants stand, in bytes from the start of all weights."""

    offset: int
    elements: int


@dataclass(frozen=True)
class Step:
    """One call of a kernel instance over a band of output rows.

    `reads` maps the letters of the formula to values, `constants` to constants of the graph.
    """

    name: str
    op: Operator
    kernel: str
    numeric_form: str
    instance: int
    reads: Mapping[str, str]
    constants: Mapping[str, str]
    writes: str
    weights: PackedWeights | None
    macs: int
    rows: int


@dataclass(frozen=True)
class Certificate:
    """The arena's size, the least that any placement of these rectangles needs, and the order.

    `lower_bound` is the largest sum of bytes alive in one step; `gap` is how far above it the
    placement is: with 0 the placement is proven optimal for this schedule and these overlaps.
    """

    arena_bytes: int
    lower_bound_bytes: int
    gap_bytes: int


@dataclass(frozen=True)
class Plan:
    """A compiled network before it is written as C."""

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
    certificate: Certificate
    weights_bytes: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the steps execute."""
        return sum(step.macs for step in self.steps)

    def buffer_of(self, value: str) -> Buffer:
        """The buffer of a value that stands in one run."""
        (run,) = self.values[value].runs
        return self.buffers[run.buffer]

    def caller_bytes(self) -> int:
        """Bytes of the caller's input and output buffers."""
        return sum(b.bytes for b in self.buffers.values() if b.kind != "arena")
