"""Arrays of others: those that lend their memory by DLPack, and those with channels first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from netgen.errors import InputError, UsageError
from netgen.runtime.model_image import ModelPort

# Of the element type of a port.
Array = NDArray[Any]
Layout = Literal["NHWC", "NCHW"]
# Of a library's own kind for what it cannot lend.
_REFUSALS = (BufferError, RuntimeError, TypeError, ValueError, AttributeError)


def borrowed(array: object, where: str) -> Array | None:
    """An array of another library as NumPy's, without a copy; None for what is no array.

    Raises InputError for an array that is not in this process's memory, or may not be lent.
    """
    if isinstance(array, np.ndarray):
        return array
    if not hasattr(array, "__dlpack__") and not hasattr(array, "__array__"):
        return None
    try:
        return _lent(array)
    except _REFUSALS as error:
        raise InputError(
            f"the array cannot be read as it is: {' '.join(str(error).split())}",
            where=where,
            found=type(array).__name__,
            hint="pass one of the main memory that needs no gradient; of torch x.detach().cpu()",
        ) from error


def _lent(array: object) -> Array:
    if not hasattr(array, "__dlpack__"):
        return np.asarray(array)
    try:
        return np.from_dlpack(cast("Any", array))
    except _REFUSALS:  # an older NumPy refuses memory that is only read, and some element types
        if not hasattr(array, "__array__"):
            raise
        return np.asarray(array)


def require_layout(layout: str) -> None:
    """Raise UsageError for a layout that there is not."""
    if layout not in get_args(Layout):
        raise UsageError(
            f"there is no layout '{layout}'", expected=f"one of {', '.join(get_args(Layout))}"
        )


def channels_first(ports: Sequence[ModelPort]) -> list[ModelPort]:
    """The ports with (C, H, W) for (H, W, C); others, whose axes have no names, as they are."""
    return [
        dataclasses.replace(port, shape=(port.shape[2], *port.shape[:2]))
        if len(port.shape) == 3
        else port
        for port in ports
    ]


def channels_last_view(batch: Array) -> Array:
    """A batch (N, C, H, W) as (N, H, W, C), in the same memory; others as they are."""
    return batch.transpose(0, 2, 3, 1) if batch.ndim == 4 else batch


def channels_first_view(batch: Array) -> Array:
    """A batch (N, H, W, C) as (N, C, H, W), in the same memory; others as they are."""
    return batch.transpose(0, 3, 1, 2) if batch.ndim == 4 else batch
