"""Panels of outputs as packed constants hold them, for whoever checks them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Terms:
    """Sums of products that a panel adds up, each of a few inputs.

    `inputs` [sums, few] are positions among an output's weights, -1 where there is none; `weights`
    are [lanes, sums, few]. The products of a sum are added up in int16 if it is `narrow`.
    """

    inputs: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int64]
    narrow: bool


@dataclass(frozen=True)
class Panel:
    """Some outputs: the channel of each lane, -1 for none, and what is added up for them."""

    channels: npt.NDArray[np.int64]
    terms: tuple[Terms, ...]


@dataclass(frozen=True)
class Transforms:
    """The transformed weights of some outputs: windows of 3 by 3 at Winograd's 36 points.

    `channels` are those of the lanes and `inputs` those that are multiplied, -1 where there is
    none; `points` are [lanes, 36, inputs].
    """

    channels: npt.NDArray[np.int64]
    inputs: npt.NDArray[np.int64]
    points: npt.NDArray[np.int64]
