"""Weights of two libraries that are held once: what differs, where it is mapped, what it takes."""

from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from netgen.errors import BuildError
from netgen.runtime.model import CompiledModel, load_compiled
from netgen.runtime.model_image import ChangedWeights, ModelImage, Patch, WeightsFile
from netgen.runtime.weights import differing, keep_weights, map_weights, share_weights

SIZE = 1000  # no multiple of the blocks that are compared
ROOM = 1 << 20


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def image(self) -> ModelImage: ...


def blob(*changed: int, size: int = SIZE) -> bytes:
    """Bytes of which some are one more than they would be."""
    content = (np.arange(size) % 251).astype(np.uint8)
    content[list(changed)] += 1
    return content.tobytes()


def base(size: int = SIZE) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(blob(size=size), np.uint8)


@pytest.mark.parametrize(
    ("changed", "stretches"),
    [
        ((), []),
        ((0,), [(0, 64)]),
        ((63,), [(0, 64)]),
        ((64, 127, 128), [(64, 192)]),
        ((5, 200), [(0, 64), (192, 256)]),
        ((SIZE - 1,), [(960, SIZE)]),
    ],
)
def test_what_differs(changed: tuple[int, ...], stretches: list[tuple[int, int]]) -> None:
    found = differing(blob(*changed), base())
    assert found == tuple(Patch(a, blob(*changed)[a:b]) for a, b in stretches)
    assert [(each.start, each.end) for each in found] == stretches


def test_what_differs_too_much() -> None:
    """More than a quarter of the blocks, or in size."""
    size = 64 * 40
    quarter = range(0, 64 * 10, 64)
    assert differing(blob(*quarter, size=size), base(size)) is not None
    assert differing(blob(*quarter, 64 * 10, size=size), base(size)) is None
    assert differing(blob(size=SIZE + 1), base()) is None


def test_mapped_with_changes(tmp_path: Path) -> None:
    """The file stays as it is, and what is mapped cannot be written."""
    path = tmp_path / "weights"
    path.write_bytes(bytes(1 << 14) + blob() + b"more")
    file = WeightsFile(path, "", SIZE, 1 << 14)
    changed = blob(3, 70, 999)
    weights = ChangedWeights(file, differing(changed, base()) or ())
    mapped = map_weights(weights)
    assert mapped.tobytes() == changed
    assert not mapped.flags.writeable
    assert map_weights(file).tobytes() == blob()
    assert path.read_bytes() == bytes(1 << 14) + blob() + b"more"
    os.truncate(path, (1 << 14) + SIZE - 1)
    with pytest.raises(BuildError, match="the weights file is damaged, expected 1000 bytes"):
        map_weights(weights)


def test_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path))
    whole = keep_weights(blob())
    changed = keep_weights(ChangedWeights(blob(), (Patch(0, b"x"),)))
    assert isinstance(changed, ChangedWeights)
    assert changed.base == whole
    assert keep_weights(changed) == changed
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == blob()
    assert map_weights(changed).tobytes() == b"x" + blob()[1:]


def two_images(stub: Stub, *changed: int, size: int = ROOM) -> list[ModelImage]:
    """Images of one library, whose weights are four floats and then bytes that it does not read."""
    image = stub.image()
    assert isinstance(image.weights, bytes)
    other = (np.frombuffer(image.weights, np.float32) + 1.0).tobytes()
    tails = blob(size=size), blob(*changed, size=size)
    return [
        dataclasses.replace(image, weights=head + tail)
        for head, tail in zip((image.weights, other), tails, strict=True)
    ]


def model_of(images: list[ModelImage]) -> CompiledModel:
    """A model and the one for batches, each of which is a stub for one thread."""
    return CompiledModel(images[0], CompiledModel(images[1]))


def undivided(model: CompiledModel) -> CompiledModel:
    assert model._undivided is not None
    return model._undivided


IMAGE = np.ones((4, 3, 2), np.float32)


def test_saved_and_pickled_once(sum_stub: Stub, tmp_path: Path) -> None:
    images = two_images(sum_stub, 70_000, 80_000)
    model, alone = model_of(images), CompiledModel(images[0])
    results = [np.asarray(CompiledModel(image)(IMAGE)) for image in images]
    assert not np.array_equal(results[0], results[1])
    model.save(tmp_path / "two.netgen")
    alone.save(tmp_path / "one.netgen")
    library, changes, pages = len(images[0].shared_object), 3 * 64, 4 << 14
    limit = library + changes + pages
    sizes = [(tmp_path / f"{name}.netgen").stat().st_size for name in ("one", "two")]
    assert 0 < sizes[1] - sizes[0] <= limit < ROOM
    # A pickle holds the library once as well: it is the same object here.
    assert 0 < len(pickle.dumps(model)) - len(pickle.dumps(alone)) < library + changes + 2000
    loaded = load_compiled(tmp_path / "two.netgen")
    for again in (loaded, pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(loaded))):
        for each, image, result in zip((again, undivided(again)), images, results, strict=True):
            assert each.with_weights().weights == image.weights
            np.testing.assert_array_equal(CompiledModel(each.image)(IMAGE), result)
    first, second = loaded.image.weights, undivided(loaded).image.weights
    assert isinstance(second, ChangedWeights)
    assert second.base == first
    assert [stretch.start for stretch in second.stretches] == [0, 70_016, 80_000]


def test_too_different_ones_are_whole(sum_stub: Stub, tmp_path: Path) -> None:
    images = two_images(sum_stub, *range(0, ROOM, 128))
    assert share_weights(images) == images
    model_of(images).save(tmp_path / "two.netgen")
    assert (tmp_path / "two.netgen").stat().st_size > 2 * ROOM
    loaded = load_compiled(tmp_path / "two.netgen")
    assert undivided(loaded).with_weights().weights == images[1].weights


def test_damaged_changes(sum_stub: Stub, tmp_path: Path) -> None:
    """They are read when the file is, and so are compared with their hash."""
    file = tmp_path / "two.netgen"
    model_of(two_images(sum_stub)).save(file)
    content = file.read_bytes()
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        file.write_bytes(damaged)
        with pytest.raises(BuildError, match="the weights of the compiled model are damaged"):
            load_compiled(file)
