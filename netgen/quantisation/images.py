"""Calibration images: checked before anything is computed with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.errors import InputError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array


def checked_images(graph: Graph, images: Mapping[str, Array]) -> dict[str, Array]:
    """Batches of the inputs of a graph by name, with the shape of the input behind the images.

    Raises InputError where there is none, or where one has another shape or type, or no number.
    """
    found: dict[str, Array] = {}
    for node in graph.inputs:
        if node.name not in images:
            raise InputError("there are no calibration images", where=f"input '{node.name}'")
        batch = np.asarray(images[node.name])
        shape = node.type.shape
        if batch.shape[1:] not in {shape, shape[1:]}:
            raise InputError(
                "the calibration images have another shape than the input",
                where=f"input '{node.name}'",
                expected=f"(N, {', '.join(map(str, shape[1:]))})",
                found=str(batch.shape),
            )
        if batch.dtype.kind != "f":
            raise InputError(
                "calibration images are floats, normalised as the network expects",
                where=f"input '{node.name}'",
                found=str(batch.dtype),
            )
        if not len(batch):
            raise InputError("there are no calibration images", where=f"input '{node.name}'")
        wrong = ~np.isfinite(batch.reshape(len(batch), -1)).all(axis=1)
        if wrong.any():
            raise InputError(
                "a calibration image holds numbers that are not finite",
                where=f"input '{node.name}', image {int(np.flatnonzero(wrong)[0])}",
                hint="leave it out or repair it",
            )
        found[node.name] = batch.reshape(len(batch), *shape).astype(np.float32)
    if len({len(batch) for batch in found.values()}) > 1:
        counts = ", ".join(f"{len(batch)} of {name}" for name, batch in found.items())
        raise InputError("the inputs have different numbers of images", found=counts)
    return found
