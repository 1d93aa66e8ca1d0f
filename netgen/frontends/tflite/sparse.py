"""Weights that are stored without their zeros: the places of those that are there.

Levels, from the outermost, lead to each stored number, in the order in which axes are traversed. A
level has all places of its axis, or those that it lists: those of the parent p are listed from
`segments[p]` to `segments[p + 1]`. Axes behind those of the tensor are of blocks: block k cuts
axis `blocks[k]`. Source: TensorFlow Lite, `schema.fbs`, SparsityParameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.frontends.onnx_budget import Budget

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """All places of an axis, `size` of them; or those that `indices` list, by `segments`."""

    size: int
    segments: tuple[int, ...] = ()
    indices: tuple[int, ...] = ()
    is_listed: bool = False


@dataclass(frozen=True)
class Sparsity:
    """The levels, the axis of each of them, and the axes that blocks cut."""

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[Level, ...]


def expanded(
    stored: npt.NDArray[Any], shape: Sequence[int], sparsity: Sparsity, budget: Budget
) -> npt.NDArray[Any]:
    """All elements, zeros where none are stored; raises WeightsError where places do not fit."""
    rank, order = len(shape), sparsity.order
    if (
        min(shape, default=-1) < 0
        or sorted(order) != list(range(rank + len(sparsity.blocks)))
        or len(sparsity.levels) != len(order)
        or len(set(sparsity.blocks)) != len(sparsity.blocks)
        or not set(sparsity.blocks) <= set(range(rank))
    ):
        raise _misfit("levels", f"those of {list(shape)}")
    places = _places(sparsity, budget)
    within = dict(zip(order, places.T, strict=True))
    at = [within[axis] for axis in range(rank)]
    for number, axis in enumerate(sparsity.blocks):
        size = sparsity.levels[order.index(rank + number)].size
        at[axis] = at[axis] * size + within[rank + number]
    if len(places) != stored.size:
        raise _misfit(f"{stored.size} numbers", str(len(places)))
    if any(((axis < 0) | (axis >= n)).any() for axis, n in zip(at, shape, strict=True)):
        raise _misfit("places", f"those of {list(shape)}")
    budget.take(prod(shape))
    dense = np.zeros(tuple(shape), stored.dtype)
    dense[tuple(at)] = stored
    return dense


def _places(sparsity: Sparsity, budget: Budget) -> Places:
    """A row for each stored number: its place in each level."""
    places = np.zeros((1, 0), np.int64)
    for depth, level in enumerate(sparsity.levels):
        counts, within = _below(level, len(places), budget)
        budget.take(len(within) * (depth + 1))
        places = np.column_stack([np.repeat(places, counts, axis=0), within])
    return places


def _below(level: Level, parents: int, budget: Budget) -> tuple[Places, Places]:
    """Count the places that each parent has in a level, and list all of them."""
    if not level.is_listed:
        if level.size < 1:
            raise _misfit("a level", "at least one place")
        budget.take(parents * level.size)
        counts = np.full(parents, level.size)
        return counts, np.tile(np.arange(level.size), parents)
    segments, indices = np.array(level.segments, np.int64), np.array(level.indices, np.int64)
    counts = np.diff(segments)
    if (
        len(segments) != parents + 1
        or segments[0] != 0
        or segments[-1] != len(indices)
        or (counts < 0).any()
    ):
        raise _misfit("the list of a level", f"{parents + 1} segments of {len(indices)} places")
    return counts, indices


def _misfit(what: str, expected: str) -> WeightsError:
    return WeightsError(f"sparse weights are damaged: {what} do not fit", expected=expected)
