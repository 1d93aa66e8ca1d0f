"""A compiled model as one file, whose weights are mapped where they lie: nothing of them is read.

    netgen, version | sha256 and length of the JSON | JSON | ... | library | ... | weights | ...

Libraries and weights start at pages. The JSON is a list: of each image how long its library and its
weights are, and what `ModelImage` holds besides.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netgen.emission.files import write_files
from netgen.errors import BuildError, UsageError
from netgen.ir.normalisation import Normalisation
from netgen.runtime import cache
from netgen.runtime.image import ModelImage, Port, WeightsFile

_MAGIC = b"netgen\x00\x01"  # the last byte is the version of the form
_HEAD = struct.Struct("<8s32sQ")
_PAGE = 1 << 14  # of every system: files are moved between them, though their libraries are not


def save_images(images: Sequence[ModelImage], path: Path) -> None:
    """Write images that hold their weights, all or nothing. Raises UsageError where it cannot."""
    text = json.dumps([_to_json(image) for image in images], sort_keys=True).encode()
    content = _HEAD.pack(_MAGIC, hashlib.sha256(text).digest(), len(text)) + text
    for image in images:
        assert isinstance(image.weights, bytes)
        for part in (image.shared_object, image.weights):
            content += bytes(-len(content) % _PAGE) + part
    write_files(path.parent, {path.name: content})


def _to_json(image: ModelImage) -> dict[str, Any]:
    fields = {
        field.name: getattr(image, field.name)
        for field in dataclasses.fields(image)
        if field.name not in {"shared_object", "weights"}
    }
    assert isinstance(image.weights, bytes)
    return {
        **fields,
        "inputs": [dataclasses.asdict(port) for port in image.inputs],
        "outputs": [dataclasses.asdict(port) for port in image.outputs],
        "normalisation": image.normalisation and dataclasses.asdict(image.normalisation),
        "shared_object": [cache.digest_of(image.shared_object), len(image.shared_object)],
        "weights": [cache.digest_of(image.weights), len(image.weights)],
    }


def load_images(path: Path) -> list[ModelImage]:
    """Read what `save_images` wrote; the weights stay in the file, which must not be changed.

    Raises BuildError where it cannot be read, is something else, or is damaged. The libraries are
    compared with their hashes; of the weights only the sizes are known to be right.
    """
    try:
        with path.open("rb") as file:
            magic, expected, length = _HEAD.unpack(file.read(_HEAD.size).ljust(_HEAD.size, b"\0"))
            if magic != _MAGIC:
                raise _damaged(path, "this is no compiled model that this version of netgen saved")
            # A damaged length asks for no more than there is.
            text = file.read(min(length, path.stat().st_size))
            if hashlib.sha256(text).digest() != expected:
                raise _damaged(path, "the head of the compiled model is damaged")
            described = json.loads(text)
            images, end = [], _HEAD.size + length
            for fields in described:
                digest, size = fields.pop("shared_object")
                start = _next_page(end)
                file.seek(start)
                library = file.read(size)
                if cache.digest_of(library) != digest:
                    raise _damaged(path, "the library of the compiled model is damaged")
                sha256, bytes_ = fields.pop("weights")
                weights = WeightsFile(path.absolute(), sha256, bytes_, _next_page(start + size))
                end = weights.offset + bytes_
                images.append(ModelImage(library, weights, **_from_json(fields)))
    except OSError as error:
        raise BuildError(
            f"the compiled model cannot be read: {error.strerror or error}", where=str(path)
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise _damaged(path, "the head of the compiled model is damaged") from error
    if not images:
        raise _damaged(path, "the head of the compiled model is damaged")
    return images


def _from_json(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with the types that a ModelImage has, and JSON has not."""
    pixels = fields["normalisation"]
    return {
        **fields,
        "cpu_features": tuple(fields["cpu_features"]),
        "error_names": tuple((code, name) for code, name in fields["error_names"]),
        "inputs": _ports(fields["inputs"]),
        "outputs": _ports(fields["outputs"]),
        "normalisation": pixels
        and Normalisation(mean=tuple(pixels["mean"]), std=tuple(pixels["std"])),
    }


def _ports(given: list[dict[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(**{**port, "shape": tuple(port["shape"])}) for port in given)


def _next_page(at: int) -> int:
    return at + -at % _PAGE


def _damaged(path: Path, what: str) -> BuildError:
    return BuildError(what, where=str(path), hint="save it again, with this version of netgen")
