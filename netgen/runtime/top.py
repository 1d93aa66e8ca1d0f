"""The best classes of a photo, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netgen.errors import InputError
from netgen.ir.tensor_type import Array


@dataclass(frozen=True)
class Hit:
    """One class: its index, its label, and the network's output for it, as it is."""

    index: int
    label: str
    score: float


@dataclass(frozen=True)
class Photo:
    """A file and its best classes, best first."""

    file: str
    top: tuple[Hit, ...]


def read_labels(path: Path, classes: int) -> list[str]:
    """One label per line. A list that also names a background class, first, loses that line.

    Raises InputError where the file cannot be read or has another number of labels.
    """
    try:
        labels = path.read_text(encoding="utf-8-sig").splitlines()  # some editors write a mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(
            f"the labels cannot be read: {reason}",
            where=str(path),
            hint="give a text file in UTF-8 with one label per line, or leave --labels out",
        ) from error
    labels = [label.strip() for label in labels if label.strip()]
    if len(labels) == classes + 1 and labels[0].lower() in {"background", "dummy"}:
        del labels[0]
    if len(labels) != classes:
        raise InputError(
            "the labels do not fit the network",
            where=str(path),
            expected=f"{classes} lines",
            found=str(len(labels)),
            hint="give one label for each class, in the order of the network's outputs",
        )
    return labels


def best(scores: Array, count: int, labels: Sequence[str] | None) -> tuple[Hit, ...]:
    """The `count` largest outputs, ties to the lower class; without labels they are numbers."""
    # In float64: codes of one byte have no negative of their least.
    order = np.argsort(-scores.astype(np.float64), kind="stable")[:count]
    return tuple(
        Hit(int(i), labels[i] if labels else f"class {i}", float(scores[i])) for i in order
    )
