"""Weights as codes: one scale for each output, around zero, beside a bias of i32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array

MOST = 127
# A bias in units of x's scale times that of the weights is at most so large.
_MOST_BIAS = 2.0**28
_LEAST_SCALE = 2.0**-60


@dataclass(frozen=True)
class CodedWeights:
    """Weights of i8 with a scale of float32 for each output, and the bias in floats."""

    codes: Array
    scales: Array
    bias: Array

    def units(self, x_scale: float) -> Array:
        """The unit of the sums of each output: x's scale times that of the weights."""
        return x_scale * self.scales.astype(np.float64)

    def whole_bias(self, x_scale: float) -> Array:
        """The bias in units of the sums."""
        return np.rint(self.bias / self.units(x_scale)).astype(np.int32)

    def real(self) -> Array:
        """The numbers that the weights stand for, in float64."""
        return self.codes.astype(np.float64) * along_outputs(self.scales, self.codes)


def along_outputs(scales: Array, w: Array) -> Array:
    """One number for each output, to be multiplied by weights."""
    return scales.astype(np.float64).reshape(-1, *(1,) * (w.ndim - 1))


def weight_scales(w: Array, b: Array, x_scale: float) -> Array:
    """The largest weight of each output is 127; a channel of tiny weights must hold its bias."""
    largest = np.abs(w).reshape(len(w), -1).max(axis=1).astype(np.float64)
    least = np.maximum(np.abs(b) / (x_scale * _MOST_BIAS), _LEAST_SCALE)
    return np.asarray(np.maximum(largest / MOST, least), np.float32)


def nearest(w: Array, scales: Array) -> Array:
    """Each weight as the nearest code."""
    codes: Array = np.clip(np.rint(w / along_outputs(scales, w)), -MOST, MOST).astype(np.int8)
    return codes
