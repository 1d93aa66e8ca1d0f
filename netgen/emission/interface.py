"""The interface of the C: ports, the place of the image, the size of `model_t`."""

from __future__ import annotations

from dataclasses import dataclass

from netgen.emission.c_types import C_TYPES
from netgen.errors import PlanError
from netgen.ir.tensor_type import ELEMENTS
from netgen.plan.data.execution_order import execution_order, height
from netgen.plan.data.options import Image
from netgen.plan.data.plan import Plan

# The most that `model_t` has in bytes, but for what it counts while rows are pushed.
_MODEL_BYTES = 128
# As many as an `int` of 16 bits, as AVR has it, can count.
_FEW_BYTES = 2**15


@dataclass(frozen=True)
class Port:
    """An input or output of the network as C names it; the C only `reads` an input."""

    value: str
    variable: str
    macro: str
    dtype: str
    reads: bool

    @property
    def c_type(self) -> str:
        """The C type of its elements."""
        return C_TYPES[self.dtype].name

    @property
    def bytes(self) -> int:
        """The bytes of one element."""
        return ELEMENTS[self.dtype].bytes

    @property
    def parameter(self) -> str:
        """The pointer to it among the parameters of a function."""
        return f"{'const ' if self.reads else ''}{self.c_type} *{self.variable}"


def input_ports(plan: Plan) -> list[Port]:
    """The inputs, in order: `input`, or `input1`, `input2`, ..."""
    return _ports(plan, plan.inputs, "input", reads=True)


def output_ports(plan: Plan) -> list[Port]:
    """The outputs, in order."""
    return _ports(plan, plan.outputs, "output", reads=False)


def _ports(plan: Plan, values: tuple[str, ...], kind: str, *, reads: bool) -> list[Port]:
    names = [f"{kind}{number}" for number in range(1, len(values) + 1)]
    return [
        Port(value, name, name.upper(), plan.values[value].type.dtype, reads)
        for value, name in zip(values, names if len(values) > 1 else [kind], strict=True)
    ]


def input_as(plan: Plan) -> Image:
    """The place of the image: the caller's memory, the arena, or rows that are pushed."""
    if plan.push_rows:
        return "rows"
    in_arena = any(plan.buffer_of(name).kind == "arena" for name in plan.inputs)
    return "arena" if in_arena else "caller"


def row_counters(plan: Plan) -> int:
    """The number of row counters in `model_t`: one per step that runs while rows are pushed."""
    return plan.segments[0].last + 1 if plan.push_rows else 0


def model_bytes(plan: Plan) -> int:
    """The most that `model_t` has in bytes, a multiple of 8; the C asserts it."""
    counters = ELEMENTS["i32"].bytes * row_counters(plan)
    return _MODEL_BYTES + -(-counters // 8) * 8


def int_bytes(plan: Plan) -> int:
    """The bytes that an `int` must have, which counts elements: 4, or 2 where all are few."""
    memory = [plan.certificate.arena_bytes, plan.weights_bytes, plan.caller_bytes()]
    return 2 if max(memory) < _FEW_BYTES else 4


@dataclass(frozen=True)
class PushedMacs:
    """Multiply-accumulates by cause: `row`, one pushed row at worst; `finish`, behind the last."""

    row: int
    finish: int


def pushed_macs(plan: Plan) -> PushedMacs:
    """The MACs that one pushed row causes at worst, and those that are left to the end."""
    worst = since_row = finish = 0
    for band in execution_order(plan):
        if band.step < 0:
            since_row = 0
            continue
        step = plan.steps[band.step]
        macs = step.macs * (band.end - band.first) // height(plan, step)
        if band.step > plan.segments[0].last:
            finish += macs
        else:
            since_row += macs
            worst = max(worst, since_row)
    return PushedMacs(worst, finish)


def starts_before_rows(plan: Plan) -> bool:
    """Whether some band needs no row of the pushed input: one of padding alone."""
    return plan.push_rows and next(execution_order(plan)).step >= 0


def check_pushed_outputs(plan: Plan) -> None:
    """Raise PlanError where rows of an output appear before the caller says where it goes."""
    for step in plan.steps[: plan.segments[0].last + 1]:
        if plan.push_rows and not plan.buffer_of(step.writes).in_arena:
            raise PlanError(
                "an output is written while rows are pushed, but its place is known at the end",
                where=f"step %{step.name}",
                hint="end the segment before this step, or copy the output in a step of its own",
            )
