"""A compiled model as one file, whose weights are mapped where they lie: nothing of them is read.

    netgen, version | sha256 and length of the JSON | JSON | ... | library | ... | weights | ...

Libraries and weights start at pages. The JSON is a list: of each image how long its library and its
weights are, and what `ModelImage` holds besides. A model of several threads has a second image, for
one thread, whose weights are the stretches in which they differ from the first's, if these are few.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from netgen.emission.files import write_files
from netgen.errors import BuildError, UsageError
from netgen.ir.normalisation import Normalisation
from netgen.runtime import cache
from netgen.runtime.model_image import ChangedWeights, ModelImage, ModelPort, Patch, WeightsFile
from netgen.runtime.weights import share_weights

_MAGIC = b"netgen\x00\x02"  # the last byte is the version of the form
_HEAD = struct.Struct("<8s32sQ")
_MOST_IMAGES = 2
_PAGE = 1 << 14  # of every system: files are moved between them, though their libraries are not


def save_images(images: Sequence[ModelImage], path: Path) -> None:
    """Write images that hold their weights, all or nothing. Raises UsageError where it cannot."""
    shared = share_weights(images)
    text = json.dumps([_to_json(image) for image in shared], sort_keys=True).encode()
    content = _HEAD.pack(_MAGIC, hashlib.sha256(text).digest(), len(text)) + text
    for image in shared:
        for part in (image.shared_object, _stored(image)):
            content += bytes(-len(content) % _PAGE) + part
    write_files(path.parent, {path.name: content})


def _stored(image: ModelImage) -> bytes:
    """The weights as they stand in the file: whole, or the stretches that they change."""
    if isinstance(image.weights, ChangedWeights):
        return b"".join(stretch.content for stretch in image.weights.stretches)
    assert isinstance(image.weights, bytes)
    return image.weights


def _to_json(image: ModelImage) -> dict[str, Any]:
    fields = {
        field.name: getattr(image, field.name)
        for field in dataclasses.fields(image)
        if field.name not in {"shared_object", "weights"}
    }
    changes = None
    if isinstance(image.weights, ChangedWeights):
        changes = [[each.start, len(each.content)] for each in image.weights.stretches]
    stored = _stored(image)
    return {
        **fields,
        "inputs": [dataclasses.asdict(port) for port in image.inputs],
        "outputs": [dataclasses.asdict(port) for port in image.outputs],
        "normalisation": image.normalisation and dataclasses.asdict(image.normalisation),
        "shared_object": [cache.digest_of(image.shared_object), len(image.shared_object)],
        "weights": [cache.digest_of(stored), len(stored)],
        "changes": changes,
    }


def load_images(path: Path) -> list[ModelImage]:
    """Read what `save_images` wrote; the weights stay in the file, which must not be changed.

    Raises BuildError where it cannot be read, is something else, or is damaged. The libraries are
    compared with their hashes, and so are changes; of the weights only the sizes are known to be
    right.
    """
    try:
        with path.open("rb") as file:
            described, end = _read_head(file, path)
            images: list[ModelImage] = []
            for fields in described:
                library, end = _read_part(
                    file, end, fields.pop("shared_object"), path, "library of the compiled model is"
                )
                changes, stated = fields.pop("changes"), fields.pop("weights")
                weights: WeightsFile | ChangedWeights
                if changes is None:
                    sha256, size = stated
                    weights = WeightsFile(path.absolute(), sha256, int(size), _next_page(end))
                    end = weights.offset + weights.size
                else:
                    content, end = _read_part(
                        file, end, stated, path, "weights of the compiled model are"
                    )
                    weights = _changed(images[0].weights, changes, content)
                images.append(ModelImage(library, weights, **_from_json(fields)))
    except OSError as error:
        raise BuildError(
            f"the compiled model cannot be read: {error.strerror or error}", where=str(path)
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, UsageError) as error:
        raise _damaged(path, "the head of the compiled model is damaged") from error
    if not 1 <= len(images) <= _MOST_IMAGES:
        raise _damaged(path, "the head of the compiled model is damaged")
    return images


def _read_head(file: BinaryIO, path: Path) -> tuple[list[dict[str, Any]], int]:
    """The descriptions of the images, and the byte behind the head."""
    magic, expected, length = _HEAD.unpack(file.read(_HEAD.size).ljust(_HEAD.size, b"\0"))
    if magic != _MAGIC:
        raise _damaged(path, "this is no compiled model that this version of netgen saved")
    # A damaged length asks for no more than there is.
    text = file.read(min(length, path.stat().st_size))
    if hashlib.sha256(text).digest() != expected:
        raise _damaged(path, "the head of the compiled model is damaged")
    described: list[dict[str, Any]] = json.loads(text)
    return described, _HEAD.size + length


def _read_part(
    file: BinaryIO, end: int, stated: tuple[str, int], path: Path, what: str
) -> tuple[bytes, int]:
    """Bytes at the next page, which must have the hash that is stated, and where they end."""
    digest, size = stated
    start = _next_page(end)
    file.seek(start)
    content = file.read(size)
    if cache.digest_of(content) != digest:
        raise _damaged(path, f"the {what} damaged")
    return content, start + size


def _changed(base: object, changes: list[tuple[int, int]], content: bytes) -> ChangedWeights:
    """Weights that differ from those of the first image. Raises ValueError where none do so."""
    stretches, at = [], 0
    for start, size in changes:
        stretches.append(Patch(start, content[at : at + size]))
        at += size
    if not isinstance(base, WeightsFile) or at != len(content):
        raise ValueError("changes of no weights")
    if any(not 0 <= each.start <= each.end <= base.size for each in stretches):
        raise ValueError("changes beyond the weights")
    return ChangedWeights(base, tuple(stretches))


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


def _ports(given: list[dict[str, Any]]) -> tuple[ModelPort, ...]:
    return tuple(ModelPort(**{**port, "shape": tuple(port["shape"])}) for port in given)


def _next_page(at: int) -> int:
    return at + -at % _PAGE


def _damaged(path: Path, what: str) -> BuildError:
    return BuildError(what, where=str(path), hint="save it again, with this version of netgen")
