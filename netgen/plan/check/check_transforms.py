"""Checks of transformed weights of codes: they are those of the layer, and its sums stay exact.

Nothing of how kernels transform is shared: a window of 3 by 3 weights is a polynomial of two
variables, and its values are computed by Horner's rule, at fractions. Winograd's sum is 900 times
that of the layer modulo 2^32, so the layer's own must be below 2^29.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod

import numpy as np
import numpy.typing as npt

from netgen.errors import PlanError
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.panels import Transforms

# None is infinity, where a polynomial has its last coefficient.
_POINTS = (Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-2), None)
_LARGEST = 2**29
# Codes are counted from the middle.
_MOST_CODE = 128
Integers = npt.NDArray[np.int64]


def check_transforms(
    where: str, layer: Layer, constants: Mapping[str, Packed], found: Sequence[Transforms]
) -> None:
    """Outputs have the transformed weights of all inputs, and sums that fit. Raises PlanError."""
    w = constants["w"].astype(np.int64) - layer.operands["w"].zero
    sums = _MOST_CODE * np.abs(w).reshape(len(w), -1).sum(axis=1)
    if (wrong := np.flatnonzero(sums >= _LARGEST)).size:
        raise PlanError(
            "sums are too large for Winograd's form",
            where=f"{where}, channel {int(wrong[0])}",
            expected=f"less than {_LARGEST}",
            found=str(int(sums[wrong[0]])),
        )
    seen = np.concatenate([np.empty(0, np.int64), *(each.channels for each in found)])
    if (missing := np.setdiff1d(np.arange(len(w)), seen)).size:
        raise PlanError("a channel is never computed", where=where, found=str(missing[0]))
    for each in found:
        expected = np.zeros_like(each.points)
        lanes, inputs = each.channels >= 0, each.inputs >= 0
        if sorted(each.inputs[inputs].tolist()) != [*range(w.shape[3])]:
            raise PlanError(
                "inputs are not multiplied once each",
                where=where,
                expected=f"0 to {w.shape[3] - 1}",
                found=str(each.inputs[inputs].tolist()),
            )
        own = w[each.channels[lanes]][..., each.inputs[inputs]]
        expected[np.ix_(lanes, np.ones(36, bool), inputs)] = _values(own)
        if (places := np.argwhere(expected != each.points)).size:
            lane, point, at = places[0].tolist()
            raise PlanError(
                "a transformed weight is wrong",
                where=f"{where}, channel {int(each.channels[lane])}, point {point}, input {at}",
                expected=str(expected[lane, point, at]),
                found=str(each.points[lane, point, at]),
            )


def _values(w: Integers) -> Integers:
    """The values of windows [outputs, 3, 3, inputs] at all points, times both factors."""
    rows = [_value(w[:, 0], w[:, 1], w[:, 2], n) for n in range(len(_POINTS))]
    values = [
        _value(row[:, 0], row[:, 1], row[:, 2], n) for row in rows for n in range(len(_POINTS))
    ]
    return np.stack(values, axis=1)


def _value(a: Integers, b: Integers, c: Integers, number: int) -> Integers:
    """(c x + b) x + a at a point, times the square of x's denominator and 30 over differences."""
    x = _POINTS[number]
    finite = [p for p in _POINTS if p is not None]
    if x is None:
        above, below, differences = 1, 0, prod(p.denominator for p in finite)
    else:
        above, below = x.numerator, x.denominator
        differences = (
            prod(above * p.denominator - p.numerator * below for p in finite if p != x) * below
        )
    value: Integers = (30 // abs(differences)) * ((c * above + b * below) * above + a * below**2)
    return value
