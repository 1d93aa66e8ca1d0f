"""Weights blobs of compiled models: kept in files, mapped, and held once where two are alike.

A network that is compiled for several threads and for one has two blobs. They differ in their
heads, which name the layout, and in the few layers whose tiles depend on how high bands are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from netgen.errors import BuildError
from netgen.runtime import cache
from netgen.runtime.model_image import ChangedWeights, ModelImage, Patch, WeightsFile

Blob = NDArray[np.uint8]

_BLOCK = 64  # bytes that are compared at once: shorter stretches take more to describe
_FEWEST_ALIKE = 0.75  # pages with changes are a process's own, the others are shared by all


def share_weights(images: Sequence[ModelImage]) -> list[ModelImage]:
    """Images that hold their blobs -> the first one as it is, of the others what differs from it.

    A blob that differs in too much of it stays whole.
    """
    first = images[0].weights
    assert isinstance(first, bytes)
    shared = [images[0]]
    for image in images[1:]:
        assert isinstance(image.weights, bytes)
        stretches = differing(image.weights, np.frombuffer(first, np.uint8))
        weights = image.weights if stretches is None else ChangedWeights(first, stretches)
        shared.append(dataclasses.replace(image, weights=weights))
    return shared


def differing(blob: bytes, base: Blob) -> tuple[Patch, ...] | None:
    """The stretches of a blob that another one has not; None where these are too much of it."""
    content = np.frombuffer(blob, np.uint8)
    if content.size != base.size:
        return None
    blocks = np.arange(0, content.size, _BLOCK)
    differ = np.logical_or.reduceat(content != base, blocks)
    if np.count_nonzero(differ) > (1.0 - _FEWEST_ALIKE) * len(blocks):
        return None
    edges = np.flatnonzero(np.diff(differ.astype(np.int8), prepend=0, append=0)) * _BLOCK
    return tuple(Patch(int(start), blob[start:end]) for start, end in edges.reshape(-1, 2).tolist())


def keep_weights(weights: bytes | WeightsFile | ChangedWeights) -> WeightsFile | ChangedWeights:
    """The same weights, with what is no file yet in the cache."""
    if isinstance(weights, ChangedWeights):
        return dataclasses.replace(weights, base=_keep(weights.base))
    return _keep(weights)


def _keep(weights: bytes | WeightsFile) -> WeightsFile:
    if isinstance(weights, WeightsFile):
        return weights
    digest = cache.digest_of(weights)
    path = cache.store_object(weights, ".weights", digest)
    return WeightsFile(path, digest, len(weights))


def map_weights(weights: WeightsFile | ChangedWeights) -> Blob:
    """Map a blob, read-only, so that all processes share its pages, but for those with changes.

    Raises BuildError where the file is missing or too short.
    """
    if isinstance(weights, WeightsFile):
        return _map(weights, copied=False)
    assert isinstance(weights.base, WeightsFile)
    mapped = _map(weights.base, copied=True)
    for stretch in weights.stretches:
        mapped[stretch.start : stretch.end] = np.frombuffer(stretch.content, np.uint8)
    mapped.setflags(write=False)
    return mapped


def _map(weights: WeightsFile, *, copied: bool) -> Blob:
    """Map a part of a file; `copied` are pages once they are written to."""
    try:
        # More may follow: a saved model of several threads holds two libraries.
        there = max(weights.path.stat().st_size - weights.offset, 0)
        mapped: Blob = np.memmap(
            weights.path,
            np.uint8,
            "c" if copied else "r",
            weights.offset,
            (min(there, weights.size),),
        )
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise BuildError(
            f"the weights cannot be mapped: {error}",
            where=str(weights.path),
            hint="compile the network again",
        ) from error
    if mapped.nbytes != weights.size:
        raise BuildError(
            "the weights file is damaged",
            where=str(weights.path),
            expected=f"{weights.size} bytes",
            found=f"{mapped.nbytes}",
            hint="compile the network again",
        )
    return mapped
