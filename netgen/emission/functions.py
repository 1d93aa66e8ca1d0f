"""The small functions and macros that kernels call: one template each, printed where it is called.

`templates/functions/NAME.c.j2` prints `PREFIX_name`, of a scalar, with a `width` of 1, and with a
wider one `PREFIX_NAME_width`, of a vector. What it calls itself is found in its text, as for
kernels. Names are without the prefix here: `relu`, `RELU_8`, `exponential_v8`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from netgen.emission.environment import has_template, render
from netgen.kernels.targets import Target

_CALL = r"\b(?:{0}|{1})_(\w+)\("
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Registers:
    """Registers of x86-64 for vectors of one width: the macro that tests for them, intrinsics."""

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

    def text(self, prefix: str, machine: str = "any") -> str:
        """The C for a machine: `x86`, `neon`, or `any`, without instructions of its own."""
        return _text(self.name, self.width, prefix, machine)

    def differs(self, prefix: str) -> bool:
        """Whether some machine has C of its own."""
        own = [*(["x86"] if self.width > 1 else []), *(["neon"] if self.width == 4 else [])]
        return any(self.text(prefix, machine) != self.text(prefix) for machine in own)


@cache
def _text(name: str, width: int, prefix: str, machine: str) -> str:
    registers = _REGISTERS.get(width)
    words = {"m": registers.instruction, "t": registers.type} if registers else {}
    template = f"functions/{name}.c.j2"
    return render(template, prefix=prefix, width=width, machine=machine, **words).rstrip("\n")


def called_names(functions: Iterable[str], prefix: str) -> frozenset[str]:
    """Names of functions and macros that are called, also by others: only those are printed."""
    called: set[str] = set()
    pending = [*functions]
    while pending:
        for name in _calls(pending.pop(), prefix) - called:
            called.add(name)
            function = _function(name)
            if function is not None:
                pending += [function.text(prefix, machine) for machine in ("x86", "neon", "any")]
    return frozenset(called)


def _calls(text: str, prefix: str) -> set[str]:
    return set(re.findall(_CALL.format(prefix, prefix.upper()), _COMMENT.sub("", text)))


def _function(called: str) -> Function | None:
    """The small function that a name calls; None if no template prints it."""
    name, _, width = called.lower().rpartition("_")
    # Of a vector are macros, RELU_8, and what they call, sigmoid_v8; relu_8 is a kernel.
    number = width if called.isupper() else width.removeprefix("v") if width[:1] == "v" else ""
    if not number.isdigit():
        name, number = called, "1"
    if int(number) not in {1, *_REGISTERS} or not has_template(f"functions/{name}.c.j2"):
        return None
    return Function(name, int(number))


def vector_words(functions: Iterable[str], target: Target, prefix: str) -> dict[str, object]:
    """The context of `vectors.c.j2`, for what the functions of a target call."""
    called = called_names(functions, prefix)
    found = [*_in_order(called, prefix)]
    widths = [width for width in target.f32.vector_widths if f"LOAD{width}" in called]
    return {
        "called": called,
        "scalars": [function.text(prefix) for function in found if function.width == 1],
        "gnu_vectors": target.f32.vector_types,
        "widths": widths,
        "registers": {width: _REGISTERS[width] for width in widths},
        "vectors": {
            width: _of_width([f for f in found if f.width == width], prefix) for width in widths
        },
    }


def _in_order(called: frozenset[str], prefix: str) -> Iterator[Function]:
    """All that have templates, each behind what it calls."""
    seen: set[Function] = set()

    def visit(name: str) -> Iterator[Function]:
        function = _function(name)
        if function is None or function in seen:
            return
        seen.add(function)
        for callee in sorted(_calls(function.text(prefix), prefix)):
            yield from visit(callee)
        yield function

    for name in sorted(called):
        yield from visit(name)


def _of_width(functions: list[Function], prefix: str) -> Mapping[str, object]:
    """Texts by machine where one has its own, for the branches of one #if; texts for all behind."""
    differ = [function for function in functions if function.differs(prefix)]
    return {
        "by_machine": {
            machine: [function.text(prefix, machine) for function in differ]
            for machine in ("x86", "neon", "any")
        },
        "alike": [function.text(prefix) for function in functions if function not in differ],
    }
