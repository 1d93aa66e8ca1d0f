"""The cost model of register tiles, fitted to tiles that are timed in isolation.

The model (`kernels/tiles.py`) is a sum of four parts: the multiply-adds, whose cycles are known,
and three that are fitted, non-negative, by least squares of relative errors. It is judged on
networks that it has not seen by what its choices cost (regret) and by whether it ranks tiles as the
clock does (Kendall's tau). Of measured choices, those are made on half of the rounds and timed on
the other half: the fastest of many would else be flattered by luck.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.f32.pointwise import PointwiseF32, product_of
from netgen.kernels.layer import Choice
from netgen.kernels.products import most_fold
from netgen.kernels.targets import Target
from netgen.kernels.tiles import Tile, tile_cost
from netgen.kernels.tiling import TileCycles
from netgen.plan.data.plan import Plan
from netgen.runtime.compilers import CCompiler
from netgen.tune.candidates import load_candidates
from netgen.tune.search import case_of, distinct_cases
from netgen.tune.timing import round_times

_MOST_TILES, _ROUNDS, _STEPS = 14, 10, 30
# Relative errors below this count as nothing: the clock itself is no better.
_PRECISION = 0.02

Cost: TypeAlias = Callable[[Tile], float]


@dataclass(frozen=True)
class Sample:
    """A product of `pixels` by `inputs` by `outputs`, `steps` times in a network.

    `seconds` [rounds, tiles] are those of one call.
    """

    key: str
    steps: int
    pixels: int
    outputs: int
    inputs: int
    most_fold: int
    tiles: tuple[Tile, ...]
    seconds: Array

    def cost(self, target: Target) -> Cost:
        """The model's cycles of a tile."""
        shape = (self.pixels, self.outputs, self.inputs, self.most_fold)
        return lambda tile: tile_cost(target.f32, tile, *shape)


@dataclass(frozen=True)
class Ranking:
    """The quality of a model's ranking of tiles, over some samples.

    `regret` is the share of time that its choices lose against the fastest, all samples together.
    `tau` is Kendall's, the mean over the samples: 1 for the order of the clock, 0 for any order.
    """

    samples: int
    regret: float
    tau: float


def product_samples(
    plan: Plan, target: Target, compiler: CCompiler, progress: Callable[[str], None]
) -> list[Sample]:
    """Time several tiles of each distinct pointwise layer of more than one pixel."""
    samples = []
    for key, steps in distinct_cases(plan, target).items():
        case = case_of(plan, steps[0])
        if not isinstance(case.kernel, PointwiseF32):
            continue
        product = product_of(case.layer)
        if product.pixels == 1:
            continue
        progress(f"timing {key}")
        first: dict[Tile, Choice] = {}
        for choice in case.kernel.choices(case.layer, target):
            first.setdefault(Tile(choice["rows"], choice["vectors"]), choice)
        chosen = dict([*first.items()][:_MOST_TILES])
        call = load_candidates(case, [*chosen.values()], target, compiler)
        seconds = round_times(call, range(len(chosen)), _ROUNDS)
        fold = most_fold(case.layer, product.groups, target)
        shape = (product.pixels, product.outputs, product.inputs, fold)
        samples.append(Sample(key, len(steps), *shape, tuple(chosen), seconds))
    return samples


def fit_cycles(samples: Sequence[Sample], target: Target) -> tuple[TileCycles, float]:
    """The fitted part of the model, and the cycles per nanosecond that it implies.

    What disturbs a measurement only makes it slower, so the fastest round stands for each tile.
    Errors are weighted so that the sum is of their sizes, not of their squares.
    """
    features = np.array([_features(s, tile, target) for s in samples for tile in s.tiles])
    seconds = np.concatenate([s.seconds.min(axis=0) for s in samples])
    weights = 1.0 / seconds
    found = np.zeros(4)
    for _ in range(_STEPS):
        found = _non_negative(features * weights[:, None], seconds * weights)
        errors = np.abs(features @ found / seconds - 1.0)
        weights = 1.0 / (seconds * np.sqrt(np.maximum(errors, _PRECISION)))
    cycles = found[1:] / found[0]
    return TileCycles(*(round(float(c), 2) for c in cycles)), 1e-9 / float(found[0])


def _features(sample: Sample, tile: Tile, target: Target) -> list[float]:
    """The factor of each part of the model, in cycles: the model is linear in its parts."""
    parts = [TileCycles(0, 0, 0), TileCycles(1, 0, 0), TileCycles(0, 1, 0), TileCycles(0, 0, 1)]
    none, *others = (sample.cost(target.with_cycles(part))(tile) for part in parts)
    return [none, *(other - none for other in others)]


def _non_negative(features: Array, values: Array) -> Array:
    """Least squares; what would be negative is left out, the most negative first."""
    kept = list(range(features.shape[1]))
    found = np.zeros(features.shape[1])
    while kept:
        solved = np.linalg.lstsq(features[:, kept], values, rcond=None)[0]
        if (solved >= 0).all():
            found[kept] = solved
            break
        kept.pop(int(np.argmin(solved)))
    return found


def rank(samples: Sequence[Sample], target: Target) -> Ranking:
    """The quality of the target's model as it ranks the tiles of samples."""
    chosen = fastest = 0.0
    taus = []
    for sample in samples:
        costs = np.array([sample.cost(target)(tile) for tile in sample.tiles])
        judged, chooses = sample.seconds[::2].min(axis=0), sample.seconds[1::2].min(axis=0)
        chosen += sample.steps * float(judged[np.argmin(costs)])
        fastest += sample.steps * float(judged[np.argmin(chooses)])
        taus.append(_tau(costs, sample.seconds.min(axis=0)))
    return Ranking(len(samples), chosen / fastest - 1.0, float(np.mean(taus)))


def _tau(one: Array, other: Array) -> float:
    """Kendall's rank correlation; pairs that either side takes for equal count as neither."""
    a, b = np.triu_indices(len(one), 1)
    agree = np.sign(one[a] - one[b]) * np.sign(other[a] - other[b])
    return float(agree.mean()) if len(agree) else 1.0
