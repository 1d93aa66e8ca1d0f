"""The gain of each step of quantisation, on images that nothing was fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.quantisation.fit import fitted
from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.scheme import Scheme
from netgen.quantisation.statistics import ChannelStatistics, Progress, channel_statistics

# Images that steps are judged with, half of which they are fitted to: so many that all of them take
# about so many multiply-adds, within bounds.
_MACS = 4e9
_IMAGES = (12, 64)
# So many decibels are nothing that so few images could tell.
_CHANCE = 0.5


@dataclass(frozen=True)
class Gain:
    """The noise of the worst output in decibels with a step, and all that were kept before it.

    A step that makes it worse, by more than chance, is not `kept`.
    """

    step: str
    decibels: float
    kept: bool = True


def judged_steps(
    graph: Graph,
    scheme: Scheme,
    statistics: Mapping[str, ChannelStatistics],
    images: Mapping[str, Array],
    options: QuantizeOptions,
    progress: Progress,
) -> tuple[QuantizeOptions, tuple[Gain, ...]]:
    """Take one step after the other, and keep those that do not harm.

    `statistics` are those of all images: a value that is one number in those that a step is fitted
    to has its range from them. With fewer than four images all are kept.
    The options that are left, and what each step came to.
    """
    most = int(np.clip(_MACS / max(graph.macs(), 1), *_IMAGES))
    batch = {name: given[:most] for name, given in images.items()}
    count = len(next(iter(batch.values())))
    if count < 4:
        return options, ()
    learned = np.arange(count) % 2 == 0
    seen = {name: given[learned] for name, given in batch.items()}
    known = {
        name: statistics[name] if found.is_constant else found
        for name, found in channel_statistics(graph, seen, progress).items()
    }
    now = replace(
        options, observer="minmax", equalise=False, correct_bias=False, round_weights=False
    )
    found: list[Gain] = []
    best = -np.inf
    for step, changed in _steps(options):
        tried = replace(now, **changed)

        def tell(text: str, step: str = step) -> None:
            progress(f"judging {step}: {text}")

        _, _, walk = fitted(graph, scheme, known, batch, tried, learned, tell)
        noise = min(walk.outputs.values())
        found.append(Gain(step, noise, noise > best - _CHANCE))
        if found[-1].kept:
            now, best = tried, noise
    return now, tuple(found)


def _steps(options: QuantizeOptions) -> Iterator[tuple[str, dict[str, Any]]]:
    """The steps that are on, in order: what each changes in the options."""
    yield "minmax", {}
    if options.observer != "minmax":
        yield options.observer, {"observer": options.observer}
    if options.equalise:
        yield "equalisation", {"equalise": True}
    if options.correct_bias:
        yield "bias correction", {"correct_bias": True}
    if options.round_weights:
        yield "adaptive rounding", {"round_weights": True}
