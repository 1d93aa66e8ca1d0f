"""Names for where things stand: results in the arena, packed weights in a blob."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from netgen.emission.interface import input_ports
from netgen.emission.weights import WeightArray
from netgen.emission.wrap import COLUMNS, INDENT
from netgen.ir.tensor_type import ELEMENTS
from netgen.kernels import find_kernel
from netgen.plan.data.plan import Buffer, Plan


@dataclass(frozen=True)
class Place:
    """A constant of C: the element of its region at which a buffer, or packed weights, begin."""

    name: str
    first: int


def region_of(plan: Plan, buffer: Buffer) -> tuple[str, int]:
    """The region of RAM that holds a buffer of the arena, and the buffer's first byte in it."""
    slow = buffer.offset >= plan.fast_bytes
    return ("slow_arena", buffer.offset - plan.fast_bytes) if slow else ("arena", buffer.offset)


def arena_places(plan: Plan, upper: str) -> dict[str, Place]:
    """The places of the arena's buffers, by buffer, in the order of the steps.

    A buffer is named by the step that writes it first, or whose scratch it is, or by the input, or
    by the first state in it.
    """
    places: dict[str, Place] = {}

    def add(buffer: Buffer, name: str, dtype: str) -> None:
        if buffer.in_arena and buffer.name not in places:
            _, offset = region_of(plan, buffer)
            first = offset // ELEMENTS[dtype].bytes
            places[buffer.name] = Place(f"{upper}_{name}", first)

    for number, state in enumerate(plan.states):
        dtype = plan.values[state.value].type.dtype
        add(plan.buffer_of(state.value), f"AT_{state_name(number).upper()}", dtype)
    for port in input_ports(plan):
        add(plan.buffer_of(port.value), f"AT_{port.macro}", port.dtype)
    for index, step in enumerate(plan.steps):
        add(plan.buffer_of(step.writes), f"AT_{index}", plan.values[step.writes].type.dtype)
        if step.scratch is not None:
            dtype = find_kernel(step.kernel).scratch_element
            add(plan.buffers[step.scratch], f"SCRATCH_AT_{index}", dtype)
    return places


def state_name(number: int) -> str:
    """The name of a state in those of places and arrays; steps have numbers there."""
    return f"state{number}"


def weight_places(upper: str, arrays: Iterable[WeightArray]) -> dict[int, Place]:
    """The places of weights in a blob, by offset, numbered as the arrays of the other forms are."""
    return {
        array.offset: Place(
            f"{upper}_WEIGHTS_AT_{array.owner.upper()}",
            array.offset // ELEMENTS[array.dtypes[0]].bytes,
        )
        for array in arrays
    }


def enumerators(places: Collection[Place]) -> list[str]:
    """The constants in lines of an enum, as many to each as fit."""
    texts = [f"{place.name} = {place.first}" for place in places]
    widest = max((len(f"{text}, ") for text in texts), default=1)
    each = max((COLUMNS - len(INDENT)) // widest, 1)
    return [", ".join(texts[n : n + each]) for n in range(0, len(texts), each)]
