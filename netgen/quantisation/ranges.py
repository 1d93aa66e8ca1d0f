"""Ranges of values: which numbers their 256 codes reach, chosen from histograms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netgen.errors import InputError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array, Quantisation, rounded_scale
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.weighted import Weighted
from netgen.quantisation.options import Observer
from netgen.quantisation.scheme import Scheme, shares_codes
from netgen.quantisation.statistics import ChannelStatistics

LOW, HIGH = -128, 127
_BINS = 4096
_OUTLIERS = 1e-4
# Parts of the whole range that are tried as an end.
_PARTS = tuple(1.0 - k / 64 for k in range(56))


@dataclass
class Histogram:
    """Elements of the values of a group, in equal bins from `low` to `high`.

    `weights` are what errors of the elements count for the layers that read them.
    """

    low: float
    high: float
    counts: Array
    weights: Array

    def add(self, batch: Array, importance: Array) -> None:
        """Count a batch, whose channels are so important."""
        width = (self.high - self.low) / _BINS
        flat = batch.reshape(-1, batch.shape[-1])
        for part in np.array_split(flat, max(1, flat.size >> 20)):
            bins = ((part - self.low) * (1.0 / width)).astype(np.int64)
            bins = np.clip(bins, 0, _BINS - 1).reshape(-1)
            each = np.broadcast_to(importance / len(flat), part.shape).reshape(-1)
            self.counts += np.bincount(bins, minlength=_BINS)
            self.weights += np.bincount(bins, each, _BINS)

    def middles(self) -> Array:
        """The number in the middle of each bin."""
        width = (self.high - self.low) / _BINS
        return self.low + (np.arange(_BINS) + 0.5) * width


def empty_histograms(
    scheme: Scheme, used: Iterable[str], statistics: Mapping[str, ChannelStatistics]
) -> dict[str, Histogram]:
    """A histogram for each group of the values that have codes, by the name of the group.

    Raises InputError for a value that is constant.
    """
    ends: dict[str, tuple[float, float]] = {}
    for name in used:
        if name not in statistics:
            continue
        low, high = float(statistics[name].low.min()), float(statistics[name].high.max())
        if statistics[name].is_constant:
            raise InputError(
                f"this value is {low:g} everywhere, in all images: it has no range",
                where=f"%{name}",
                hint="check weights and images, or keep what makes it in floats",
            )
        before = ends.get(scheme.group[name], (0.0, 0.0))
        ends[scheme.group[name]] = min(low, before[0]), max(high, before[1])
    return {
        group: Histogram(low, high, np.zeros(_BINS), np.zeros(_BINS))
        for group, (low, high) in ends.items()
    }


def importance(graph: Graph, name: str, statistics: Mapping[str, ChannelStatistics]) -> Array:
    """The weight of a squared error in each channel, for the layers that read a value.

    It is the square of what a layer multiplies by, over the mean square of the result, as a mean
    over the results.
    """
    channels = graph[name].type.shape[-1]
    total = np.zeros(channels)
    for reader in graph.users(name):
        if shares_codes(reader.op):
            continue  # its own result says what it is for
        square = statistics[reader.name].square
        relative = 1.0 / (square + 0.01 * square.mean() + 1e-30)
        if isinstance(reader.op, Weighted) and graph.is_const(reader.operands[1]):
            w = graph.constant(reader.operands[1])
            total += _importance_of_inputs(reader.op, w, relative, channels)
        else:
            total += relative.mean() / channels
    if not total.any():
        total += 1.0 / channels / (statistics[name].square.mean() + 1e-30)
    return total


def _importance_of_inputs(op: Weighted, w: Array, relative: Array, channels: int) -> Array:
    squares = (w.astype(np.float64) ** 2).reshape(len(w), -1, w.shape[-1]).sum(axis=1)
    if isinstance(op, DepthwiseConv2d):
        return np.asarray((squares[:, 0] * relative / len(w)).reshape(channels, -1).sum(axis=1))
    shares = squares * relative[:, None] / len(w)
    groups = getattr(op, "groups", 1)
    return np.concatenate([part.sum(axis=0) for part in np.array_split(shares, groups)])


def quantisation_of(low: float, high: float) -> Quantisation:
    """The codes of i8 for numbers from low to high, zero among them."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = rounded_scale((high - low) / (HIGH - LOW))
    zero = int(np.clip(np.rint(LOW - low / scale), LOW, HIGH))
    return Quantisation(scale, zero)


def chosen(histogram: Histogram, observer: Observer) -> Quantisation:
    """The codes of a group, as the observer chooses them."""
    low, high = histogram.low, histogram.high
    if observer == "percentile":
        low, high = _percentile(histogram)
    elif observer != "minmax":
        weights = histogram.counts if observer == "mse" else histogram.weights
        low, high = _least_error(histogram.middles(), weights, low, high)
    return quantisation_of(low, high)


def _percentile(histogram: Histogram) -> tuple[float, float]:
    share = np.cumsum(histogram.counts) / histogram.counts.sum()
    middles = histogram.middles()
    first = int(np.searchsorted(share, _OUTLIERS / 2))
    last = int(np.searchsorted(share, 1.0 - _OUTLIERS / 2))
    low = middles[first] if histogram.low < 0.0 else 0.0
    high = middles[min(last, _BINS - 1)] if histogram.high > 0.0 else 0.0
    return (low, high) if low < high else (histogram.low, histogram.high)


def _least_error(middles: Array, weights: Array, low: float, high: float) -> tuple[float, float]:
    """The ends with the least squared error: one after the other, and both once more."""
    for _ in range(2):
        if high > 0.0:
            high = _best(middles, weights, [(low, high * part) for part in _PARTS])[1]
        if low < 0.0:
            low = _best(middles, weights, [(low * part, high) for part in _PARTS])[0]
    return low, high


def _best(
    middles: Array, weights: Array, ranges: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    return min(ranges, key=lambda ends: _error(middles, weights, quantisation_of(*ends)))


def _error(middles: Array, weights: Array, codes: Quantisation) -> float:
    assert isinstance(codes.scale, float)
    rounded = np.clip(np.rint(middles / codes.scale) + codes.zero, LOW, HIGH) - codes.zero
    return float((weights * (rounded * codes.scale - middles) ** 2).sum())
