"""Adaptive rounding: weights are rounded up or down so that a layer's results change least.

The aim is that of "Up or Down? Adaptive Rounding for Post-Training Quantization", Nagel et al.
2020, equation 7: the squared error of the sums, a quadratic form of the errors of the weights. It
is solved by coordinate descent instead of gradients: nothing is drawn at random, and each step
lowers the error.
"""

from __future__ import annotations

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.weighted import Weighted
from netgen.ops.window import Sliding
from netgen.quantisation.over_images import over_images
from netgen.quantisation.weights import MOST, along_outputs

_SWEEPS = 3
# Windows of each image that are looked at, evenly spread.
_WINDOWS = 64
# Every so manieth image judges what was fitted to the others.
_JUDGES = 4
# How much of the diagonal is added: few images must not be taken for all that there are.
_SHRINK = 0.02


def adapted(op: Weighted, w: Array, scales: Array, near: Array, x: Array) -> Array:
    """Codes of weights for a batch of inputs x, as real numbers; `near` are the nearest codes.

    An output whose codes are no better on images that they were not fitted to keeps the nearest
    ones. So do all where there are fewer windows than weights of an output, and those of other
    layers than windows and matrices.
    """
    if not isinstance(op, Linear | Sliding):
        return near
    groups = _groups(op, x.shape[-1])
    units = (w.astype(np.float64) / along_outputs(scales, w)).reshape(groups, len(w) // groups, -1)
    judges = np.arange(len(x)) % _JUDGES == _JUDGES - 1
    windows = over_images(lambda n: _windows(op, w, x[n], groups), len(x))
    fitted, judged = _by_group(windows[~judges]), _by_group(windows[judges])
    if fitted.shape[1] < units.shape[2] or not judged.shape[1]:
        return near
    start = near.astype(np.float64).reshape(units.shape)
    moments = np.matmul(fitted.transpose(0, 2, 1), fitted).astype(np.float64) / fitted.shape[1]
    mean = np.trace(moments, axis1=1, axis2=2) / moments.shape[1]
    moments += np.eye(moments.shape[1]) * (_SHRINK * mean + 1e-30)[:, None, None]
    codes = _descended(units, start, moments)
    better = _errors(codes - units, judged) < _errors(start - units, judged)
    return np.where(better[..., None], codes, start).reshape(w.shape).astype(np.int8)


def _groups(op: Weighted, channels: int) -> int:
    """The number of groups of outputs, each of which reads inputs of its own."""
    if isinstance(op, DepthwiseConv2d):
        return channels
    return op.groups if isinstance(op, Conv2d) else 1


def _windows(op: Weighted, w: Array, x: Array, groups: int) -> Array:
    """The inputs of sums at some places of an image, as (groups, places, weights)."""
    if not isinstance(op, Sliding):
        return x.reshape(1, -1, w.shape[1])
    taps = op.window(w.shape).taps(x, 0.0)
    count = taps.shape[0] * taps.shape[1]
    places = np.unique(np.linspace(0, count - 1, _WINDOWS).astype(np.int64))
    rows, columns = np.divmod(places, taps.shape[1])
    found = taps[rows, columns].reshape(len(places), *w.shape[1:3], groups, -1)
    return found.transpose(3, 0, 1, 2, 4).reshape(groups, len(places), -1)


def _by_group(windows: Array) -> Array:
    """The windows of all images together, (groups, places, weights)."""
    return windows.swapaxes(0, 1).reshape(windows.shape[1], -1, windows.shape[3])


def _errors(wrong: Array, windows: Array) -> Array:
    """The mean squared error of each output, (groups, outputs)."""
    errors = np.matmul(windows, wrong.transpose(0, 2, 1).astype(np.float32))
    return np.asarray(np.square(errors, dtype=np.float64).sum(axis=1))


def _descended(units: Array, start: Array, moments: Array) -> Array:
    """Codes next to the weights, in units of codes, that no single step makes better."""
    low, high = np.maximum(np.floor(units), -MOST), np.minimum(np.ceil(units), MOST)
    codes = start.copy()
    slope = np.matmul(codes - units, moments)
    for _ in range(_SWEEPS):
        before = codes.copy()
        for k in range(units.shape[2]):
            best = np.rint(codes[..., k] - slope[..., k] / moments[:, k, k, None])
            step = np.clip(best, low[..., k], high[..., k]) - codes[..., k]
            group, output = np.nonzero(step)
            moved = step[group, output]
            codes[group, output, k] += moved
            slope[group, output] += moved[:, None] * moments[group, k]
        if np.array_equal(before, codes):
            break
    return codes
