"""The operators' formulas as nested loops, one number at a time: the oracle of the references."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from netgen.ir.tensor_type import Array


def padded(x: Array, i: int, j: int, c: int) -> float:
    """x[0,i,j,c], zero outside the image."""
    inside = 0 <= i < x.shape[1] and 0 <= j < x.shape[2]
    return float(x[0, i, j, c]) if inside else 0.0


def extent(size: int, before: int, after: int, kernel: int, stride: int, dilation: int) -> int:
    """Number of places of a window, counted one by one."""
    places = 0
    while places * stride + (kernel - 1) * dilation < size + before + after:
        places += 1
    return places


def conv2d(
    x: Array,
    w: Array,
    b: Array | None,
    residual: Array | None,
    *,
    stride: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> tuple[Array, int]:
    """The convolution, and how many multiplications it took."""
    outputs, rows, columns, inputs = w.shape
    height = extent(x.shape[1], pad[0], pad[1], rows, stride[0], dilation[0])
    width = extent(x.shape[2], pad[2], pad[3], columns, stride[1], dilation[1])
    y = np.zeros((1, height, width, outputs))
    count = 0
    for i, j, o in product(range(height), range(width), range(outputs)):
        total = 0.0 if b is None else float(b[o])
        first = o // (outputs // groups) * inputs
        for r, s, c in product(range(rows), range(columns), range(inputs)):
            row = i * stride[0] + r * dilation[0] - pad[0]
            column = j * stride[1] + s * dilation[1] - pad[2]
            total += padded(x, row, column, first + c) * float(w[o, r, s, c])
            count += 1
        y[0, i, j, o] = total if residual is None else total + float(residual[0, i, j, o])
    return y, count


def linear(x: Array, w: Array, b: Array | None) -> tuple[Array, int]:
    """The fully connected layer, and how many multiplications it took."""
    y = np.zeros((1, w.shape[0]))
    count = 0
    for o in range(w.shape[0]):
        y[0, o] = 0.0 if b is None else b[o]
        for c in range(w.shape[1]):
            y[0, o] += x[0, c] * w[o, c]
            count += 1
    return y, count


def batch_norm(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float) -> Array:
    """Channel by channel, divided before it is multiplied."""
    y = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        c = place[-1]
        y[place] = (x[place] - mean[c]) / math.sqrt(var[c] + eps) * gamma[c] + beta[c]
    return y


def pad(x: Array, sides: tuple[int, int, int, int]) -> Array:
    """Pixel by pixel."""
    top, bottom, left, right = sides
    _, height, width, channels = x.shape
    y = np.zeros((1, height + top + bottom, width + left + right, channels))
    for place in np.ndindex(*y.shape):
        y[place] = padded(x, place[1] - top, place[2] - left, place[3])
    return y


def global_avg_pool(x: Array) -> Array:
    """Sum, then divide."""
    y = np.zeros((1, 1, 1, x.shape[3]))
    for _, i, j, c in np.ndindex(*x.shape):
        y[0, 0, 0, c] += x[0, i, j, c]
    y /= x.shape[1] * x.shape[2]
    return y


def activate(name: str, value: float) -> float:
    """Case by case."""
    if name == "none":
        return value
    if name == "relu":
        return value if value > 0 else 0.0
    if name == "relu6":
        return 0.0 if value < 0 else 6.0 if value > 6 else value
    if value <= -3:
        return 0.0
    return value if value >= 3 else value * (value + 3) / 6


def activate_all(name: str, x: Array) -> Array:
    """`activate` for every element."""
    return np.array([activate(name, float(value)) for value in x.flat]).reshape(x.shape)
