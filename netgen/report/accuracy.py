"""Accuracy of a network on labelled images, and its agreement with another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from netgen.errors import InputError
from netgen.runtime.inputs import Array
from netgen.runtime.model import CompiledModel

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Accuracy:
    """Shares of images: best class right, among the best five, the same as the other's best.

    None where there are no labels, or no other network.
    """

    images: int
    top1: float | None = None
    top5: float | None = None
    agreement: float | None = None

    def as_json(self) -> dict[str, object]:
        """All of it that is known, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def scores_of(model: CompiledModel, images: Array, progress: Progress) -> Array:
    """The first output for each image, (images, classes), in float64."""
    found = []
    for n, image in enumerate(images):
        if n % 16 == 0:
            progress(f"image {n + 1} of {len(images)}")
        found.append(model.run(image)[0].ravel().astype(np.float64))
    return np.stack(found)


def accuracy_of(scores: Array, labels: Array | None, other: Array | None) -> Accuracy:
    """The shares for scores, ties to the lower class. Raises InputError for a label of no class."""
    order = np.argsort(-scores, axis=1, kind="stable")
    top1 = top5 = agreement = None
    if labels is not None:
        if labels.min() < 0 or labels.max() >= scores.shape[1]:
            raise InputError(
                "a label is no class of the network",
                expected=f"0 to {scores.shape[1] - 1}",
                found=f"{labels.min()} to {labels.max()}",
                hint="some networks begin with a class for the background: --first-class 1",
            )
        hits = order[:, :5] == labels[:, None]
        top1, top5 = float(hits[:, 0].mean()), float(hits.any(axis=1).mean())
    if other is not None:
        if other.shape != scores.shape:
            raise InputError(
                "the other network has other outputs",
                expected=str(scores.shape[1:]),
                found=str(other.shape[1:]),
            )
        best = np.argsort(-other, axis=1, kind="stable")[:, 0]
        agreement = float((order[:, 0] == best).mean())
    return Accuracy(len(scores), top1, top5, agreement)
