"""Calls of kernels in C: where operands and results stand, whole or from a row on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from netgen.emission.c_types import C_TYPES, pointer_name
from netgen.emission.interface import Port, input_ports, output_ports
from netgen.emission.kernels import function_name, is_split
from netgen.emission.options import EmitOptions
from netgen.emission.places import arena_places, region_of, weight_places
from netgen.emission.sizes import Sizes
from netgen.emission.weights import WeightArray, is_plain
from netgen.ir.rows import Reach
from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Buffer, PackedWeights, Plan, Step
from netgen.plan.data.step_layer import packed_element, step_layer


@dataclass(frozen=True)
class CallText:
    """One call as it is printed; `index` is the step's number."""

    index: int
    title: str
    function: str
    arguments: str


class Calls:
    """The calls of a plan's steps as C."""

    def __init__(
        self,
        plan: Plan,
        options: EmitOptions,
        arrays: Mapping[int, WeightArray],
        sizes: Sequence[Sizes],
    ) -> None:
        self.plan = plan
        self._sizes = sizes
        self._options = options
        self._arrays = arrays
        self._divided_scratch = divided_scratch(plan)
        upper = options.prefix.upper()
        self.arena_places = arena_places(plan, upper)
        self.weight_places = weight_places(upper, arrays.values())
        outputs = {plan.buffer_of(port.value).name: port for port in output_ports(plan)}
        inputs = {plan.buffer_of(port.value).name: port for port in input_ports(plan)}
        self._ports = outputs | inputs
        self._constants: dict[str, int] = {}

    def ports_in(self, arguments: Iterable[str]) -> list[Port]:
        """The ports whose memory calls with such arguments read or write."""
        names = used([port.variable for port in self._ports.values()], arguments)
        return [port for port in self._ports.values() if port.variable in names]

    def constant(self, what: str, owner: str | int, number: int) -> str:
        """The name of a number that belongs to a step or port; functions that use it declare it."""
        name = f"{what}{owner}" if str(owner).isdigit() else f"{what}_{owner}"
        while self._constants.setdefault(name, number) != number:
            name += "_"
        return name

    def constants_in(self, expressions: Iterable[str]) -> str:
        """The enumerators that such expressions use; empty if there are none."""
        found = used(self._constants, expressions)
        names = sorted(found, key=lambda name: (name.rstrip("0123456789_"), len(name), name))
        return ", ".join(f"{name} = {self._constants[name]}" for name in names)

    def whole(self, index: int) -> CallText:
        """A call that computes all of a step's result."""
        step = self.plan.steps[index]
        reads = [self._start(step.reads[letter]) for letter in self._letters(step)]
        words = [*reads, *self._weights(step), self._start(step.writes), *self._scratch(step)]
        return self._call(index, words)

    def band(self, index: int, row: str) -> CallText:
        """A call that computes a band, from the row on that the expression `row` says."""
        step = self.plan.steps[index]
        reads = [self._operand(step, letter, row) for letter in self._letters(step)]
        words = [*reads, *self._weights(step), self.row(step.writes, row)]
        told = step_layer(self.plan, step, operand_types(self.plan, step)).band is not None
        return self._call(index, [*words, *([row] if told else []), *self._scratch(step)])

    def row(self, value: str, row: str) -> str:
        """The address of a row of a value, as an expression of C; `row` is one as well."""
        plan, held, buffer = self.plan, self.plan.values[value], self.plan.buffer_of(value)
        shape, slots, pitch = held.type.shape, held.slots, plan.layout(value).pitch
        if len(shape) != 4:
            return self._start(value)
        only = row == "0" or shape[1] == 1
        owner = self._owner(buffer)
        if plan.is_recut(value):  # its rows follow each other, whatever those of the buffer
            elements = self.constant("row_pitch", owner, shape[2] * pitch)
            return self._place(value, 0, "" if only else f"{row} * {elements}")
        row_elements = buffer.row_pixels * pitch
        margin = (buffer.margin - slots.shift) * pitch
        if only or buffer.rows == 1:
            return self._place(value, margin + slots.first % buffer.rows * row_elements, "")
        index = row if slots.step == 1 else f"{row} * {slots.step}"
        if slots.first:
            index += f" + {slots.first}"
        if (shape[1] - 1) * slots.step + slots.first >= buffer.rows:
            index = f"{_bracketed(index)} % {self.constant('row_slots', owner, buffer.rows)}"
        elements = self.constant("row_pitch", owner, row_elements)
        return self._place(value, margin, f"{_bracketed(index)} * {elements}")

    def _owner(self, buffer: Buffer) -> str:
        """The step or port that the name of a buffer's place ends in."""
        if not buffer.in_arena:
            return self._ports[buffer.name].variable
        return self.arena_places[buffer.name].name.rpartition("AT_")[2].lower()

    def _letters(self, step: Step) -> tuple[str, ...]:
        return self.plan.instances[step.instance].arguments

    def _operand(self, step: Step, letter: str, row: str) -> str:
        """An operand of a band: from its row on, or all of it."""
        plan, value = self.plan, step.reads[letter]
        if find_kernel(step.kernel).by_rows == "window" and letter == "x":
            buffer, shift = plan.buffer_of(value), plan.values[value].slots.shift
            return self._place(value, (buffer.margin - shift) * buffer.pitch, "")
        reach = step.op.row_reach(letter, operand_types(plan, step), plan.values[step.writes].type)
        whole = reach is None and plan.values[value].type.shape[1:2] != (1,)
        assert whole or reach in (None, Reach()), step.name
        return self._start(value) if whole else self.row(value, row)

    def start(self, value: str, elements: int) -> str:
        """The address of elements behind the start of a value's buffer."""
        return self._place(value, elements, "")

    def _start(self, value: str) -> str:
        return self._place(value, 0, "")

    def _place(self, value: str, elements: int, index: str) -> str:
        """The address `elements`, and `index` more, behind the start of a value's buffer."""
        dtype = self.plan.values[value].type.dtype
        return self._in_buffer(self.plan.buffer_of(value), dtype, elements, index)

    def _in_buffer(self, buffer: Buffer, dtype: str, elements: int, index: str) -> str:
        if buffer.in_arena:
            region, _ = region_of(self.plan, buffer)
            base = f"{pointer_name(region, dtype)} + {self.arena_places[buffer.name].name}"
        else:
            base = self._ports[buffer.name].variable
        margin = self.constant("margin", self._owner(buffer), elements) if elements else ""
        terms = [base, margin, index]
        return " + ".join(term for term in terms if term)

    def packed(self, place: PackedWeights, dtype: str) -> str:
        """The address of constants that are packed, as elements of a type."""
        if self._options.weights_as in {"c", "inline"}:
            return f"{self._arrays[place.offset].name}.{C_TYPES[dtype].member}"
        if self._options.weights_as == "blob":
            base = pointer_name("weights", dtype)
        else:
            base = f"{self._options.prefix}_weights"
            base += "" if is_plain(self._arrays.values()) else f".{C_TYPES[dtype].member}"
        return f"{base} + {self.weight_places[place.offset].name}"

    def _scratch(self, step: Step) -> list[str]:
        if step.scratch is None:
            return []
        dtype = find_kernel(step.kernel).scratch_element
        return [self._in_buffer(self.plan.buffers[step.scratch], dtype, 0, "")]

    def _weights(self, step: Step) -> list[str]:
        if step.weights is None:
            return []
        return [self.packed(step.weights, packed_element(self.plan, step))]

    def _call(self, index: int, arguments: Iterable[str]) -> CallText:
        step = self.plan.steps[index]
        instance, prefix = self.plan.instances[step.instance], self._options.prefix
        function, words = function_name(instance, prefix), [*arguments]
        words += self._sizes[step.instance].passed(function, step.sizes)
        if is_split(instance):
            words = _divided(instance, function, words, prefix, scratch=self._divided_scratch)
            function = f"{prefix}_divide"
        return CallText(
            index=index,
            title=f"{step.name}: {self.plan.values[step.writes].type}",
            function=function,
            arguments=", ".join(words),
        )


def _divided(
    instance: Instance, function: str, arguments: list[str], prefix: str, *, scratch: bool
) -> list[str]:
    """The arguments of what runs all parts of a call, which has these arguments.

    `scratch` is whether any divided call has some.
    """
    count = len(instance.arguments)
    reads, others = arguments[:count], arguments[count:]
    w = others.pop(0) if instance.has_weights else "NULL"
    y = others.pop(0)
    own = others.pop() if instance.parameters.get("scratch") else "NULL"
    first = others.pop() if others else "0"
    members = ", ".join([w, y, first, *([own] if scratch else [])])
    call = f"&({prefix}_call){{{{{', '.join(reads)}}}, {members}}}"
    return ["team", f"{function}_part", call]


def divided_scratch(plan: Plan) -> bool:
    """Whether any call that is divided between threads has scratch."""
    return any(i.parameters.get("scratch") for i in plan.instances if is_split(i))


def used(names: Iterable[str], expressions: Iterable[str]) -> list[str]:
    """The names among `names` that expressions of C use, in their order."""
    text = "\n".join(expressions)
    return [name for name in names if re.search(rf"\b{name}\b", text)]


def _bracketed(index: str) -> str:
    return f"({index})" if " " in index else index
