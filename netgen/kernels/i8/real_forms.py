"""Sums and products of codes in float32, where that is proved to give the same codes.

Two codes of one byte have 65,536 pairs. All of them are computed in float32, in each way in which a
compiler may fuse a product and a sum, and compared with the operator's own integers. Factors are
tried a few last places around their real numbers. So a form that is found is right with every
compiler and all flags, and one that is not found leaves the kernel of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.broadcast import Broadcast
from netgen.ops.fixed_point import Multiplier
from netgen.ops.mul import Mul
from netgen.ops.rescaled import clamped_codes
from netgen.ops.sub import Sub
from netgen.ops.sums_of_codes import left_shift, sum_multipliers

Floats = npt.NDArray[np.float32]
# The ways in which real numbers of all pairs may be rounded, before the half and with it.
_Ways: TypeAlias = "Callable[[tuple[np.float32, ...], np.float32], Iterator[Floats]]"

# Numbers beyond this may not fit int32.
_LARGEST = 2.0**30
# Last places around a factor that are tried, nearest first.
_PLACES = (0, 1, -1, 2, -2, 3, -3)


@dataclass(frozen=True)
class RealForm:
    """Factors of codes less their zero points, and what is added before digits are cut off."""

    factors: tuple[float, ...]
    half: float


@lru_cache(maxsize=4096)
def real_form(op: Broadcast, a: TensorType, b: TensorType, y: TensorType) -> RealForm | None:
    """The form of a sum, a difference or a product of codes; None where none is found.

    Shapes do not matter.
    """
    kinds = a.with_shape((256, 1)), b.with_shape((1, 256))
    codes = [np.arange(kind.element.low, kind.element.high + 1) for kind in kinds]
    pairs = [codes[0].reshape(256, 1), codes[1].reshape(1, 256)]
    signature = Signature(kinds, y.with_shape((256, 256)))
    wanted = op.reference(pairs, signature)
    less = [array - kind.zero for array, kind in zip(pairs, kinds, strict=True)]
    if isinstance(op, Mul):
        (numbers, middle), ways = _product(op, less, signature)
    else:
        (numbers, middle), ways = _sum(op, less, kinds, y)
    near = [[_moved(number, place) for place in _PLACES[:5]] for number in numbers]
    halves = [_moved(middle, place) for place in _PLACES]
    for half, *factors in _nearest_first(halves, *near):
        if _agrees(ways(tuple(factors), half), wanted, op, y):
            return RealForm(tuple(map(float, factors)), float(half))
    return None


def _nearest_first(*lists: list[np.float32]) -> Iterator[tuple[np.float32, ...]]:
    """All combinations, those whose places in the lists add up to least first."""
    places = product(*(range(len(each)) for each in lists))
    for each in sorted(places, key=lambda each: (sum(each), each)):
        yield tuple(numbers[place] for numbers, place in zip(lists, each, strict=True))


def _moved(number: float, places: int) -> np.float32:
    """A float32 so many last places from the nearest one to a number."""
    nearest = np.float32(number)
    return np.float32(nearest + np.float32(places) * np.spacing(nearest))


def _half(multiplier: Multiplier) -> float:
    """The number from which on a fraction is rounded up, as the first of two roundings has it."""
    return 0.5 + (0.5 ** (multiplier.right + 1) if multiplier.right else 0.0)


def _real(multiplier: Multiplier) -> float:
    return float(np.ldexp(float(multiplier.mantissa), multiplier.shift - 31))


def _agrees(ways: Iterator[Floats], wanted: Array, op: Broadcast, y: TensorType) -> bool:
    """Whether numbers, with their half, are the wanted codes once cut off and clamped."""
    low, high = clamped_codes(op.act, y)
    for numbers in ways:
        if not (np.abs(numbers) < _LARGEST).all():
            return False
        codes = np.clip(numbers.astype(np.int64) + y.zero, low, high)
        if not np.array_equal(codes, wanted):
            return False
    return True


def _signed(half: np.float32, numbers: Floats) -> Floats:
    return np.where(numbers < 0, -half, half).astype(np.float32)


def fused_product(x: Array, factor: np.float32, addend: Floats) -> Floats:
    """X times a factor plus an addend, rounded once; infinite where float64 does not hold it."""
    exact = x.astype(np.float64) * np.float64(factor)  # fits: 17 bits times 24
    total = exact + addend
    back = total - exact
    lost = (exact - (total - back)) + (addend - back)
    return np.where(lost == 0.0, total, np.inf).astype(np.float32)


def _sum(
    op: Broadcast, less: list[Array], kinds: tuple[TensorType, TensorType], y: TensorType
) -> tuple[tuple[list[float], float], _Ways]:
    multipliers = sum_multipliers(kinds, y)
    both = 2.0 ** left_shift(y) * _real(multipliers.y)
    sign = np.float32(-1.0 if isinstance(op, Sub) else 1.0)
    a, b = less

    def ways(factors: tuple[np.float32, ...], half: np.float32) -> Iterator[Floats]:
        first, second = factors[0], np.float32(sign * factors[1])
        first_alone = (a.astype(np.float32) * first).astype(np.float32)
        second_alone = (b.astype(np.float32) * second).astype(np.float32)
        every = np.zeros((256, 256), np.float32)
        for numbers in (
            fused_product(a, first, every + second_alone),
            fused_product(b, second, every + first_alone),
            first_alone + second_alone,
        ):
            yield numbers + _signed(half, numbers)

    factors = [both * _real(multipliers.a), both * _real(multipliers.b)]
    return (factors, _half(multipliers.y)), ways


def _product(
    op: Mul, less: list[Array], signature: Signature
) -> tuple[tuple[list[float], float], _Ways]:
    products = less[0] * less[1]
    multiplier = op.multiplier(signature.operands, signature.result)

    def ways(factors: tuple[np.float32, ...], half: np.float32) -> Iterator[Floats]:
        numbers = products.astype(np.float32) * factors[0]
        signed = _signed(half, numbers)
        yield numbers + signed
        yield fused_product(products, factors[0], signed)

    return ([_real(multiplier)], _half(multiplier)), ways
