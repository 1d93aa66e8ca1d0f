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
