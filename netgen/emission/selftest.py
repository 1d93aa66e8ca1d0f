"""The self-test of the C: an input that a small generator makes, and what each step makes of it.

Codes are compared by the CRC-32 of all rows, floats by a sum with signs of the same generator: all
but the smallest errors move it. The plan's interpreter says what is right, so the test shares no
code with kernels.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgen.emission.interface import input_as, input_ports, output_ports
from netgen.emission.places import region_of
from netgen.emission.words import literal, string_text
from netgen.errors import UsageError
from netgen.ir.graph import Graph
from netgen.ir.interpret import rounded_values
from netgen.ir.rows import is_image
from netgen.ir.tensor_type import Array, TensorType
from netgen.plan.data.execution_order import height
from netgen.plan.data.plan import Plan, Step
from netgen.plan.execute.interpreter import execute

# The generator x = FACTOR x + TERM modulo 2^32 (Knuth's constants for 32 bits).
_FACTOR, _TERM, SEED = 1664525, 1013904223, 1
# Of the length of a layer as a vector. Compilers differ by some 1e-6, rounded codes of floats by a
# last bit here and there.
_TOLERANCE, _TOLERANCE_OF_ROUNDED = 3e-4, 3e-2
_TAKEN = ("f32", "i8", "u8")


@dataclass(frozen=True)
class TestedStep:
    """One step: where its rows stand, in elements, and the CRC-32 or the sum that they must have.

    `base` is an expression for its memory. Row i stands in slot i * `step` + `first`, modulo
    `slots`; a call computes `band` of the `rows` that it goes through, and after the last one there
    are `result_rows` to look at. `runs` are the places of consecutive channels, by their number in
    the table of all. Sums have a `tolerance`, CRCs 0.
    """

    name: str
    base: str
    is_float: int
    band: int
    rows: int
    result_rows: int
    step: int
    first: int
    slots: int
    row_elements: int
    start: int
    pixels: int
    pitch: int
    first_run: int
    end_run: int
    crc: str
    sum: str
    tolerance: str


@dataclass(frozen=True)
class SelfTest:
    """The test of a model: its steps, and all runs of channels as pairs of place and number."""

    steps: tuple[TestedStep, ...]
    runs: tuple[tuple[int, int], ...]
    codes: bool
    of_inputs: tuple[str, ...]


def generated(seed: int, count: int) -> npt.NDArray[np.uint32]:
    """So many numbers of the generator behind a seed."""
    factors = np.full(count + 1, _FACTOR, np.uint32)
    factors[0] = 1
    powers = np.cumprod(factors, dtype=np.uint32)
    sums = np.cumsum(powers[:-1], dtype=np.uint32)
    made: npt.NDArray[np.uint32] = powers[1:] * np.uint32(seed) + sums * np.uint32(_TERM)
    return made


def golden_inputs(plan: Plan) -> dict[str, Array]:
    """The inputs of the test, one behind the other from the generator. Raises UsageError for some.

    A float is a multiple of 2^-14 from -2 on, below 2.
    """
    found, seed = {}, SEED
    for port in input_ports(plan):
        kind = plan.values[port.value].type
        _require_taken(port.value, kind)
        numbers = generated(seed, kind.elements)
        seed = int(numbers[-1])
        if kind.element.is_float:
            array: Array = ((numbers >> 16).astype(np.float64) - 32768.0) / 16384.0
        else:
            array = (numbers >> 24).astype(np.int64) + kind.element.low
        found[port.value] = kind.element.store(array.reshape(kind.shape))
    return found


def _require_taken(name: str, kind: TensorType) -> None:
    if kind.dtype not in _TAKEN:
        raise UsageError(
            "the self-test has no sum for such elements",
            where=f"%{name}",
            expected=f"one of {', '.join(_TAKEN)}",
            found=kind.dtype,
            hint="leave out --selftest",
        )


def self_test(plan: Plan, graph: Graph) -> SelfTest:
    """The test of a plan of a fused graph. Raises UsageError where elements have no sum."""
    values, rounded = execute(plan, graph, golden_inputs(plan)), rounded_values(graph)
    runs: list[tuple[int, int]] = []
    steps = []
    for step in plan.steps:
        kind = plan.values[step.writes].type
        _require_taken(step.writes, kind)
        own = _channel_runs(plan, step.writes)
        if own not in (runs[n : n + len(own)] for n in range(len(runs))):
            runs += own
        at = next(n for n in range(len(runs)) if runs[n : n + len(own)] == own)
        exact = not kind.element.is_float and step.writes not in rounded
        ends = _expected(plan, step, values[step.writes], exact=exact)
        steps.append(_tested(plan, step, (at, at + len(own)), ends))
    return SelfTest(
        tuple(steps),
        tuple(runs),
        codes=any(step.tolerance == "0.0f" for step in steps),
        of_inputs=tuple(_filled(plan)),
    )


def _filled(plan: Plan) -> Iterator[str]:
    """The next element of each input, as an expression of the generator's number."""
    for port in input_ports(plan):
        if port.dtype == "f32":
            yield "((float)(seed >> 16) - 32768.0f) / 16384.0f"
        else:
            low = plan.values[port.value].type.element.low
            code = f"(int32_t)(seed >> 24) - {-low}" if low else "seed >> 24"
            yield f"({port.c_type})({code})"


def _channel_runs(plan: Plan, value: str) -> list[tuple[int, int]]:
    """Consecutive places that hold consecutive channels: the first, and how many."""
    runs: list[tuple[int, int]] = []
    for place in map(int, plan.layout(value).places()):
        if runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    return runs


def _expected(plan: Plan, step: Step, value: Array, *, exact: bool) -> tuple[str, str, str]:
    """The CRC-32, the sum and its tolerance as C; what does not count is zero."""
    kind = plan.values[step.writes].type
    stored = kind.element.store(value)
    numbers = stored.astype(np.float64).ravel()
    if not kind.element.is_float:
        content = stored.view(np.uint8) + np.uint8(plan.buffer_of(step.writes).bias % 256)
        if exact:
            return f"0x{zlib.crc32(content.tobytes()):08x}u", "0.0f", "0.0f"
        numbers = content.astype(np.float64).ravel() - 128.0
    signs = np.where(generated(SEED, numbers.size) >> 31, 1.0, -1.0)
    share = _TOLERANCE if kind.element.is_float else _TOLERANCE_OF_ROUNDED
    # Summed one by one, not by BLAS: the same on every machine.
    length = float(np.sqrt(np.cumsum(numbers * numbers)[-1]))
    total = float(np.cumsum(signs * numbers)[-1])
    return "0u", literal(total), literal(max(share * length, 1e-30))


def _tested(
    plan: Plan, step: Step, runs: tuple[int, int], expected: tuple[str, str, str]
) -> TestedStep:
    held, buffer = plan.values[step.writes], plan.buffer_of(step.writes)
    kind, slots, pitch = held.type, held.slots, plan.layout(step.writes).pitch
    if is_image(kind.shape) and not plan.is_recut(step.writes):
        pixels, row_elements = kind.shape[2], buffer.row_pixels * pitch
        start = (buffer.margin - slots.shift) * pitch
        modulo, by, first = buffer.rows, slots.step, slots.first
    else:
        pixels = kind.elements // kind.shape[-1] // held.rows
        row_elements, start = pixels * pitch, 0
        modulo, by, first = held.rows, 1, 0
    crc, total, tolerance = expected
    return TestedStep(
        name=string_text(step.name),
        base=_base(plan, step.writes),
        is_float=int(kind.element.is_float),
        band=step.rows,
        rows=height(plan, step),
        result_rows=held.rows if step.op.sums_rows else 0,
        step=by,
        first=first,
        slots=modulo,
        row_elements=row_elements,
        start=start,
        pixels=pixels,
        pitch=pitch,
        first_run=runs[0],
        end_run=runs[1],
        crc=crc,
        sum=total,
        tolerance=tolerance,
    )


def _base(plan: Plan, value: str) -> str:
    """The start of a value's buffer: in the arena, or in the caller's memory."""
    buffer = plan.buffer_of(value)
    if not buffer.in_arena:
        ports = {plan.buffer_of(p.value).name: p for p in (*output_ports(plan), *input_ports(plan))}
        return f"(const unsigned char *)run->{ports[buffer.name].variable}"
    region, offset = region_of(plan, buffer)
    start = f"(const unsigned char *)run->m->config.{region}"
    return f"{start} + {offset}" if offset else start


def test_context(plan: Plan, test: SelfTest | None) -> dict[str, object]:
    """The context of the test's functions, which header and source share."""
    inputs = input_ports(plan) if input_as(plan) != "arena" else []
    lent = ["row" if input_as(plan) == "rows" else port.variable for port in inputs]
    outputs = output_ports(plan)
    parameters = [f"{p.c_type} *{name}" for p, name in zip(inputs, lent, strict=True)]
    arguments = [*lent, *(port.variable for port in outputs)]
    return {
        "test": test,
        "test_inputs": input_ports(plan),
        "test_parameters": ", ".join([*parameters, *(port.parameter for port in outputs)]),
        "test_arguments": ", ".join(arguments),
        "test_null_checks": "".join(f" || {name} == NULL" for name in arguments),
        "held_ports": outputs,
    }
