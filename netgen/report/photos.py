"""Photos through a compiled classifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netgen.errors import InputError, UsageError
from netgen.ir.normalisation import Normalisation
from netgen.runtime.inputs import Array
from netgen.runtime.model import CompiledModel
from netgen.runtime.photos import Interpolation, load_photo, normalise
from netgen.runtime.top import Photo, best, read_labels

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class PhotoOptions:
    """Options for photos as inputs; None stands for what the network's weights expect."""

    resize: int | None = None
    crop: bool = True
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ImageForm:
    """The extent of the image that a network takes, and whether its channels come first."""

    height: int
    width: int
    channels: int
    first: bool

    @classmethod
    def of(cls, shapes: Sequence[tuple[int, ...]]) -> ImageForm:
        """The form of the one input, of these shapes without N. Raises InputError for others."""
        if len(shapes) != 1 or len(shapes[0]) != 3:
            raise InputError("only networks with one image as input can run on photos")
        (shape,) = shapes
        # A model from an .onnx file takes channels first, as the file says.
        first = shape[0] in {1, 3} and shape[2] not in {1, 3}
        channels, height, width = shape if first else (shape[2], *shape[:2])
        if channels not in {1, 3}:
            raise InputError("photos have 1 or 3 channels", found=f"{channels} input channels")
        return cls(height, width, channels, first)

    def load(self, file: Path, options: PhotoOptions) -> Pixels:
        """The pixels of a photo, (H, W, C)."""
        return load_photo(
            file,
            (self.height, self.width),
            channels=1 if self.channels == 1 else 3,
            resize=options.resize,
            crop=options.crop,
            interpolation=options.interpolation,
        )

    def turned(self, images: Array) -> Array:
        """Images (..., H, W, C) as the network takes them."""
        return np.moveaxis(images, -1, -3) if self.first else images


def classify(
    model: CompiledModel,
    files: Sequence[Path],
    top: int,
    labels: Path | None,
    options: PhotoOptions,
) -> Iterator[Photo]:
    """The best `top` classes of each photo. Raises InputError, UsageError."""
    form = ImageForm.of([port.shape for port in model.inputs])
    prepared = _preparation(model, options)
    names = read_labels(labels, math.prod(model.outputs[0].shape)) if labels else None
    for file in files:
        image = form.turned(prepared(form.load(file, options)))
        scores = model.run(image)[0].ravel()
        yield Photo(str(file), best(scores, top, names))


def _preparation(model: CompiledModel, options: PhotoOptions) -> Callable[[Pixels], Array]:
    """The function from pixels to an image: they stay where the network takes them as they are."""
    if model.inputs[0].dtype != "uint8":
        expected = expected_pixels(model.image.normalisation, options)
        return lambda pixels: normalise(pixels, expected)
    if options.mean is not None or options.std is not None:
        raise UsageError(
            "this network takes pixels as they are, and does not have them normalised",
            hint="leave out --mean and --std",
        )
    return lambda pixels: pixels


def expected_pixels(default: Normalisation | None, options: PhotoOptions) -> Normalisation:
    """The network's own, unless overridden."""
    mean = options.mean or (default.mean if default else None)
    std = options.std or (default.std if default else None)
    if mean is None or std is None:
        raise UsageError(
            "this network does not say how its input is normalised", hint="give --mean and --std"
        )
    return Normalisation(mean, std)
