"""Words of the templates for types, macros and functions of vectors, and for reads and writes.

All carry the model's prefix: two models, and whatever headers the user's configuration includes,
share a file with them. A vector of one is a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netgen.kernels.compressed import PLAIN_WEIGHTS, words_of_real
from netgen.kernels.terms import Term, grouped, product, sum_of

# By fold: the macros that repeat so many floats, and that add so many neighbours.
_REPEATS = {2: "PAIRS", 4: "QUADS"}


@dataclass(frozen=True)
class Words:
    """The words of one model."""

    prefix: str

    def by_name(self) -> dict[str, object]:
        """The words as templates call them."""
        words = (
            *(self.vector, self.mask, self.zero, self.splat, self.repeat, self.fold_sums),
            *(self.load, self.read, self.read_at, self.write, self.lanes),
            *(self.widened, self.widened_next, self.real),
            *(self.applied, self.combined, self.larger, self.add_product),
        )
        return {"upper": self.prefix.upper(), **{word.__name__: word for word in words}}

    def _macro(self, name: str) -> str:
        return f"{self.prefix.upper()}_{name}"

    def _function(self, name: str) -> str:
        return f"{self.prefix}_{name}"

    def vector(self, width: int) -> str:
        """Type of `width` floats."""
        return "float" if width == 1 else self._function(f"v{width}")

    def mask(self, width: int) -> str:
        """Type of the bits of `width` floats, and of comparisons."""
        return self._function(f"mask{width}")

    def zero(self, width: int) -> str:
        """Expression of `width` zeros."""
        return "0.0f" if width == 1 else f"({self.vector(width)}){{0}}"

    def splat(self, width: int, scalar: str) -> str:
        """Expression of `width` times the same float."""
        return scalar if width == 1 else f"{self._macro(f'SPLAT_{width}')}({scalar})"

    def repeat(self, width: int, fold: int, array: str, at: Term) -> str:
        """Expression of `width` floats: `fold` of an array from `at` on, again and again."""
        if fold == 1:
            return self.splat(width, f"{array}[{at}]")
        if fold == width:
            return self.read(width, array, at)
        return f"{self._macro(f'{_REPEATS[fold]}{width}')}({sum_of(array, at)})"

    def fold_sums(self, width: int, fold: int, name: str, registers: Sequence[int]) -> str:
        """Expression of `width` floats: sums of `fold` neighbours in registers of that name."""
        sums, words = [f"{name}_{n}" for n in registers], _REPEATS[fold]
        if len(sums) == 1:
            return f"{self._macro(f'SUM_{words}{width * fold}')}({sums[0]})"
        return f"{self._macro(f'{words}_OF{width}')}({', '.join(sums)})"

    def load(self, width: int) -> str:
        """Macro that reads `width` floats at any address of a float."""
        return self._macro(f"LOAD{width}")

    def read(self, width: int, pointer: str, *at: Term) -> str:
        """Expression of the `width` floats so many elements behind a pointer."""
        if width == 1:
            return f"{pointer}[{sum_of(*at)}]"
        return f"{self.load(width)}({sum_of(pointer, *at)})"

    def widened(self, weights: str, width: int, pointer: str, *at: Term) -> str:
        """Expression of `width` floats: weights of this element type behind a pointer, widened."""
        if weights == PLAIN_WEIGHTS:
            return self.read(width, pointer, *at)
        return self.applied(f"wide_{weights}", width, str(sum_of(pointer, *at)))

    def widened_next(self, weights: str, pointer: str) -> str:
        """Expression of one weight as a float; the pointer goes on to the next."""
        if weights == PLAIN_WEIGHTS:
            return f"*{pointer}++"
        return self.applied(f"wide_{weights}", 1, f"{pointer}++")

    def real(self, weights: str, width: int, pointer: str, *at: Term) -> str:
        """Expression of `width` of the real numbers that stand before weights of this type."""
        if weights == PLAIN_WEIGHTS:
            return self.read(width, pointer, *at)
        place = sum_of(pointer, product(sum_of(*at), words_of_real(weights)))
        return self.applied(f"real_{weights}", width, str(place))

    def read_at(self, width: int, pointer: Term) -> str:
        """Expression of the `width` floats at a pointer."""
        return f"*{grouped(pointer)}" if width == 1 else f"{self.load(width)}({pointer})"

    def write(self, width: int, pointer: str, at: Term, value: str) -> str:
        """Statement that writes `width` floats so many elements behind a pointer."""
        if width == 1:
            return f"{pointer}[{at}] = {value};"
        return f"{self._macro(f'STORE{width}')}({sum_of(pointer, at)}, {value});"

    def lanes(self, width: int) -> str:
        """The head of a loop over the lanes of an array that stands for a vector."""
        return f"{self._macro('LANES')}(v, {width}) "

    def applied(self, act: str, width: int, value: str, numbers: Sequence[float] = ()) -> str:
        """Expression of an activation of a value, and of numbers that are the same for all."""
        if act == "none":
            return value
        name = self._function(act) if width == 1 else self._macro(f"{act.upper()}_{width}")
        return f"{name}({', '.join([value, *map(literal, numbers)])})"

    def combined(self, operation: str, width: int, a: str, b: str) -> str:
        """Expression of two values: a sum, a product, a difference of either, or a leaky a.

        Of scalars also the greater or lesser one, and 1 or 0 for what a comparison says.
        """
        if operation == "leaky":
            return self.applied("leaky_relu", width, f"{a}, {b}")
        if operation == "larger":
            return self.larger(width, a, b)
        if operation == "smaller":
            return f"-{self.larger(width, f'-{a}', f'-{b}')}"
        if operation in {"<", "<=", "=="}:
            return f"(float)({a} {operation} {b})"
        return f"{b} - {a}" if operation == "subtracted" else f"{a} {operation} {b}"

    def larger(self, width: int, a: str, b: str) -> str:
        """Expression of the larger of two."""
        name = self._function("larger") if width == 1 else self._macro(f"LARGER_{width}")
        return f"{name}({a}, {b})"

    def add_product(self, total: str, a: str, b: str, *, fused: bool) -> str:
        """Statement that adds a product; `fused` where the target may do both at once."""
        if not fused:
            return f"{total} += {a} * {b};"
        return f"{total} = {self._function('multiply_add')}({a}, {b}, {total});"


def formula_of(act: str, value: str, numbers: Sequence[float] = ()) -> str:
    """An activation of a value as comments write it."""
    return value if act == "none" else f"{act}({', '.join([value, *map(literal, numbers)])})"


def literal(number: float) -> str:
    """The float nearest to a number, as C: in the fewest digits that name it."""
    return str(np.float32(number)) + "f"


def string_text(text: str) -> str:
    """Text as it may stand between the quotes of a C string: names come from files."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
