"""Signal to quantisation noise, in decibels."""

from __future__ import annotations

import math

import numpy as np

from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.rescaled import scale_of

# What a value has that is the same to the last bit.
MOST_DECIBELS = 200.0


def real_of(codes: Array, kind: TensorType) -> Array:
    """The numbers that codes stand for, in float32; floats as they are."""
    if kind.element.is_float:
        return codes
    numbers: Array = (codes.astype(np.float32) - np.float32(kind.zero)) * np.float32(scale_of(kind))
    return numbers


def codes_of(numbers: Array, kind: TensorType) -> Array:
    """The codes of i8 nearest to numbers of float32, as the operator `quantize` rounds them."""
    quotient = numbers / np.float32(scale_of(kind))
    rounded = np.copysign(np.floor(np.abs(quotient) + np.float32(0.5)), quotient) + kind.zero
    codes: Array = np.clip(rounded, kind.element.low, kind.element.high)
    return codes.astype(kind.element.storage)


def decibels(signal: Array, found: Array) -> float:
    """Ten times the logarithm of the squares of a signal over those of what it differs by."""
    power = float(np.square(signal, dtype=np.float64).sum())
    noise = float(np.square(signal - found, dtype=np.float64).sum())
    if noise == 0.0:
        return MOST_DECIBELS
    return min(10.0 * math.log10(max(power, 1e-300) / noise), MOST_DECIBELS)
