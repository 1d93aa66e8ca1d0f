"""Layers' channels drawn at random, by all that requantisation asks of a layer; and a C program.

The program prints the codes of sums by one form, for vectors of channels on any target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netgen.emission.environment import render
from netgen.emission.format import format_c
from netgen.emission.functions import vector_words
from netgen.ir.tensor_type import ELEMENTS, Array
from netgen.kernels.i8.float_forms import Codes, Sums
from netgen.kernels.i8.requantisation import Requantisation, scaling_of
from netgen.kernels.targets import find_target
from netgen.ops.fixed_point import multiplier_of, multipliers_of
from netgen.plan.check.check_requantisation import Defined
from tests.tools import Program, link


@dataclass(frozen=True)
class Channels:
    """Channels with real factors: `double` asks for products in float64."""

    factors: Array
    sums: Sums
    codes: Codes
    double: bool = False

    @property
    def requantisation(self) -> Requantisation:
        exact = self.defined.words().T
        return Requantisation(
            scaling_of(exact, "real" if self.double else "fixed"), exact, self.sums, self.codes
        )

    @property
    def defined(self) -> Defined:
        codes = self.codes.zero, self.codes.low, self.codes.high
        if self.double:
            return Defined(self.sums.least, self.sums.most, *codes, double=self.factors)
        multipliers = multipliers_of(self.factors)
        fixed = np.stack([multipliers.mantissa, multipliers.shift])
        return Defined(self.sums.least, self.sums.most, *codes, fixed=fixed)

    def expected(self, channel: int, sums: Array) -> Array:
        """The codes of a channel by definition: `ops.fixed_point`, or float64."""
        factor = float(self.factors[channel])
        if self.double:
            products = sums.astype(np.float64) * factor
            # Twice a float is exact, and half of an odd number is a tie.
            doubled = np.floor(np.abs(products) * 2.0)
            scaled = np.copysign((doubled + 1.0) // 2.0, products).astype(np.int64)
        else:
            scaled = multiplier_of(factor).times(sums.astype(np.int64))
        clipped: Array = np.clip(scaled + self.codes.zero, self.codes.low, self.codes.high)
        return clipped


def drawn(
    seed: int, count: int, *, exponents: tuple[float, float] = (-14.0, 2.0), double: bool = False
) -> Channels:
    """Channels of one layer: factors of all sizes, many near to powers of two, where ties are."""
    draw = np.random.default_rng(seed)
    powers = draw.uniform(*exponents, count)
    near = np.round(powers) + draw.choice([0.0, 1e-9, -1e-9, np.log2(3)], count)
    factors = 2.0 ** np.where(draw.random(count) < 0.4, near, powers)
    reach = np.ceil(draw.uniform(20, 500, count) / factors).astype(np.int64) + 1
    middle = (draw.normal(0.0, 0.3, count) * reach).astype(np.int64)
    zero = int(draw.integers(-128, 128))
    low = int(draw.choice([-128, zero]))
    high = int(draw.choice([127, min(127, low + int(draw.integers(0, 200)))]))
    # What is shifted to the left fits int32.
    most = (2**31 - 256) / np.maximum(1.0, 2.0 ** (np.floor(np.log2(factors)) + 2.0))
    ends = np.clip([middle - reach, middle + reach], -most, most).astype(np.int64)
    return Channels(factors, Sums(*ends), Codes(zero, low, high), double)


_LOADS = {
    4: "vld1q_s32(x + {0})",
    8: "_mm256_loadu_si256((const void *)(x + {0}))",
    16: "_mm512_loadu_si512(x + {0})",
}
# By the word of the form, and REAL: the exact form of doubles.
_FORMS = (("exact", ", zero"), ("signed", ", zero"), ("affine", ""), ("real", ", zero"))
REAL = 3
_MAIN = """
static int32_t w[80], x[64];
static uint8_t y[64];

int main(void)
{
    int32_t head[6];
    while (fread(head, sizeof(int32_t), 6, stdin) == 6) {
        const int32_t form = head[0], vectors = head[1], count = head[2];
        const int32_t zero = head[3], low = head[4], high = head[5];
        const size_t lanes = (size_t)vectors * WIDTH;
        if (fread(w, sizeof(int32_t), 5 * WIDTH, stdin) != 5 * WIDTH) {
            return 1;
        }
        for (int32_t n = 0; n < count; ++n) {
            if (fread(x, sizeof(int32_t), lanes, stdin) != lanes) {
                return 1;
            }
            BRANCHES
            return 1;
            fwrite(y, 1, lanes, stdout);
        }
    }
    return 0;
}
"""


def program(folder: Path, command: Sequence[str], target: str, width: int, element: str) -> Program:
    """A program that computes the codes of sums in any form, of one, two and four vectors."""
    branches = []
    for form, (name, zero) in enumerate(_FORMS):
        for vectors in (1, 2, 4):
            loads = [_LOADS[width].format(n * width) for n in range(vectors)]
            codes = [f"m_requantize_{name}_v{width}({load}, w{zero})" for load in loads]
            bounds = [
                f"({element.replace('i', 'int').replace('u', 'uint')}_t){b}"
                for b in ("low", "high")
            ]
            pack = f"m_pack_{element}_{vectors if vectors > 1 else ''}v{width}"
            call = f"{pack}({', '.join([*codes, *bounds])})"
            branches.append(
                f"if (form == {form} && vectors == {vectors}) "
                f"{{ const __typeof__({call}) v = {call}; memcpy(y, &v, lanes); }} else "
            )
    main = _MAIN.replace("BRANCHES", "\n".join(branches)).replace("WIDTH", str(width))
    words = vector_words([main], find_target(target), "m")
    includes = "#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n"
    text = includes + render("vectors.c.j2", prefix="m", **words) + main
    (folder / "codes.c").write_text(format_c(text))
    return link(folder, command, ["codes.c"])


@dataclass(frozen=True)
class Batch:
    """Sums of so many vectors that share a block of constants, [count, vectors, lanes]."""

    form: int
    block: Array
    sums: Array
    codes: Codes

    def feed(self) -> bytes:
        count, vectors, _ = self.sums.shape
        head = [self.form, vectors, count, self.codes.zero, self.codes.low, self.codes.high]
        parts = (np.array(head), self.block, self.sums)
        return b"".join(part.astype("<i4").tobytes() for part in parts)


def run(made: Program, batches: Sequence[Batch], element: str) -> list[Array]:
    """The codes of batches."""
    written = made.run(feed=b"".join(batch.feed() for batch in batches))
    codes = np.frombuffer(written, ELEMENTS[element].storage).astype(np.int64)
    ends = np.cumsum([batch.sums.size for batch in batches])
    assert len(codes) == ends[-1]
    parts = np.split(codes, ends[:-1])
    return [part.reshape(each.sums.shape) for part, each in zip(parts, batches, strict=True)]
