"""Layouts of operators that mix channels: in which order they visit them, and where those stand.

The inputs of a group are added in the order of their places in `x`, and its outputs are computed in
the order of their places in `y`. Weights are packed in these orders, so the C only steps from run
to run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from netgen.kernels.layer import Json, Layer, Packed
from netgen.kernels.layout import Layout, Places, Span, common_spans
from netgen.kernels.targets import Target
from netgen.kernels.tiles import Tile, cover_runs
from netgen.kernels.tiling import Folds, Tiling

# Inputs for which adding up the sums of folded vectors pays: of one, and of all.
_FOLDED: Mapping[Folds, float] = {"none": math.inf, "narrow": 16, "all": 64}

# How many channels the pixels of a dense value have.
_CHANNELS: Mapping[str, str] = {"x": "channels", "y": "outputs", "residual": "outputs"}


def visiting_orders(layout: Layout, groups: int) -> Places:
    """[groups, channels of a group]: the channels of each group in the order of their places."""
    places = layout.places().reshape(groups, -1)
    first = np.arange(groups)[:, None] * places.shape[1]
    return first + np.argsort(places, axis=1, kind="stable")


def visited(layer: Layer, groups: int, constants: Mapping[str, Packed]) -> tuple[Packed, Packed]:
    """The weights [groups, outputs, taps, inputs] and the bias [groups, outputs], as visited."""
    w = constants["w"]
    b = constants.get("b", np.zeros(len(w), w.dtype))
    rows = visiting_orders(layer.layout("y"), groups)
    columns = visiting_orders(layer.layout("x"), groups) % w.shape[-1]
    taps = w[rows].reshape(*rows.shape, -1, w.shape[-1])
    return np.take_along_axis(taps, columns[:, None, None, :], axis=3), b[rows]


def describe_product_pitches(layer: Layer, dense: Mapping[str, str] = _CHANNELS) -> dict[str, Json]:
    """Names of the places from pixel to pixel, by letter, and the numbers that have these names.

    Where a pixel has nothing but the channels, they may have a name already: `dense`.
    """
    names: dict[str, Json] = {}
    pitches: dict[str, Json] = {}
    for letter in _CHANNELS:
        if letter == "y" or letter in layer.operands:
            layout = layer.layout(letter)
            own = layout.pitch != layout.channels or letter not in dense
            names[letter] = f"{letter}_pitch" if own else dense[letter]
            pitches |= {f"{letter}_pitch": layout.pitch} if own else {}
    return {"pitch": names, "pitches": pitches}


def describe_inputs(layer: Layer, groups: int) -> dict[str, Json]:
    """The places of a group's inputs in a pixel of `x`, in the order in which they are visited.

    If the places follow each other, `x_first` is the first. Otherwise a table in `x_runs` has the
    first place of each run and its length. One table serves all groups if each group stands
    `x_step` further than the one before. Otherwise each group has its own, filled up with empty
    runs.
    """
    tables = input_runs(layer, groups)
    step = tables[1][0] - tables[0][0] if groups > 1 else 0
    if any(table != _further(tables[0], g * step) for g, table in enumerate(tables)):
        most = max(map(len, tables))
        filled: list[Json] = [[*table, *[0] * (most - len(table))] for table in tables]
        return {"x_first": 0, "x_step": 0, "x_runs": filled}
    if len(tables[0]) > 2:
        return {"x_first": 0, "x_step": step, "x_runs": [[*tables[0]]]}
    return {"x_first": tables[0][0], "x_step": step, "x_runs": []}


def most_fold(layer: Layer, groups: int, target: Target) -> int:
    """Into how many sums of inputs that follow each other in `x` an output may be divided.

    A power of two that divides every run of inputs, at most four; one where sums are too short to
    pay for adding them up, and for targets without.
    """
    lengths = run_lengths(layer, groups)
    if sum(lengths) < _FOLDED[target.tiling(layer.result.dtype).folds] * groups:
        return 1
    return math.gcd(4, *lengths)


def describe_loads(lengths: Iterable[int], tiling: Tiling) -> dict[str, Json]:
    """The number of neighbouring inputs that one load takes `together`; empty if it takes one.

    The rest of a run, at most `alone` inputs, is loaded one by one. `lengths` are the runs'.
    """
    together = tiling.lanes_of_inputs
    runs = [*lengths]
    if not together or max(runs) < together:
        return {}
    return {"together": together, "alone": max(length % together for length in runs)}


def run_lengths(layer: Layer, groups: int) -> list[int]:
    """The lengths of all runs of inputs, in all groups."""
    return [*_run_lengths(layer.layout("x"), groups)]


@lru_cache(maxsize=4096)
def _run_lengths(layout: Layout, groups: int) -> tuple[int, ...]:
    return tuple(length for table in _input_runs(layout, groups) for length in table[1::2])


def _further(table: list[int], step: int) -> list[int]:
    return [number if n % 2 else number + step for n, number in enumerate(table)]


def input_runs(layer: Layer, groups: int) -> list[list[int]]:
    """A table for each group: the first place of each run and its length, one after the other."""
    return _input_runs(layer.layout("x"), groups)


def _input_runs(layout: Layout, groups: int) -> list[list[int]]:
    tables = []
    for places in layout.places()[visiting_orders(layout, groups)]:
        runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
        tables.append([number for run in runs for number in (int(run[0]), len(run))])
    return tables


@dataclass(frozen=True)
class Part:
    """Groups `first` to `end`, whose outputs stand alike in the pixels.

    `spans` are those of the first group, `steps` by letter how much further each group's stand
    than those of the one before. Places count from where the pointers of the C are by then: each
    group has moved them by its step. `scattered` outputs do not fill one row of places.
    """

    first: int
    end: int
    spans: tuple[Span, ...]
    steps: Mapping[str, int]
    scattered: bool

    @property
    def lengths(self) -> list[int]:
        """The numbers of outputs of a group that stand side by side."""
        return [span.channels for span in self.spans]


def output_parts(layer: Layer, groups: int) -> list[Part]:
    """The groups in order, in as few parts as a walk finds."""
    letters = ("y", "residual") if "residual" in layer.operands else ("y",)
    layouts = {letter: layer.layout(letter) for letter in letters}
    alike: list[list[tuple[Span, ...]]] = []
    for order in visiting_orders(layouts["y"], groups):
        spans = tuple(common_spans(layouts, order))
        if not alike or not _goes_on(alike[-1], spans):
            alike.append([])
        alike[-1].append(spans)
    parts, first, moved = [], 0, dict.fromkeys(letters, 0)
    gaps = any(layout.pitch != layout.channels for layout in layouts.values())
    for group in alike:
        start = group[0][0].first
        steps = {a: group[1][0].first[a] - start[a] if group[1:] else 0 for a in letters}
        scattered = gaps or len(group[0]) > 1
        end = first + len(group)
        parts.append(Part(first, end, _moved(group[0], moved), steps, scattered))
        first += len(group)
        moved = {a: moved[a] + len(group) * steps[a] for a in letters}
    return parts


def _goes_on(groups: list[tuple[Span, ...]], spans: tuple[Span, ...]) -> bool:
    """Whether the spans of one more group stand as those before, one equal step further."""
    before, *earlier = reversed(groups)
    step = {a: place - before[0].first[a] for a, place in spans[0].first.items()}
    return _moved(spans, step) == before and (not earlier or _moved(before, step) == earlier[0])


def _moved(spans: tuple[Span, ...], back: Mapping[str, int]) -> tuple[Span, ...]:
    """The spans so many places earlier, by letter."""
    return tuple(
        Span(s.start, s.channels, {a: place - back[a] for a, place in s.first.items()})
        for s in spans
    )


def describe_outputs(layer: Layer, groups: int) -> list[Json]:
    """Spans of the visited outputs, of all groups in a row.

    `start` and `end` count visited outputs; by letter: how much further they stand in a pixel.
    """
    letters = ("y", "residual") if "residual" in layer.operands else ("y",)
    layouts = {letter: layer.layout(letter) for letter in letters}
    order = visiting_orders(layouts["y"], groups).ravel()
    return [
        {
            "start": s.start,
            "end": s.start + s.channels,
            **{letter: place - s.start for letter, place in s.first.items()},
        }
        for s in common_spans(layouts, order)
    ]


def layout_cost(layer: Layer, groups: int, tile: Tile, target: Target) -> float:
    """Cycles that runs of inputs and pieces of outputs take: a new loop, a move through memory."""
    runs = max(map(len, input_runs(layer, groups))) // 2
    pixels = layer.result.elements // layer.result.shape[-1]
    cycles = 0.0
    for part in output_parts(layer, groups):
        vectors = len(cover_runs(part.lengths, target.tiling(layer.result.dtype).vector_widths))
        tiles = -(-pixels // tile.rows) * -(-vectors // tile.vectors)
        more = max(len(part.lengths) - 1, 0)
        cycles += (part.end - part.first) * (8.0 * tiles * (runs - 1) + 4.0 * pixels * more)
    return cycles
