"""Photos to arrays: loading with Pillow (extra `images`), and the normalisation of pixels."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from netgen.errors import InputError, MissingExtraError, NetgenNote, UsageError
from netgen.ir.normalisation import Normalisation

if TYPE_CHECKING:
    from PIL import Image

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]

# A photo of one row would be resized to gigabytes.
_MOST_PIXELS = 1 << 27

# What Pillow's decoders raise for damaged files.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    TypeError,
    struct.error,
)


def normalise(images: NDArray[np.uint8], normalisation: Normalisation) -> NDArray[np.float32]:
    """Compute (x / 255 - mean) / std of (..., C) pixels in float64, rounded once to float32.

    Raises InputError if the channels are not those of the normalisation.
    """
    channels = len(normalisation.mean)
    if images.shape[-1] != channels:
        raise InputError(
            "the normalisation is for other channels",
            expected=f"(..., {channels})",
            found=str(images.shape),
        )
    values = np.arange(256, dtype=np.float64) / 255.0
    result = np.empty(images.shape, np.float32)
    for c, (mean, std) in enumerate(zip(normalisation.mean, normalisation.std, strict=True)):
        # A byte has 256 values: the same numbers as computing each pixel, sooner.
        result[..., c] = ((values - mean) / std).astype(np.float32)[images[..., c]]
    return result


def load_photo(
    path: str | Path,
    size: tuple[int, int],
    *,
    channels: Literal[1, 3] = 3,
    resize: int | None = None,
    crop: bool = True,
    interpolation: Interpolation = "bilinear",
) -> NDArray[np.uint8]:
    """Read a photo as the (H, W, C) uint8 array that a network of input `size` = (H, W) takes.

    Turned as its EXIF data says and converted to RGB (grey for one channel), it is resized with
    Pillow's filter until its shorter side is `resize` (default: until it just covers H x W), and
    the centre is cropped. Without `crop` it is squeezed to H x W whole. A photo that is H x W
    already comes out as it is.

    A NetgenNote warns where other parts of the file than its pixels are damaged. Raises InputError
    for a file that is missing, damaged, too large or no image; UsageError for a `resize` that is
    smaller than the network's input; MissingExtraError without Pillow.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtraError("Pillow", "images", "reading photos") from error

    photo = _read(path, channels)
    filters = {name: Image.Resampling[name.upper()] for name in get_args(Interpolation)}
    if interpolation not in filters:
        raise UsageError(
            f"unknown interpolation '{interpolation}'", expected=f"one of {', '.join(filters)}"
        )
    fitted = _fit(photo, size, resize, crop, filters[interpolation])
    array = np.asarray(fitted)
    return array.reshape(*size, channels)


def _read(path: str | Path, channels: int) -> Image.Image:
    """Decode a photo, in what channels it is wanted; see `load_photo`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            photo = _decoded(path, channels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            "the photo has too many pixels", where=str(path), hint="make it smaller first"
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(
            "not an image",
            where=str(path),
            expected="a file that Pillow reads (JPEG, PNG, ...)",
            hint="leave it out",
        ) from error
    except _DECODE_ERRORS as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(
            f"the photo cannot be read: {_one_line(reason)}",
            where=str(path),
            hint="leave it out or repair it",
        ) from error
    _pass_on(told, path)
    return photo


def _decoded(path: str | Path, channels: int) -> Image.Image:
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        file.load()
        return _with_channels(ImageOps.exif_transpose(file), channels, path)


def _pass_on(told: Sequence[warnings.WarningMessage], path: str | Path) -> None:
    """Turn what Pillow warned of into one note; what is no warning about the file stays as it is.

    Pillow raises where pixels are missing: it warns of metadata that it cannot read, the camera's
    orientation among them.
    """
    of_file = [each for each in told if issubclass(each.category, UserWarning)]
    for each in told:
        if each not in of_file:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    if of_file:
        more = f", and {len(of_file) - 1} more" if len(of_file) > 1 else ""
        text = f"{path}: the photo may be damaged: {_one_line(of_file[0].message)}{more}"
        warnings.warn(text, NetgenNote, stacklevel=4)


def _one_line(reason: object) -> str:
    text = " ".join(str(reason).split())
    return text if text.isprintable() else ascii(text)


def _with_channels(photo: Image.Image, channels: int, path: str | Path) -> Image.Image:
    mode = "L" if channels == 1 else "RGB"
    if photo.mode == "F" or (photo.mode.startswith("I") and _deeper_than_16_bits(photo)):
        raise InputError(
            f"pixels of kind '{photo.mode}' have no known range",
            where=str(path),
            hint="save the photo with 8 or 16 bits per channel",
        )
    if photo.mode.startswith("I"):
        from PIL import Image

        # Pillow's own conversion clips 16 bits to 255 instead of scaling them.
        photo = Image.fromarray((np.asarray(photo) >> 8).astype(np.uint8))
    if "transparency" in photo.info and photo.mode in {"P", "L", "RGB"}:
        photo = photo.convert("RGBA")  # directly to RGB Pillow warns about palettes
    return photo.convert(mode)


def _deeper_than_16_bits(photo: Image.Image) -> bool:
    low, high = np.asarray(photo).min(), np.asarray(photo).max()
    return bool(low < 0 or high > 65535)


def _fit(
    photo: Image.Image,
    size: tuple[int, int],
    resize: int | None,
    crop: bool,
    resample: Image.Resampling,
) -> Image.Image:
    height, width = size
    if (photo.height, photo.width) == size:
        return photo
    if not crop:
        return photo.resize((width, height), resample)
    h, w = _resized(photo.height, photo.width, size, resize)
    if h * w > _MOST_PIXELS:
        raise InputError(
            f"a photo of {photo.height} x {photo.width} is too narrow",
            expected=f"at most {_MOST_PIXELS} pixels when resized",
            found=f"{h} x {w}",
            hint="crop it first",
        )
    if h < height or w < width:
        raise UsageError(
            f"a photo of {photo.height} x {photo.width} resized to {resize} does not cover the "
            "network's input",
            expected=f"at least {height} x {width}",
            found=f"{h} x {w}",
            hint="resize to more pixels",
        )
    photo = photo.resize((w, h), resample)
    top, left = round((h - height) / 2), round((w - width) / 2)
    return photo.crop((left, top, left + width, top + height))


def _resized(h: int, w: int, size: tuple[int, int], resize: int | None) -> tuple[int, int]:
    """Height and width after resizing, the free side rounded down as torchvision rounds it."""
    if resize is not None:
        return (resize, resize * w // h) if h <= w else (resize * h // w, resize)
    height, width = size
    if width * h <= height * w:  # the height decides: then the width covers
        return height, height * w // h
    return width * h // w, width
