"""Checks of certificates: codes computed in float32 must be those of the definition.

Nothing of the search for the constants is shared. Which lane holds which channel is taken from the
kernels, and biases are taken as they are packed: tests of whole layers judge those. For each code
of a channel the least sum with a code so large is bisected on the float form itself, as the
processor computes it; there, and one below, the definition must agree. Both are monotone, so they
then agree for every sum. The
definitions are written after the words of their sources, not as the references in `ops` are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgen.errors import PlanError
from netgen.ir.tensor_type import Array
from netgen.kernels.layer import Layer, Packed
from netgen.ops.fixed_point import multipliers_of
from netgen.ops.rescaled import clamped_codes
from netgen.ops.weighted import Weighted

# The words of the first row; see `kernels/i8/requantisation.py`.
_EXACT, _SIGNED, _AFFINE, _EVEN = 0, 1, 2, 3
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Defined:
    """The codes of the channels of a layer, by definition: `fixed`, `single`, or else `double`.

    Of fixed point these are mantissas and shifts, [2, channels]; else numbers in float32 or
    float64. Sums are those that occur in each channel.
    """

    least: Integers
    most: Integers
    zero: int
    low: int
    high: int
    fixed: Integers | None = None
    double: Array | None = None
    single: Array | None = None

    def words(self) -> Array:
        """The two int32 of each channel from which the exact form computes."""
        if self.fixed is not None:
            return self.fixed.astype(np.int32)
        if self.single is not None:
            words = self.single.astype("<f4").view("<i4").astype(np.int32)
            return np.stack([words, np.zeros(len(words), np.int32)])
        assert self.double is not None
        bits = self.double.astype("<f8").view("<u8")
        halves = [bits & 0xFFFFFFFF, bits >> 32]
        return np.stack([half.astype(np.uint32).view(np.int32) for half in halves])

    def codes(self, channels: Integers, sums: Integers) -> Integers:
        """The codes of sums, [channels, sums]."""
        if self.fixed is not None:
            mantissas, shifts = self.fixed[:, channels][:, :, None]
            scaled = _divided(_doubled_high(sums, mantissas, shifts), np.maximum(-shifts, 0))
        elif self.single is not None:
            factors = self.single[channels].astype(np.float32)[:, None]
            scaled = _half_to_even(sums.astype(np.float32) * factors)
        else:
            assert self.double is not None
            scaled = _half_away(sums.astype(np.float64) * self.double[channels][:, None])
        codes: Integers = np.clip(scaled + self.zero, self.low, self.high)
        return codes


@dataclass(frozen=True)
class Block:
    """The packed constants of a vector: the channel of each lane, -1 for none, and the rows."""

    channels: Integers
    rows: npt.NDArray[np.int32]


def check_requantisation(where: str, blocks: Sequence[Block], defined: Defined) -> None:
    """Every channel has its constants, and they give the defined codes. Raises PlanError."""
    channels = [block.channels[block.channels >= 0] for block in blocks]
    missing = np.setdiff1d(np.arange(len(defined.least)), np.concatenate([*channels, [-1]]))
    if len(missing):
        raise PlanError("a channel is never requantised", where=where, found=str(missing[0]))
    for block in blocks:
        form = block.rows[0]
        exact = _EXACT if defined.single is None else _EVEN
        if form[0] not in {exact, _SIGNED, _AFFINE} or (form != form[0]).any():
            raise PlanError("the form of a vector is none", where=where, found=str(form.tolist()))
    lanes = np.concatenate([block.channels for block in blocks])
    rows = np.concatenate([block.rows for block in blocks], axis=1)[:, lanes >= 0]
    lanes = lanes[lanes >= 0]
    if (wrong := np.flatnonzero((rows[1:3] != defined.words()[:, lanes]).any(axis=0))).size:
        channel = int(lanes[wrong[0]])
        raise PlanError("the exact constants are wrong", where=f"{where}, channel {channel}")
    for form in (_SIGNED, _AFFINE):
        if (at := rows[0] == form).any():
            m, c = (np.ascontiguousarray(row[at]).view(np.float32) for row in rows[3:5])
            _check_floats(where, _Floats(lanes[at], m, c, affine=form == _AFFINE), defined)


@dataclass(frozen=True)
class _Floats:
    """Channels whose codes are computed in float32, with m and c of each."""

    channels: Integers
    m: Array
    c: Array
    affine: bool

    def codes(self, sums: Integers, defined: Defined) -> Integers:
        """The codes of sums, [channels, sums], before they are clamped."""
        fused = self.fused(sums)
        if self.affine:
            return np.rint(fused).astype(np.int64)
        return np.trunc(fused).astype(np.int64) + defined.zero

    def fused(self, sums: Integers) -> Array:
        """The fma of sum, m and c; c has the sign of the sum in the signed form."""
        c = np.broadcast_to(self.c[:, None].astype(np.float64), sums.shape)
        if not self.affine:
            c = np.where(sums < 0, -c, c)
        # Two float32 have an exact product in float64; a sum of two float64 has an exact error.
        product = sums.astype(np.float32).astype(np.float64) * self.m[:, None].astype(np.float64)
        total = product + c
        part = total - product
        error = (product - (total - part)) + (c - part)
        # Rounded to odd, so that rounding once more to float32 is as if it were done once.
        bits = total.view(np.int64)
        outwards = np.where((error > 0) == (total > 0), 1, -1)
        odd = np.where((error != 0) & (bits % 2 == 0), bits + outwards, bits)
        rounded: Array = odd.view(np.float64).astype(np.float32)
        return rounded

    def guess(self, numbers: Integers, defined: Defined) -> Integers:
        """Sums near the least ones that have these codes."""
        m, c = self.m[:, None].astype(np.float64), self.c[:, None].astype(np.float64)
        if not self.affine:
            numbers = numbers - defined.zero
        goal = (
            numbers - 0.5 - c
            if self.affine
            else np.where(numbers > 0, numbers - c, numbers - 1 + c)
        )
        near = np.divide(
            goal, m, out=np.zeros(np.broadcast_shapes(goal.shape, m.shape)), where=m > 0
        )
        return np.clip(near, -(2.0**32), 2.0**32).astype(np.int64)


def _check_floats(where: str, floats: _Floats, defined: Defined) -> None:
    least, most = (ends[floats.channels][:, None] for ends in (defined.least, defined.most))
    signs = (floats.m >= 0) & np.isfinite(floats.m) & np.isfinite(floats.c)
    if not floats.affine:
        signs &= ~np.signbit(floats.c)
    # From here on the form is monotone, and conversions to int32 are exact.
    if signs.all():
        with np.errstate(over="ignore"):
            signs &= (np.abs(floats.fused(np.concatenate([least, most], axis=1))) < 2.0**30).all(1)
    if not signs.all():
        channel = int(floats.channels[~signs][0])
        raise PlanError(
            "these are no constants of a float form", where=f"{where}, channel {channel}"
        )
    numbers = np.arange(defined.low + 1, defined.high + 1, dtype=np.int64)
    below, reached = _bisected(floats, defined, numbers, least, most)
    wrong = (below >= least) & (defined.codes(floats.channels, below) >= numbers)
    wrong |= (reached <= most) & (defined.codes(floats.channels, reached) < numbers)
    if wrong.any():
        at, number = (int(each[0]) for each in np.nonzero(wrong))
        raise PlanError(
            "the certificate of a channel is wrong",
            where=f"{where}, channel {int(floats.channels[at])}",
            expected=f"code {numbers[number]} where its definition has it",
            found=f"first for the sum {reached[at, number]}",
        )


def _bisected(
    floats: _Floats, defined: Defined, numbers: Integers, least: Integers, most: Integers
) -> tuple[Integers, Integers]:
    """The last sums whose code in float32 is below each number, and those behind them.

    Sums are least - 1 to most + 1, the ends of which count as below and not below all numbers.
    """
    guess = floats.guess(numbers, defined)
    below, reached = (np.clip(guess + n, least - 1, most + 1) for n in (-2, 2))
    below = np.minimum(below, most)
    reached = np.maximum(reached, least)
    below = np.where(floats.codes(below, defined) < numbers, below, least - 1)
    reached = np.where(floats.codes(reached, defined) >= numbers, reached, most + 1)
    while (reached - below > 1).any():
        middle = np.clip((below + reached) // 2, least, most)
        over = floats.codes(middle, defined) >= numbers
        open_ = reached - below > 1
        reached = np.where(open_ & over, middle, reached)
        below = np.where(open_ & ~over, middle, below)
    return below, reached


def _doubled_high(sums: Integers, mantissas: Integers, shifts: Integers) -> Integers:
    """SaturatingRoundingDoublingHighMul of gemmlowp, behind a shift to the left."""
    products = (sums << np.clip(shifts, 0, 31)) * mantissas
    nudged = products + np.where(products >= 0, 1 << 30, 1 - (1 << 30))
    # C's division goes towards zero.
    high: Integers = np.sign(nudged) * (np.abs(nudged) >> 31)
    return high


def _divided(numbers: Integers, exponents: Integers) -> Integers:
    """RoundingDivideByPOT of gemmlowp."""
    mask = (np.int64(1) << exponents) - 1
    threshold = (mask >> 1) + (numbers < 0)
    divided: Integers = (numbers >> exponents) + ((numbers & mask) > threshold)
    return divided


def _half_away(numbers: Array) -> Integers:
    """C's round: to the nearest whole number, halves away from zero."""
    down = np.floor(np.abs(numbers))
    away = np.abs(numbers) - down >= 0.5
    rounded: Integers = (np.copysign(down + away, numbers)).astype(np.int64)
    return rounded


def _half_to_even(numbers: Array) -> Integers:
    """To the nearest whole number, of two as near as each other to the even one."""
    down = np.floor(numbers.astype(np.float64))
    over = numbers - down
    up = (over > 0.5) | ((over == 0.5) & (np.mod(down, 2.0) == 1.0))
    rounded: Integers = (down + up).astype(np.int64)
    return rounded


def check_layer(
    where: str,
    layer: Layer,
    constants: Mapping[str, Packed],
    vectors: Sequence[tuple[Array, Packed]],
) -> None:
    """The vectors of codes that a kernel has packed for a layer. Raises PlanError."""
    blocks = [Block(channels, rows) for channels, rows in vectors]
    check_requantisation(where, blocks, _defined(layer, constants))


def _defined(layer: Layer, constants: Mapping[str, Packed]) -> Defined:
    op, x, w, y = layer.op, layer.operands["x"], layer.operands["w"], layer.result
    assert isinstance(op, Weighted)
    assert w.quantisation is not None
    outputs = w.shape[0]
    scales = {str(w.quantisation.scale): constants.get("w.scale", np.empty(0))}
    factors = np.broadcast_to(op.factors(x, w, y, scales), outputs)
    multipliers = multipliers_of(factors)
    fixed = np.stack([multipliers.mantissa, multipliers.shift])
    centred = constants["w"].reshape(outputs, -1).astype(np.int64) - w.zero
    products = [centred * (code - x.zero) for code in (x.element.low, x.element.high)]
    bias = constants["b"].astype(np.int64) if "b" in constants else np.zeros(outputs, np.int64)
    return Defined(
        least=bias + np.min(products, axis=0).sum(axis=1),
        most=bias + np.max(products, axis=0).sum(axis=1),
        zero=y.zero,
        **dict(zip(("low", "high"), clamped_codes(op.activation or "none", y), strict=True)),
        fixed=None if op.rounding in {"real", "even"} else fixed,
        single=factors if op.rounding == "even" else None,
        double=factors if op.rounding == "real" else None,
    )
