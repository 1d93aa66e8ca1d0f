"""Layouts: the places of an activation's channels in the pixels of its buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ChannelRun:
    """Consecutive places from `first` on, which hold the channels `at`, `at + step`, ..."""

    first: int
    channels: int
    at: int
    step: int


@dataclass(frozen=True)
class Layout:
    """A buffer's pixels have `pitch` places; `runs` say which of them hold which channels.

    Runs start at multiples of `granularity`. What stands outside the image is `border`: 0, of
    codes the zero point as it is stored. Codes are stored as code + `bias`.
    """

    pitch: int
    runs: tuple[ChannelRun, ...]
    granularity: int = 1
    border: int = 0
    bias: int = 0

    @property
    def channels(self) -> int:
        """The number of channels that the layout holds."""
        return sum(run.channels for run in self.runs)

    @property
    def is_dense(self) -> bool:
        """Whether pixels hold the channels in order, and nothing else."""
        return self.pitch == self.channels and self.runs == dense_layout(self.channels).runs

    def places(self) -> Places:
        """The place of every channel, in the logical order of the channels; not to be changed."""
        return self._places

    @cached_property
    def _places(self) -> Places:
        # Planning asks for them again and again.
        places = np.full(self.channels, -1, np.int64)
        for run in self.runs:
            end = run.at + run.step * run.channels
            places[run.at : end : run.step] = np.arange(run.first, run.first + run.channels)
        places.flags.writeable = False
        return places


def dense_layout(channels: int, border: int = 0) -> Layout:
    """All places in logical order, none between pixels."""
    return Layout(channels, (ChannelRun(0, channels, 0, 1),), border=border)


def layout_of(pitch: int, places: Sequence[int] | Places) -> Layout:
    """The layout with the fewest runs, in the order of the places, of channels at these places."""
    order = np.argsort(np.asarray(places), kind="stable")
    runs: list[tuple[int, int, int, int]] = []
    for channel, place in zip(order.tolist(), np.asarray(places)[order].tolist(), strict=True):
        if runs:
            first, channels, at, step = runs[-1]
            distance = channel - (at + step * (channels - 1))
            goes_on = distance == step or (channels == 1 and distance > 0)
            if place == first + channels and goes_on:
                runs[-1] = first, channels + 1, at, distance
                continue
        runs.append((place, 1, channel, 1))
    return Layout(pitch, tuple(ChannelRun(*run) for run in runs))


@dataclass(frozen=True)
class Span:
    """Channels that follow each other in every layout of a layer.

    `start` is how many channels the kernel visits before; `first` the place of the first channel,
    by letter.
    """

    start: int
    channels: int
    first: Mapping[str, int]


def visiting_order(layout: Layout) -> Places:
    """The logical channels in the order of their places: how kernels visit them."""
    return np.argsort(layout.places(), kind="stable")


def common_spans(layouts: Mapping[str, Layout], order: Places) -> list[Span]:
    """Cut channels, visited in `order`, where one of the layouts does not go on by one place."""
    places = {letter: layout.places()[order] for letter, layout in layouts.items()}
    cut = np.ones(len(order) + 1, bool)
    cut[1:-1] = np.any([np.diff(p) != 1 for p in places.values()], axis=0)
    cuts = np.flatnonzero(cut).tolist()
    return [
        Span(a, b - a, {letter: int(p[a]) for letter, p in places.items()})
        for a, b in pairwise(cuts)
    ]
