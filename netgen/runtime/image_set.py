"""Sets of images, with labels or without: a folder of photos, or arrays in an .npz file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netgen.errors import InputError, UsageError
from netgen.runtime.inputs import Array

_IMAGE_NAMES = ("x", "images")
_LABEL_NAMES = ("y", "labels")


@dataclass(frozen=True)
class ImageSet:
    """A batch of images as they were read, what each is called, and its class if that is known."""

    images: Array
    names: tuple[str, ...]
    labels: Array | None = None


def read_image_set(
    path: Path, load: Callable[[Path], Array], labels: Path | None = None
) -> ImageSet:
    """The images of a folder, in the order of their names, each by `load`; or those of a file.

    An .npz file has an array `x` or `images`, and its classes as `y` or `labels`. The file of
    `labels` has one line for each image, in their order: its class, or its name and its class.
    Raises InputError where there are no images, or files that cannot be read.
    """
    found = _folder(path, load) if path.is_dir() else _arrays(path)
    if labels is None:
        return found
    return ImageSet(found.images, found.names, read_classes(labels, found.names))


def _folder(path: Path, load: Callable[[Path], Array]) -> ImageSet:
    files = sorted(
        file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")
    )
    photos = [file for file in files if file.suffix.lower() not in {".txt", ".csv", ".md", ".json"}]
    if not photos:
        raise InputError("there are no images", where=str(path), hint="give a folder of photos")
    return ImageSet(np.stack([load(file) for file in photos]), tuple(f.name for f in photos))


def _arrays(path: Path) -> ImageSet:
    if path.suffix != ".npz":
        raise UsageError(
            "images are a folder of photos or an .npz file", found=str(path), hint="check the path"
        )
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"the images cannot be read: {error}", where=str(path)) from error
    images = next((arrays[name] for name in _IMAGE_NAMES if name in arrays), None)
    if images is None or not images.ndim:
        raise InputError(
            "there are no images",
            where=str(path),
            expected="an array 'x' or 'images'",
            found=", ".join(arrays) or "nothing",
        )
    labels = next((arrays[name] for name in _LABEL_NAMES if name in arrays), None)
    if labels is not None and labels.shape != (len(images),):
        raise InputError(
            "the labels do not fit the images",
            where=str(path),
            expected=str((len(images),)),
            found=str(labels.shape),
        )
    return ImageSet(images, tuple(f"image {n}" for n in range(len(images))), labels)


def read_classes(path: Path, names: tuple[str, ...]) -> Array:
    """The class of each image. Raises InputError where the lines are not those of the images."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the labels cannot be read: {error}", where=str(path)) from error
    parts = [line.replace(",", " ").split() for line in lines if line.strip()]
    try:
        if all(len(part) == 1 for part in parts) and len(parts) == len(names):
            return np.array([int(part[0]) for part in parts])
        known = {" ".join(part[:-1]): int(part[-1]) for part in parts}
    except ValueError:
        known = {}
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(
            "the labels do not fit the images",
            where=str(path),
            expected=f"{len(names)} lines: a class each, or a name and a class",
            found=f"{len(parts)} lines, and nothing about {missing[0]}",
        )
    return np.array([known[name] for name in names])
