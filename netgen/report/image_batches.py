"""Batches of images as the one input of a network takes them: floats, pixels or codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from netgen.errors import InputError
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.quantize import Quantize
from netgen.report.photos import ImageForm, PhotoOptions, expected_pixels
from netgen.runtime.image_set import read_image_set
from netgen.runtime.photos import normalise


def read_batch(
    graph: Graph, path: Path, labels: Path | None, options: PhotoOptions
) -> tuple[Array, Array | None]:
    """A folder or a file of images for a network, and their classes if they are known.

    Pixels of uint8 are normalised as the options or the weights say; arrays of floats are taken as
    they are. Codes of i8 are made of floats. Raises InputError for other arrays.
    """

    def load(file: Path) -> Array:
        form = ImageForm.of([node.type.shape[1:] for node in graph.inputs])
        return form.turned(form.load(file, options))

    found = read_image_set(path, load, labels)
    if len(graph.inputs) != 1:
        raise InputError("only networks with one input take a set of images")
    return _taken(graph, graph.inputs[0].type, found.images, options), found.labels


def _taken(graph: Graph, kind: TensorType, images: Array, options: PhotoOptions) -> Array:
    if images.dtype == kind.element.storage:
        return images
    if images.dtype == np.uint8 and (kind.element.is_float or kind.dtype == "i8"):
        default = graph.origin.normalisation if graph.origin else None
        images = _normalised(images, kind, options, default)
    if images.dtype.kind != "f" or kind.dtype not in {"f32", "i8"}:
        raise InputError(
            "the network takes no such images", expected=str(kind), found=str(images.dtype)
        )
    floats = images.astype(np.float32)
    if kind.element.is_float:
        return floats
    codes = kind.quantisation
    if codes is None or not isinstance(codes.scale, float):
        raise InputError("the codes of the input have no one scale", found=str(kind))
    signature = Signature((TensorType("f32", kind.shape),), kind)
    found = Quantize(codes.scale, codes.zero).reference([floats.astype(np.float64)], signature)
    return kind.element.store(found)


def _normalised(
    images: Array, kind: TensorType, options: PhotoOptions, default: Normalisation | None
) -> Array:
    """Pixels as floats, whichever axis their channels are on."""
    expected = expected_pixels(default, options)
    form = ImageForm.of([kind.shape[1:]])
    if not form.first:
        return normalise(images, expected)
    return form.turned(normalise(np.moveaxis(images, -3, -1), expected))
