"""Runs that follow each other: of a network with a state, or of images that arrive row by row."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from netgen.errors import InputError, UsageError
from netgen.runtime.build import ModelInstance
from netgen.runtime.inputs import Array, checked_array
from netgen.runtime.model_image import ModelPort


class _Model(Protocol):
    """The part of a compiled model that a stream needs."""

    @property
    def inputs(self) -> tuple[ModelPort, ...]: ...
    @property
    def stateful(self) -> bool: ...
    def borrow(self) -> ModelInstance: ...
    def give_back(self, instance: ModelInstance) -> None: ...
    def new_results(self, count: int) -> Sequence[Array]: ...
    def run_on(self, instance: ModelInstance, *inputs: object) -> tuple[Array, ...]: ...


class Stream:
    """Runs of a model that follow each other, in an arena of their own.

    `stream(images)` takes and returns what the model does, but begins with the state that the call
    before has left; `reset()` begins anew. A network without a state is always at its beginning.

    Of a model that takes rows, `push(rows)` takes rows from the top, (n, W, C) or one of (W, C),
    any strides, and computes what they make possible; when all rows of an image are there,
    `finish()` returns what a call of the model with it returns. The next row then begins the next
    image, and the next run.

    Safe to use from several threads, whose calls, or rows, follow each other in some order. What is
    refused changes nothing; after another error the stream is at its beginning.
    """

    def __init__(self, model: _Model, *, rows: bool) -> None:
        self._model = model
        self._image = model.inputs[0]
        self._row = replace(self._image, shape=self._image.shape[1:])
        self._takes_rows = rows
        self._instance: ModelInstance | None = None
        self._pushing = False
        self._pushed = 0
        self._lock = threading.Lock()

    def __call__(self, *inputs: object) -> Array | tuple[Array, ...]:
        """Run an image, or a batch one after the other, from the state that is left.

        Raises InputError, and UsageError in the middle of an image whose rows are pushed.
        """
        with self._lock:
            if self._pushed:
                raise UsageError(
                    "an image is being pushed",
                    where=f"input '{self._image.name}'",
                    hint="push its other rows and finish, or reset the stream",
                )
            instance = self._take()
            try:
                results = self._model.run_on(instance, *inputs)
            except InputError:  # nothing has run
                self._keep(instance)
                raise
            self._keep(instance)
        return results[0] if len(results) == 1 else results

    def reset(self) -> None:
        """Begin anew: with the state before the first run, and without the rows of any image."""
        with self._lock:
            instance, self._instance = self._instance, None
            self._pushing, self._pushed = False, 0
            if instance is not None:
                self._model.give_back(instance)

    @property
    def missing(self) -> int:
        """The number of rows of the image that are still to be pushed."""
        return self._image.shape[0] - self._pushed

    def push(self, rows: object) -> None:
        """Push rows; raises InputError, and takes none, where they are too many or do not fit."""
        if not self._takes_rows:
            raise UsageError(
                "this model takes whole images",
                where=f"input '{self._image.name}'",
                hint='compile it with input="rows" to push rows',
            )
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
        pushed, pushing = self._pushed, self._pushing
        self._pushed, self._pushing = 0, False
        instance = self._take()
        if not pushing:
            instance.push_begin()
        held = array if _has_plain_rows(array) else np.require(array, requirements=["C", "A"])
        instance.push_rows(held.ctypes.data, _stride(held), len(held))
        self._pushed, self._pushing, self._instance = pushed + len(held), True, instance

    def finish(self) -> Array | tuple[Array, ...]:
        """The outputs, one array or a tuple; raises UsageError while rows are missing."""
        with self._lock:
            if not self._pushing or self.missing:
                raise UsageError(
                    "the image is not complete",
                    where=f"input '{self._image.name}'",
                    expected=f"{self._image.shape[0]} rows",
                    found=str(self._pushed),
                    hint="push the other rows first",
                )
            instance = self._take()
            self._pushed, self._pushing = 0, False
            results = tuple(result[0, ...] for result in self._model.new_results(1))
            instance.push_finish([result.ctypes.data for result in results])
            self._keep(instance)
        return results[0] if len(results) == 1 else results

    def _take(self) -> ModelInstance:
        """The stream's instance. A failure drops it, whatever state it is in, and what it holds."""
        instance, self._instance = self._instance, None
        return self._model.borrow() if instance is None else instance

    def _keep(self, instance: ModelInstance) -> None:
        """Keep what has a state; others may use the rest meanwhile."""
        if self._model.stateful:
            self._instance = instance
        else:
            self._model.give_back(instance)


def _has_plain_rows(rows: Array) -> bool:
    """Whether each row is contiguous, and they follow each other at a distance that the C takes."""
    aligned = rows.flags.aligned and rows[0].flags.c_contiguous
    return aligned and (len(rows) == 1 or rows.strides[0] >= rows[0].nbytes)


def _stride(rows: Array) -> int:
    return rows.strides[0] if len(rows) > 1 else rows[0].nbytes
