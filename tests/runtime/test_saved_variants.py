"""Files for several processors: the best that runs is taken, and nothing else is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

import netgen
from netgen.errors import BuildError
from netgen.kernels.targets import find_target
from netgen.runtime import fits
from netgen.runtime.cpu import best_first
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ChangedWeights, ModelImage
from netgen.runtime.saved import save_images

IMAGE = np.arange(24, dtype=np.float32).reshape(4, 3, 2)


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def image(self) -> ModelImage: ...
    def model(self) -> CompiledModel: ...


def for_target(image: ModelImage, target: str, *features: str) -> ModelImage:
    """The image of a stub under the name of a target, with weights of its own in the first word."""
    assert isinstance(image.weights, bytes)
    own = np.frombuffer(image.weights, np.float32).copy()
    own[0] = len(features)
    changed = dataclasses.replace(image, target=target, cpu_features=features)
    return dataclasses.replace(changed, weights=own.tobytes() + bytes(1000))


@pytest.fixture
def file(sum_stub: Stub, tmp_path: Path) -> Path:
    """A file whose best variant needs two features, the next one, the last none."""
    image = sum_stub.image()
    variants = [
        for_target(image, "best", "a", "b"),
        for_target(image, "good", "a"),
        for_target(image, "any"),
    ]
    save_images([[each] for each in variants], tmp_path / "model.netgen")
    return tmp_path / "model.netgen"


def has(monkeypatch: pytest.MonkeyPatch, *features: str) -> None:
    monkeypatch.setattr(
        fits,
        "missing_features",
        lambda needs: tuple(name for name in needs.cpu_features if name not in features),
    )


@pytest.mark.parametrize(
    ("features", "target"), [("ab", "best"), ("a", "good"), ("b", "any"), ("", "any")]
)
def test_the_best_that_runs_is_taken(
    features: str, target: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, *features)
    model = netgen.load_compiled(file)
    assert model.image.target == target
    # Sums of pixels, times the first weight, which is the number of features: its own weights.
    expected = 132.0 * len(model.image.cpu_features) + 0.5
    assert model.run(IMAGE)[0][0] == expected


def test_equal_weights_are_in_the_file_once(sum_stub: Stub, tmp_path: Path) -> None:
    image = sum_stub.image()
    assert isinstance(image.weights, bytes)
    large = dataclasses.replace(image, weights=image.weights + bytes(100_000))
    save_images([[dataclasses.replace(large, cpu_features=("z",))], [large]], tmp_path / "m.netgen")
    assert (tmp_path / "m.netgen").stat().st_size < 100_000 + 2 * len(image.shared_object) + 70_000
    again = netgen.load_compiled(tmp_path / "m.netgen")
    assert isinstance(again.image.weights, ChangedWeights)
    np.testing.assert_array_equal(again(IMAGE), sum_stub.model()(IMAGE))


def test_the_error_says_of_each_why_it_does_not_run(
    sum_stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = sum_stub.image()
    elsewhere = dataclasses.replace(for_target(image, "far"), platform="Plan9 mips")
    path = tmp_path / "model.netgen"
    save_images([[for_target(image, "best", "a", "b")], [elsewhere]], path)
    has(monkeypatch, "b")
    with pytest.raises(BuildError) as caught:
        netgen.load_compiled(path)
    assert caught.value.summary.startswith(
        f"{path}: it was compiled for several processors, and this is none of them, found "
    )
    assert caught.value.details == (
        "best: needs a, which this processor lacks",
        "far: is for Plan9 mips",
    )


def test_damage_of_others_is_not_looked_at(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their libraries are not even read."""
    content = bytearray(file.read_bytes())
    content[1 << 14] ^= 1
    file.write_bytes(content)
    has(monkeypatch)
    assert netgen.load_compiled(file).image.target == "any"
    has(monkeypatch, "a", "b")
    with pytest.raises(BuildError, match="the library of the compiled model is damaged"):
        netgen.load_compiled(file)


def test_the_order_of_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netgen.runtime.cpu.machine", lambda: "x86_64")
    names = ("generic", "x86-64-v2", "x86-64-v4", "x86-64-v3")
    found = [target.name for target in best_first(map(find_target, names))]
    assert found == ["x86-64-v4", "x86-64-v3", "x86-64-v2", "generic"]
