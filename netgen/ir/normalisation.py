"""Normalisation of pixels, as in the training of a network's weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

from netgen.errors import UsageError


@dataclass(frozen=True)
class Normalisation:
    """Pixels of 0..255 become (x / 255 - mean) / std, per channel.

    `mean` and `std` have one number per channel, in the scale of 0..1. Raises UsageError if their
    lengths differ, a number is not finite, or a deviation is not positive.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.mean or len(self.mean) != len(self.std):
            raise UsageError(
                "mean and std of a normalisation do not match",
                expected="one number of each per channel",
                found=f"{len(self.mean)} means and {len(self.std)} deviations",
            )
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0.0:
            raise UsageError(
                "a normalisation that cannot be computed",
                expected="finite means and positive finite deviations",
                found=f"mean {self.mean}, std {self.std}",
            )
