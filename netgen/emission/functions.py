"""The small functions and macros that kernels call: one template each, printed where it is called.

`templates/functions/NAME.c.j2` prints `name`, of a scalar, with a `width` of 1, and with a wider
one `NAME_width`, of a vector. What it calls itself is found in its text, as for kernels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from netgen.emission.environment import has_template, render
from netgen.kernels.targets import Target

_CALL = re.compile(r"\b(\w+)\(")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Registers:
    """Where x86-64 has registers of a vector: the macro that says so, and words of intrinsics."""

    condition: str
    instruction: str
    type: str


_REGISTERS = {
    16: Registers("__AVX512F__", "_mm512", "__m512"),
    8: Registers("__AVX__", "_mm256", "__m256"),
    4: Registers("__SSE__", "_mm", "__m128"),
}


@dataclass(frozen=True)
class Function:
    """One that has a template, by the name that stands there and the floats that it takes."""

    name: str
    width: int

    def text(self, machine: str = "any") -> str:
        """The C for a machine: `x86`, `neon`, or `any`, without instructions of its own."""
        return _text(self.name, self.width, machine)

    @property
    def machines(self) -> tuple[str, ...]:
        """Those whose C is another one, the one for any last; empty where it is one for all."""
        own = [*(["x86"] if self.width > 1 else []), *(["neon"] if self.width == 4 else [])]
        differ = any(self.text(machine) != self.text() for machine in own)
        return (*own, "any") if differ else ()


@cache
def _text(name: str, width: int, machine: str) -> str:
    registers = _REGISTERS.get(width)
    words = {"m": registers.instruction, "t": registers.type} if registers else {}
    text = render(f"functions/{name}.c.j2", width=width, machine=machine, **words)
    return text.rstrip("\n")


def called_names(functions: Iterable[str]) -> frozenset[str]:
    """Names of functions and macros that are called, also by others: only those are printed."""
    called: set[str] = set()
    pending = [*functions]
    while pending:
        for name in _calls(pending.pop()) - called:
            called.add(name)
            function = _function(name)
            if function is not None:
                pending += [function.text(machine) for machine in ("x86", "neon", "any")]
    return frozenset(called)


def _calls(text: str) -> set[str]:
    return set(_CALL.findall(_COMMENT.sub("", text)))


def _function(called: str) -> Function | None:
    """What is called by a name; None where that has no template."""
    name, _, width = called.lower().rpartition("_")
    if not width.isdigit():
        name, width = called.lower(), "1"
    if int(width) not in {1, *_REGISTERS} or not has_template(f"functions/{name}.c.j2"):
        return None
    return Function(name, int(width))


def vector_words(called: frozenset[str], target: Target) -> dict[str, object]:
    """What `vectors.c.j2` prints for the names that functions of a target call."""
    found = [*_in_order(called)]
    widths = [width for width in target.f32.vector_widths if f"LOAD{width}" in called]
    return {
        "called": called,
        "scalars": [function.text() for function in found if function.width == 1],
        "gnu_vectors": target.f32.vector_types,
        "widths": widths,
        "registers": {width: _REGISTERS[width] for width in widths},
        "vectors": {
            width: _of_width([function for function in found if function.width == width])
            for width in widths
        },
    }


def _in_order(called: frozenset[str]) -> Iterator[Function]:
    """All that have templates, each behind what it calls."""
    seen: set[Function] = set()

    def visit(name: str) -> Iterator[Function]:
        function = _function(name)
        if function is None or function in seen:
            return
        seen.add(function)
        for callee in sorted(_calls(function.text())):
            yield from visit(callee)
        yield function

    for name in sorted(called):
        yield from visit(name)


def _of_width(functions: list[Function]) -> Mapping[str, object]:
    """Texts by machine where one has its own, for the branches of one #if; texts for all behind."""
    return {
        "by_machine": {
            machine: [f.text(machine) for f in functions if f.machines]
            for machine in ("x86", "neon", "any")
        },
        "alike": [f.text() for f in functions if not f.machines],
    }
