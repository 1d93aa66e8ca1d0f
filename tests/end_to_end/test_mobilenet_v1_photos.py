"""Google's quantised MobileNetV1 0.25/128, dequantised: as good on photos as the original."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.runtime.model import CompiledModel
from netgen.runtime.photos import load_photo
from tests.cli.commands import caller

pytestmark = pytest.mark.usefixtures("as_users_compile")

PARAMETERS: dict[str, Any] = {"alpha": 0.25, "input_size": 128, "classes": 1001}


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "mobilenet_v1_imagenet"


@pytest.fixture(scope="module")
def weights(folder: Path) -> Path:
    return folder / "mobilenet_v1_0.25_128_dequant_fp32.npz"


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> tuple[list[Path], NDArray[np.int64]]:
    """Photos and their classes, from 0 to 999."""
    with np.load(shared_data / "mobilenet_v2_imagenet" / "expected_logits_torch.npz") as file:
        return [shared_data / "photos" / str(name) for name in file["files"]], file["labels"]


@pytest.fixture(scope="module")
def pixels(photos: tuple[list[Path], NDArray[np.int64]]) -> NDArray[np.uint8]:
    return np.stack([load_photo(file, (128, 128)) for file in photos[0]])


@pytest.fixture(scope="module")
def model(weights: Path) -> CompiledModel:
    return netgen.compile(netgen.load("mobilenet_v1", weights=weights, **PARAMETERS))


def test_photos_are_resized_as_the_reference_did(folder: Path, pixels: NDArray[np.uint8]) -> None:
    with np.load(folder / "expected_quant_tflite_ref.npz") as file:
        assert np.array_equal(pixels[:10], file["inputs"])


def test_as_good_as_the_quantised_model(
    folder: Path,
    model: CompiledModel,
    pixels: NDArray[np.uint8],
    photos: tuple[list[Path], NDArray[np.int64]],
) -> None:
    inputs = model.preprocess(pixels)
    assert np.abs(inputs - (pixels.astype(np.float32) - 128.0) / 128.0).max() < 1e-6
    logits = model(inputs)
    assert isinstance(logits, np.ndarray)
    classes = logits.argmax(axis=1) - 1  # class 0 is the background
    with np.load(folder / "expected_quant_tflite_ref.npz") as file:
        quantised = file["y"].argmax(axis=1) - 1
    assert np.count_nonzero(quantised == photos[1]) == 45
    assert abs(np.count_nonzero(classes == photos[1]) - 45) <= 2
    assert np.count_nonzero(classes == quantised) >= 90


def test_from_the_command_line(
    weights: Path,
    model: CompiledModel,
    pixels: NDArray[np.uint8],
    photos: tuple[list[Path], NDArray[np.int64]],
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = shared_data / "photos" / "imagenet_labels_1001.txt"
    options = [part for item in PARAMETERS.items() for part in ("-p", "{}={}".format(*item))]
    files = photos[0][:10]
    more = ("--weights", weights, "--labels", labels, "--json")
    shown = caller(capsys)("run", "mobilenet_v1", *options, *files, *more).json_list()
    logits = model(model.preprocess(pixels[:10]))
    assert isinstance(logits, np.ndarray)
    names = labels.read_text().splitlines()
    for entry, scores in zip(shown, logits, strict=True):
        best = int(scores.argmax())
        first = entry["top"][0]
        assert first == {"index": best, "label": names[best], "score": float(scores[best])}


def test_what_the_file_implies_can_be_contradicted(
    weights: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The file has no batch norm; who asks for it is told."""
    options = [part for item in PARAMETERS.items() for part in ("-p", "{}={}".format(*item))]
    arguments = ("--weights", weights, "-p", "batch_norm=true", "-o", tmp_path / "model.c")
    outcome = caller(capsys)("compile", "mobilenet_v1", *options, *arguments)
    assert outcome.code == 4
    summary, details = outcome.detailed_error()
    assert "hold no stem.batch_norm.gamma, " in summary
    assert "batch_norm=true" in summary
    assert "    stem.batch_norm.gamma, " in details[1]
    assert list(tmp_path.iterdir()) == []
