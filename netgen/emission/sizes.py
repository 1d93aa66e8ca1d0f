"""Sizes that calls pass to a function which layers of several shapes share, as C.

A few numbers are arguments; more of them are a struct in flash, one for each set of numbers:

    typedef struct { int height, out_height, out_width, width; } net_depthwise_any_relu6_sizes;
    static const net_depthwise_any_relu6_sizes net_depthwise_any_relu6_layers[2] = {...};
    net_depthwise_any_relu6(x, w, y, &net_depthwise_any_relu6_layers[1]);
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netgen.emission.counting import over
from netgen.kernels.terms import Term, sum_of
from netgen.plan.data.plan import Plan

# More numbers than these stand in a struct: registers hold no more arguments beside the pointers.
_MOST_ARGUMENTS = 3


@dataclass(frozen=True)
class Sizes:
    """The names that a function has for its sizes, and each set of numbers that calls pass."""

    names: tuple[str, ...] = ()
    rows: tuple[tuple[int, ...], ...] = ()

    def declared(self, function: str) -> list[str]:
        """Parameters of the function, behind all others."""
        if self._in_struct:
            return [f"const {function}_sizes *sizes"]
        return [f"int {name}" for name in self.names]

    def passed(self, function: str, sizes: Mapping[str, int]) -> list[str]:
        """Arguments of a call with these sizes."""
        row = tuple(sizes[name] for name in self.names)
        if self._in_struct:
            return [f"&{function}_layers[{self.rows.index(row)}]"]
        return [*map(str, row)]

    def read(self) -> str:
        """The first lines of the function's body."""
        if not self._in_struct:
            return ""
        return f"const int {', '.join(f'{name} = sizes->{name}' for name in self.names)};\n"

    def around(self, function: str, text: str) -> str:
        """A function between the struct that it reads, and those that its calls point at."""
        if not self._in_struct:
            return text
        members = "".join(f"int {name};\n" for name in self.names)
        table = ",\n".join(f"{{{', '.join(map(str, row))}}}" for row in self.rows)
        head = f"static const {function}_sizes {function}_layers[{len(self.rows)}]"
        struct = f"typedef struct {{\n{members}}} {function}_sizes;\n"
        return f"{struct}\n{text}\n{head} = {{\n{table},\n}};\n"

    @property
    def _in_struct(self) -> bool:
        return len(self.names) > _MOST_ARGUMENTS


def sizes_of_calls(plan: Plan) -> list[list[Mapping[str, int]]]:
    """The sizes of the steps that call each instance."""
    found: list[list[Mapping[str, int]]] = [[] for _ in plan.instances]
    for step in plan.steps:
        found[step.instance].append(step.sizes)
    return found


def make_sizes(names: Sequence[str], calls: Sequence[Mapping[str, int]]) -> Sizes:
    """The sizes of a function whose code uses these names; equal rows stand there once."""
    rows = dict.fromkeys(tuple(call[name] for name in names) for call in calls)
    return Sizes(tuple(names), tuple(rows))


def bounded_loops(loops: object, named: Mapping[str, Term]) -> object:
    """Loops over vectors with bounds by name, one behind the other; none that visit nothing."""
    if not isinstance(loops, list) or not all("length" in loop for loop in loops):
        return loops
    bounded: list[dict[str, object]] = []
    end: Term = 0
    for loop in loops:
        first, end = end, sum_of(end, named[loop["length"]])
        if first == end:
            continue
        at = over("c", first, end, loop["width"]).at
        places = {letter: sum_of(at, named[f"{letter}_first"]) for letter in loop["letters"]}
        bounded.append({**loop, "first": first, "end": end, **places})
    return bounded
