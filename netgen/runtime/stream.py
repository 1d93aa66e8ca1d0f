"""Images that arrive row by row, and are computed as they do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from netgen.errors import InputError, UsageError
from netgen.runtime.build import ModelState
from netgen.runtime.inputs import Array, checked_array
from netgen.runtime.model_image import ModelPort


class Stream:
    """Pushes the rows of one image after the other through a model, in an arena of its own.

    `push(rows)` takes rows from the top, (n, W, C) or one of (W, C), any strides, and computes what
    they make possible; when all rows of an image are there, `finish()` returns what a call of the
    model with it returns. The next row then begins the next image. Safe to use from several
    threads, whose rows follow each other in some order.
    """

    def __init__(
        self,
        image: ModelPort,
        outputs: Sequence[ModelPort],
        borrow: Callable[[], ModelState],
        give_back: Callable[[ModelState], None],
    ) -> None:
        self._image = image
        self._row = replace(image, shape=image.shape[1:])
        self._outputs = outputs
        self._borrow, self._give_back = borrow, give_back
        self._instance: ModelState | None = None
        self._pushed = 0
        self._lock = threading.Lock()

    @property
    def missing(self) -> int:
        """The number of rows of the image that are still to be pushed."""
        return self._image.shape[0] - self._pushed

    def push(self, rows: object) -> None:
        """Push rows; raises InputError, and takes none, where they are too many or do not fit."""
        array = checked_array(rows, self._row, self._row.dtype)
        array = array[np.newaxis] if array.ndim == 2 else array
        with self._lock:
            if len(array) > self.missing:
                raise InputError(
                    "more rows than the image has",
                    where=f"input '{self._image.name}'",
                    expected=f"at most {self.missing}, after {self._pushed} of "
                    f"{self._image.shape[0]}",
                    found=str(len(array)),
                    hint="finish() ends an image and lets the next begin",
                )
            if len(array):
                self._push(array)

    def _push(self, array: Array) -> None:
        # A failure drops the instance, whatever state it is in, and the image with it.
        pushed, instance = self._pushed, self._instance
        self._pushed, self._instance = 0, None
        if instance is None:
            instance = self._borrow()
            instance.push_begin()
        held = array if _has_plain_rows(array) else np.require(array, requirements=["C", "A"])
        instance.push_rows(held.ctypes.data, _stride(held), len(held))
        self._pushed, self._instance = pushed + len(held), instance

    def finish(self) -> Array | tuple[Array, ...]:
        """The outputs, one array or a tuple; raises UsageError while rows are missing."""
        with self._lock:
            instance = self._instance
            if instance is None or self.missing:
                raise UsageError(
                    "the image is not complete",
                    where=f"input '{self._image.name}'",
                    expected=f"{self._image.shape[0]} rows",
                    found=str(self._pushed),
                    hint="push the other rows first",
                )
            self._pushed, self._instance = 0, None
            results = tuple(np.empty(port.shape, port.dtype) for port in self._outputs)
            instance.push_finish([result.ctypes.data for result in results])
            self._give_back(instance)
        return results[0] if len(results) == 1 else results


def _has_plain_rows(rows: Array) -> bool:
    """Whether each row is contiguous, and they follow each other at a distance that the C takes."""
    aligned = rows.flags.aligned and rows[0].flags.c_contiguous
    return aligned and (len(rows) == 1 or rows.strides[0] >= rows[0].nbytes)


def _stride(rows: Array) -> int:
    return rows.strides[0] if len(rows) > 1 else rows[0].nbytes
