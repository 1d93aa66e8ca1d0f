"""The small functions and macros that kernels call: one template each, printed where it is called.

`templates/functions/NAME.c.j2` prints `PREFIX_name`, of a scalar, with a `width` of 1, and with a
wider one `PREFIX_NAME_width`, of a vector. What it calls itself is found in its text, as for
kernels. Names are without the prefix here: `relu`, `RELU_8`, `exponential_v8`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from netgen.emission.c_types import PLAIN
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
_MACHINES = ("x86", "neon", "any")
# What kernels of codes call.
_OF_CODES = (
    "products/products",
    "products/winograd",
    "codes/depthwise",
    "dsp/pixel_pairs",
    "dsp/planes",
    "mve/products",
    "mve/planes",
)
# Products of codes: inputs at once, with S if pairs of products saturate; sums of a vector; and the
# macro that tests for them.
_DOTS = (
    ("4S", 8, "defined(__AVX2__)"),
    ("4S", 16, "defined(__AVX512BW__) && defined(__AVX512VL__)"),
    ("4", 16, "defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)"),
    ("4", 4, "defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)"),
    ("8", 4, "defined(__aarch64__)"),
)
# Sums of a vector and the macro that tests for products of pairs of int16.
_PAIRS = ((8, "defined(__AVX2__)"), (16, "defined(__AVX512BW__)"))
# By sums of a vector: words of intrinsics for all of its bytes, and for half of them.
_CODE_REGISTERS = {
    8: ("_mm256", "__m256i", "si256", "_mm", "__m128i", "si128"),
    16: ("_mm512", "__m512i", "si512", "_mm256", "__m256i", "si256"),
}
# By sums of a vector: the macros that test for what makes codes of them.
_VECTORS_OF_CODES = {
    4: "defined(__aarch64__)",
    8: "defined(__AVX2__) && defined(__FMA__)",
    16: "defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)",
}
# The forms of requantisation: name, word, further arguments, and the roundings that may take it.
_CODE_FORMS = (
    ("affine", 2, "", ("fixed", "real", "even")),
    ("even", 3, ", zero", ("even",)),
    ("signed", 1, ", zero", ("fixed", "real")),
    ("exact", 0, ", zero", ("fixed",)),
)
_WIDTHS = {"x86": (16, 8, 4), "neon": (4,)}


@dataclass(frozen=True)
class Function:
    """One that has a template, by the name that stands there and the floats that it takes."""

    name: str
    width: int

    def text(self, prefix: str, machine: str = "any") -> str:
        """The C for a machine: `x86`, `neon`, or `any`, without instructions of its own."""
        return _text(self.name, self.width, prefix, machine)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that have registers for it, and `any`."""
        return tuple(m for m in _MACHINES if m == "any" or self.width in _WIDTHS[m])

    def differs(self, prefix: str) -> bool:
        """Whether some machine has C of its own."""
        return any(self.text(prefix, machine) != self.text(prefix) for machine in self.machines)


@cache
def _text(name: str, width: int, prefix: str, machine: str) -> str:
    registers = _REGISTERS.get(width)
    words = {"m": registers.instruction, "t": registers.type} if registers else {}
    template = f"functions/{name}.c.j2"
    return render(template, prefix=prefix, width=width, machine=machine, **words).rstrip("\n")


def called_names(
    functions: Iterable[str], prefix: str, machines: Sequence[str] = _MACHINES
) -> frozenset[str]:
    """Names of functions and macros that are called on some machine, also by others.

    Only those are printed.
    """
    called: set[str] = set()
    pending = [*functions]
    while pending:
        for name in _calls(pending.pop(), prefix) - called:
            called.add(name)
            function = _function(name)
            if function is not None:
                pending += [function.text(prefix, machine) for machine in machines]
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
    """The context of `vectors.c.j2`, for what the functions of a target call.

    Words without a type, LOAD8, are of floats, so the target's vectors of floats decide which are.
    """
    functions = [*functions]
    of_codes = [_of_codes(name, functions, prefix) for name in _OF_CODES]
    words = _of_codes("dsp/words", [*functions, *of_codes], prefix)
    of_codes = [*_of_processor(*functions, words, *of_codes, prefix=prefix), words, *of_codes]
    called = called_names([*functions, *of_codes], prefix)
    needed = {
        machine: {_function(name) for name in called_names(functions, prefix, [machine])}
        for machine in _MACHINES
    }
    found = [*_in_order(called, prefix)]
    floats = target.tiling(PLAIN)
    widths = [width for width in floats.vector_widths if {f"LOAD{width}", f"STORE{width}"} & called]
    return {
        "called": called,
        "code_widths": _code_widths(called),
        "scalars": [function.text(prefix) for function in found if function.width == 1],
        "activated": any("(float v" in f.text(prefix) for f in found if f.width == 1),
        "of_codes": [text for text in of_codes if text],
        "gnu_vectors": floats.vector_types,
        "widths": widths,
        "registers": {width: _REGISTERS[width] for width in widths},
        "vectors": {
            width: _of_width([f for f in found if f.width == width], needed, prefix)
            for width in widths
        },
    }


def _of_codes(name: str, functions: Sequence[str], prefix: str) -> str:
    """The text of all that kernels of codes call; it calls what makes codes of sums."""
    called = called_names(functions, prefix)
    return render(
        f"{name}.c.j2",
        prefix=prefix,
        called=called,
        forms=_DOTS,
        pairs=_PAIRS,
        registers_of=_CODE_REGISTERS,
        types=(("i8", "int8_t"), ("u8", "uint8_t")),
        vectors_of_codes=_VECTORS_OF_CODES,
        code_forms=_CODE_FORMS,
    ).rstrip("\n")


def _of_processor(*texts: str, prefix: str) -> list[str]:
    """The macros by which some of these texts ask for instructions of Cortex-M."""
    asked = [
        name for name in ("dsp", "mve") if any(f"{prefix}_{name}".upper() in text for text in texts)
    ]
    return [render(f"{name}/processor.c.j2", prefix=prefix).rstrip("\n") for name in asked]


def _code_widths(called: frozenset[str]) -> list[int]:
    """The lanes of the vectors of sums that become codes, widest first: `templates/codes`."""
    found = [re.fullmatch(r"(?:requantize|pack)_\w*?v(\d+)", name) for name in called]
    return sorted({int(each[1]) for each in found if each}, reverse=True)


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


def _of_width(
    functions: list[Function], needed: Mapping[str, Collection[Function | None]], prefix: str
) -> Mapping[str, object]:
    """Texts by machine where one has its own, or does not call it; texts for all behind."""
    differ = [
        function
        for function in functions
        if function.differs(prefix) or any(function not in needed[m] for m in function.machines)
    ]
    return {
        "by_machine": {
            machine: [f.text(prefix, machine) for f in differ if f in needed[machine]]
            for machine in _MACHINES
        },
        "alike": [function.text(prefix) for function in functions if function not in differ],
    }
