"""A compiled model as one file, whose weights are mapped where they lie: nothing of them is read.

    netgen, version | sha256 and length of the JSON | JSON | ... | library | ... | weights | ...

Libraries and weights start at pages. The JSON is a list of variants, which are for several
processors, the best first. Each is a list of images: how long its library and its weights are, and
what `ModelImage` holds besides. A model of several threads has a second image, for one thread. The
weights of images are the stretches in which they differ from the first's, if these are few.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from netgen.emission.files import write_files
from netgen.errors import BuildError, UsageError
from netgen.ir.normalisation import Normalisation
from netgen.runtime import cache
from netgen.runtime.fits import Needs, first_that_runs
from netgen.runtime.model_image import ChangedWeights, ModelImage, ModelPort, Patch, WeightsFile
from netgen.runtime.weights import share_weights

_MAGIC = b"netgen\x00\x03"  # the last byte is the version of the form
_HEAD = struct.Struct("<8s32sQ")
_MOST_IMAGES = 2
_PAGE = 1 << 14  # of every system: files are moved between them, though their libraries are not


def save_images(variants: Sequence[Sequence[ModelImage]], path: Path) -> None:
    """Write images that hold their weights, all or nothing, the best variant first.

    Raises UsageError where it cannot.
    """
    shared = iter(share_weights([image for variant in variants for image in variant]))
    stored = [[next(shared) for _ in variant] for variant in variants]
    described = [[_to_json(image) for image in variant] for variant in stored]
    text = json.dumps(described, sort_keys=True).encode()
    content = _HEAD.pack(_MAGIC, hashlib.sha256(text).digest(), len(text)) + text
    for image in chain.from_iterable(stored):
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
    """Read the variant of what `save_images` wrote that runs here best.

    The weights stay in the file, which must not be changed. Raises BuildError where no variant runs
    here, and where the file cannot be read, is something else, or is damaged. The libraries are
    compared with their hashes, and so are changes; of the weights only the sizes are known to be
    right.
    """
    try:
        with path.open("rb") as file:
            described, end = _read_head(file, path)
            needs = [_needs(variant) for variant in described]
            chosen = first_that_runs(needs, str(path)) if needs else 0
            return [_read_image(file, each, path) for each in _placed(described, end, path)[chosen]]
    except OSError as error:
        raise BuildError(
            f"the compiled model cannot be read: {error.strerror or error}", where=str(path)
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, UsageError) as error:
        raise _damaged(path, "the head of the compiled model is damaged") from error


@dataclasses.dataclass(frozen=True)
class _Placed:
    """A described image: its fields, and the bytes where its library and its weights start.

    `base` are the weights of the first image of the file.
    """

    fields: dict[str, Any]
    code: int
    weights: int
    base: WeightsFile


def _needs(variant: Sequence[dict[str, Any]]) -> Needs:
    first = variant[0]
    return Needs(first["target"], tuple(first["cpu_features"]), first["platform"])


def _placed(described: list[list[dict[str, Any]]], end: int, path: Path) -> list[list[_Placed]]:
    """Places of all images, one behind the other from byte `end` on."""
    placed: list[list[_Placed]] = []
    base: WeightsFile | None = None
    for variant in described:
        if not 1 <= len(variant) <= _MOST_IMAGES:
            raise ValueError("a variant of no image, or of too many")
        placed.append([])
        for fields in variant:
            code = _next_page(end)
            weights = _next_page(code + fields["shared_object"][1])
            sha256, size = fields["weights"]
            if base is None and fields["changes"] is not None:
                raise ValueError("changes of no weights")
            base = base or WeightsFile(path.absolute(), sha256, int(size), weights)
            placed[-1].append(_Placed(fields, code, weights, base))
            end = weights + size
    return placed


def _read_image(file: BinaryIO, placed: _Placed, path: Path) -> ModelImage:
    fields = dict(placed.fields)
    changes, (sha256, size) = fields.pop("changes"), fields.pop("weights")
    what = "library of the compiled model is"
    library = _read_part(file, placed.code, fields.pop("shared_object"), path, what)
    weights: WeightsFile | ChangedWeights
    if changes is None:
        weights = WeightsFile(path.absolute(), sha256, int(size), placed.weights)
    else:
        what = "weights of the compiled model are"
        content = _read_part(file, placed.weights, (sha256, size), path, what)
        weights = _changed(placed.base, changes, content)
    return ModelImage(library, weights, **_from_json(fields))


def _read_head(file: BinaryIO, path: Path) -> tuple[list[list[dict[str, Any]]], int]:
    """The descriptions of the variants, and the byte behind the head."""
    magic, expected, length = _HEAD.unpack(file.read(_HEAD.size).ljust(_HEAD.size, b"\0"))
    if magic != _MAGIC:
        raise _damaged(path, "this is no compiled model that this version of netgen saved")
    # A damaged length asks for no more than there is.
    text = file.read(min(length, path.stat().st_size))
    if hashlib.sha256(text).digest() != expected:
        raise _damaged(path, "the head of the compiled model is damaged")
    described: list[list[dict[str, Any]]] = json.loads(text)
    return described, _HEAD.size + length


def _read_part(file: BinaryIO, start: int, stated: tuple[str, int], path: Path, what: str) -> bytes:
    """The bytes from `start` on, which must have the hash that is stated."""
    digest, size = stated
    file.seek(start)
    content = file.read(size)
    if cache.digest_of(content) != digest:
        raise _damaged(path, f"the {what} damaged")
    return content


def _changed(base: WeightsFile, changes: list[tuple[int, int]], content: bytes) -> ChangedWeights:
    """Weights that differ from those of the first image. Raises ValueError where none do so."""
    stretches, at = [], 0
    for start, size in changes:
        stretches.append(Patch(start, content[at : at + size]))
        at += size
    if at != len(content):
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
        "steps": tuple(fields["steps"]),
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
