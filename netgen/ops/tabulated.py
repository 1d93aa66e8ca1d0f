"""Functions of codes by way of float32: TensorFlow Lite fills a table with them.

Source: TensorFlow Lite, `internal/common.h`, LUTPopulate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal

import numpy as np

from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.rescaled import scale_of

# More digits than float32 has; numbers beyond its range saturate anyway.
_EXACTLY = Context(prec=40)
_FURTHEST = 200.0
# Beyond this the complement of the error function is 0 in float32; terms that it does not need.
_NO_TAIL, _NEGLIGIBLE = 10.1, Decimal(10) ** -70
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620900")
# Below this x ** 3 / 3 is less than half a last bit of x.
_NO_CUBE = 2.0**-13


def exponential(x: float) -> Decimal:
    """The exponential, rounded correctly in decimals: it depends on no C library."""
    return _EXACTLY.exp(Decimal(min(max(x, -_FURTHEST), _FURTHEST)))


def hyperbolic_tangent(x: float) -> float:
    """1 - 2 / (exp(2 |x|) + 1) with the sign of x; in float32 that is x itself near 0."""
    if abs(x) < _NO_CUBE:
        return x
    rest = _EXACTLY.divide(Decimal(2), _EXACTLY.add(exponential(2.0 * abs(x)), Decimal(1)))
    return math.copysign(float(_EXACTLY.subtract(Decimal(1), rest)), x)


def logarithm(x: float) -> float:
    """The natural logarithm of a positive number, rounded correctly in decimals."""
    return float(_EXACTLY.ln(Decimal(x)))


def error_complement(x: float) -> float:
    """1 less the error function: its series in decimals, which depends on no C library.

    Terms grow up to e to the square of x; so they have more digits than their sum needs.
    """
    if abs(x) > _NO_TAIL:
        return 0.0 if x > 0 else 2.0
    exact, n = Context(prec=120), 0
    square = exact.multiply(Decimal(x), Decimal(x))
    term = total = Decimal(x)
    while abs(term) > _NEGLIGIBLE:
        n += 1
        term = exact.divide(exact.multiply(term, square), Decimal(-n))
        total = exact.add(total, exact.divide(term, Decimal(2 * n + 1)))
    scaled = exact.divide(exact.multiply(total, Decimal(2)), exact.sqrt(_PI))
    return float(exact.subtract(Decimal(1), scaled))


def tabulated(
    function: Callable[[np.float32], np.float32], x: Array, kind: TensorType, result: TensorType
) -> Array:
    """Codes of a function of the real numbers that codes stand for, each step in float32.

    The quotient by the result's scale is a product with its reciprocal; halves go away from zero.
    """
    codes, where = np.unique(x, return_inverse=True)
    reciprocal = np.float32(1.0) / np.float32(scale_of(result))
    found = np.empty(len(codes), np.int64)
    for at, code in enumerate(codes.tolist()):
        real = np.float32(scale_of(kind)) * np.float32(code - kind.zero)
        with np.errstate(over="ignore"):
            rescaled = float(function(real) * reciprocal)
        rounded = np.copysign(np.floor(abs(rescaled) + 0.5), rescaled)
        found[at] = int(np.clip(rounded, -(2**20), 2**20)) + result.zero
    table: Array = found[where].reshape(x.shape)
    return table
