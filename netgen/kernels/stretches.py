"""Loops over the channels of a pixel, for kernels that work channel by channel.

Channels are visited in the order of their places in `y`, and weights are packed in that order. A
stretch is what one loop can visit: the channel visited n-th stands at place n * step + shift of
every buffer, so the C knows the places from its loop variable and needs no tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from netgen.kernels.layer import Json, Layer
from netgen.kernels.layout import Layout, Places, visiting_order
from netgen.kernels.targets import Target
from netgen.kernels.terms import difference, product, sum_of
from netgen.kernels.tiles import cut_vectors
from netgen.kernels.tiling import Tiling


@dataclass(frozen=True)
class Line:
    """Places that follow from a counter n: n * step + shift."""

    step: int
    shift: int

    def place(self, n: str) -> str:
        """The place as C, in terms of the counter's name."""
        if self.step < 0:
            return str(difference(self.shift, product(n, -self.step)))
        return str(sum_of(product(n, self.step), self.shift))


@dataclass(frozen=True)
class Stretch:
    """The channels visited `first` to `end`, whose places are on one line in every buffer."""

    first: int
    end: int
    lines: Mapping[str, Line]

    @property
    def channels(self) -> int:
        """The number of its channels."""
        return self.end - self.first

    @property
    def vectors(self) -> bool:
        """Whether neighbours are neighbours everywhere, so that vectors hold them."""
        return all(line.step == 1 for line in self.lines.values())


def order_of(layer: Layer) -> Places:
    """The logical channels of `y` in the order in which kernels visit them."""
    return visiting_order(layer.layout("y"))


def find_stretches(layer: Layer, letters: Sequence[str]) -> list[Stretch]:
    """Loops over all channels; `letters` are the buffers with places, `y` among them."""
    order = order_of(layer)
    return stretches_of({letter: layer.layout(letter).places()[order] for letter in letters})


def stretches_of(places: Mapping[str, Places]) -> list[Stretch]:
    """Loops over channels, whose places are given in the order in which they are visited.

    Neighbours stay together; channels that stand alone, as they do where others were dealt in
    between, share a loop where their places keep a distance.
    """
    steps = np.diff(np.stack([*places.values()], axis=1), axis=0)
    near = [*(steps == 1).all(axis=1).tolist(), False]
    # Whether places go on at the distance before.
    alike = [True, *(steps[1:] == steps[:-1]).all(axis=1).tolist()]
    count = len(near)
    found: list[Stretch] = []
    first = 0
    while first < count:
        end = first + 1
        # What begins a row of neighbours is left to it.
        while end < count and (near[end - 1] if near[first] else not near[end]):
            if end - 1 > first and not alike[end - 1]:
                break
            end += 1
        lone = end == first + 1
        lines = {
            letter: Line(step, int(at[first]) - step * first)
            for (letter, at), step in zip(
                places.items(), [1] * len(places) if lone else steps[first].tolist(), strict=True
            )
        }
        found.append(Stretch(first, end, lines))
        first = end
    return found


@dataclass(frozen=True)
class VectorRun:
    """Vectors of one width; `visit` is where the first one is in the order of visits.

    `first` to `end` count what was visited by all vectors so far, as the C does, and as weights are
    packed. That is more than there are channels where the last vector of a stretch repeats some.
    """

    first: int
    end: int
    width: int
    visit: int
    lines: Mapping[str, Line]


def vector_runs(
    layer: Layer, target: Target, letters: Sequence[str] = ("x", "y"), *, repeat: bool = True
) -> list[VectorRun]:
    """All channels of some buffers as vectors of the target, the widest first in each stretch.

    Unless `repeat` is off, a last vector may repeat channels rather than leave some to scalars,
    where vectors are registers and `y` does not take the place of `x`. Layers whose values stand
    alike do not do so.
    """
    repeat = (
        repeat
        and target.processor.repeats
        and not same_layout(layer.layout(letters[0]), layer.layout("y"))
    )
    tiling = target.tiling(layer.result.dtype)
    runs: list[VectorRun] = []
    for stretch in find_stretches(layer, letters):
        widths = tiling.vector_widths if stretch.vectors else ()
        for start, end, width in _cut(stretch.channels, widths, repeat=repeat):
            first, visit = runs[-1].end if runs else 0, stretch.first + start
            lines = {
                letter: Line(line.step, line.shift + line.step * (visit - first))
                for letter, line in stretch.lines.items()
            }
            runs.append(VectorRun(first, first + end - start, width, visit, lines))
    return runs


def _cut(channels: int, widths: Sequence[int], *, repeat: bool) -> list[tuple[int, int, int]]:
    """Runs (start, end, width) of equal vectors over exactly these channels."""
    fitting = tuple(width for width in widths if width <= channels)
    if repeat and fitting and channels % fitting[0]:
        rest = channels % fitting[0]
        last = min(width for width in fitting if width >= rest)
        return [(0, channels - rest, fitting[0]), (channels - last, channels, last)]
    runs, start = [], 0
    for width, cut in groupby(cut_vectors(channels, fitting)):
        end = start + width * len(list(cut))
        runs.append((start, end, width))
        start = end
    return runs


def packed_order(layer: Layer, runs: Sequence[VectorRun]) -> Places:
    """The logical channels of `y` in the order in which vectors hold them."""
    visits = [run.visit + np.arange(run.end - run.first) for run in runs]
    return order_of(layer)[np.concatenate(visits)]


def describe_vector_runs(runs: Sequence[VectorRun], tiling: Tiling) -> list[Json]:
    """Runs as templates print them, with the place of a vector in terms of `c` by letter."""
    described: list[Json] = []
    for run in runs:
        places = places_of(run.lines, run.first, single=run.end - run.first == run.width)
        lanes = run.width > 1 and not tiling.vector_types
        described.append(
            {"first": run.first, "end": run.end, "width": run.width, "lanes": lanes, **places}
        )
    return described


def describe_stretches(layer: Layer, letters: Sequence[str]) -> list[Json]:
    """Stretches as templates print them, with the place of channel `c` by letter.

    The end of one loop over all channels is their number's name.
    """
    described: list[Json] = []
    for stretch in find_stretches(layer, letters):
        whole = stretch.channels == layer.layout("y").channels
        places = places_of(stretch.lines, stretch.first, single=stretch.channels == 1 and not whole)
        end: Json = "channels" if whole else stretch.end
        described.append({"first": stretch.first, "end": end, **places})
    return described


def places_of(lines: Mapping[str, Line], first: int, *, single: bool) -> dict[str, Json]:
    """The places in terms of `c`, by letter; a loop that runs once has no counter."""
    return {
        letter: str(first * line.step + line.shift) if single else line.place("c")
        for letter, line in lines.items()
    }


def describe_pitches(layer: Layer, letters: Sequence[str]) -> dict[str, Json]:
    """Names of the places from pixel to pixel, by letter, and the numbers that have these names.

    Where every pixel is as long as it has channels, all are `channels`.
    """
    pitches = {letter: layer.layout(letter).pitch for letter in letters}
    if set(pitches.values()) == {layer.layout("y").channels}:
        return {"pitch": dict.fromkeys(letters, "channels"), "pitches": {}}
    return {
        "pitch": {letter: f"{letter}_pitch" for letter in letters},
        "pitches": {f"{letter}_pitch": pitch for letter, pitch in pitches.items()},
    }


def describe_elements(layer: Layer, letters: Sequence[str]) -> dict[str, Json]:
    """Elements for one loop over all, or stretches for a loop over pixels and one over channels."""
    operands, y = layer.operands, layer.result
    elements, channels = y.elements, layer.layout("y").channels
    if is_flat(layer, letters):
        return {"elements": elements, "stretches": []}
    whole = [a for a in letters if a not in operands or operands[a].shape == y.shape]
    return {
        "pixels": elements // channels,
        "channels": channels,
        # One number per channel has no second pixel.
        **describe_pitches(layer, whole),
        "stretches": describe_stretches(layer, letters),
    }


def same_layout(a: Layout, b: Layout) -> bool:
    """Whether the same channels stand in the same places."""
    return a.pitch == b.pitch and a.places().tolist() == b.places().tolist()


def is_flat(layer: Layer, letters: Sequence[str]) -> bool:
    """Whether elementwise kernels may forget pixels: all stand alike, and leave no gaps."""
    y = layer.layout("y")
    return y.pitch == y.channels and all(same_layout(layer.layout(a), y) for a in letters)


def in_place(layer: Layer, letter: str, pixels: int = 0) -> dict[str, int]:
    """The answer of `overlap` for one operand: `y` so many pixels before it, if both stand alike.

    Channels that changed their places would be overwritten before they are read.
    """
    x, y = layer.layout(letter), layer.layout("y")
    pixel = layer.result.element.bytes * y.pitch
    alike = layer.operands[letter].dtype == layer.result.dtype and same_layout(x, y)
    return {letter: pixel * pixels} if alike else {}
