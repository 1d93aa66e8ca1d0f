"""torchvision's MobileNetV2 on 100 photos: the same classes and logits as torch."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.ir.graph import Graph
from netgen.runtime.photos import load_photo
from tests.cli.commands import caller

pytestmark = pytest.mark.usefixtures("as_users_compile")

# ImageNet's classes are every tenth, one photo each.
PHOTOS = 100


class Torch(NamedTuple):
    """Torch's results for each photo."""

    files: list[Path]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]


@pytest.fixture(scope="module")
def weights(shared_data: Path) -> Path:
    return shared_data / "mobilenet_v2_imagenet" / "mobilenet_v2-b0353104.pth"


@pytest.fixture(scope="module")
def torch(shared_data: Path) -> Torch:
    with np.load(shared_data / "mobilenet_v2_imagenet" / "expected_logits_torch.npz") as file:
        files = [shared_data / "photos" / str(name) for name in file["files"]]
        return Torch(files, file["labels"], file["logits"])


@pytest.fixture(scope="module")
def graph(weights: Path) -> Graph:
    return netgen.load("mobilenet_v2", weights=weights)


def worst(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """The largest difference of a photo's logits, relative to its largest logit."""
    return float(np.max(np.abs(found - expected).max(axis=1) / np.abs(expected).max(axis=1)))


@pytest.mark.parametrize(
    ("target", "photos"),
    [("native", PHOTOS), pytest.param("generic", 20, marks=pytest.mark.heavy)],
)
def test_torchs_logits(target: str, photos: int, graph: Graph, torch: Torch) -> None:
    # torch's input: (rgb / 255 - mean) / std of the photo as it is, all in float32.
    pixels = np.stack([load_photo(file, (224, 224)) for file in torch.files[:photos]])
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    std = np.array([0.229, 0.224, 0.225], np.float32)
    inputs = (pixels.astype(np.float32) / np.float32(255.0) - mean) / std
    model = netgen.compile(graph, target=target)
    logits = model(inputs)
    assert isinstance(logits, np.ndarray)
    assert logits.shape == (photos, 1000)
    assert worst(logits, torch.logits[:photos]) < 1e-4
    preprocessed = model.preprocess(pixels)
    assert np.abs(preprocessed - inputs).max() < 1e-6


def test_bytes_have_the_classes_of_floats(graph: Graph, torch: Torch) -> None:
    pixels = np.stack([load_photo(file, (224, 224)) for file in torch.files])
    logits = netgen.compile(graph, input_type="u8")(pixels)
    assert isinstance(logits, np.ndarray)
    assert np.array_equal(logits.argmax(axis=1), torch.logits.argmax(axis=1))
    assert worst(logits, torch.logits) < 1e-4


@pytest.mark.heavy
def test_rows_of_photos(graph: Graph, torch: Torch) -> None:
    # As the README has it.
    model = netgen.compile(graph, input="rows")
    logits = []
    for file in torch.files[:5]:
        stream = model.stream()
        for row in model.preprocess(load_photo(file, (224, 224))):
            stream.push(row[None])
        logits.append(stream.finish())
    assert worst(np.array(logits, np.float32), torch.logits[:5]) < 1e-4


@pytest.mark.heavy  # the logits above, and the command with other photos in tests/cli
def test_from_the_command_line(
    weights: Path, torch: Torch, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = shared_data / "photos" / "imagenet_labels_1001.txt"
    arguments = ("--weights", weights, "--labels", labels, "--json")
    outcome = caller(capsys)("run", "mobilenet_v2", *torch.files, *arguments)
    assert outcome.code == 0
    assert outcome.stderr == ""
    shown = outcome.json_list()
    assert [entry["file"] for entry in shown] == [str(file) for file in torch.files]
    tops = np.array([[hit["index"] for hit in entry["top"]] for entry in shown])
    assert np.count_nonzero(tops[:, 0] == torch.labels) == 82
    assert np.count_nonzero((tops == torch.labels[:, np.newaxis]).any(axis=1)) == 96
    assert np.array_equal(tops[:, 0], torch.logits.argmax(axis=1))
    # The labels' file begins with the background, which these 1000 classes do not have.
    assert {hit["label"] for hit in shown[0]["top"] if hit["index"] == 0} == {"tench, Tinca tinca"}


def test_torchvision_has_no_biases_before_batch_norm(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--weights", weights, "-p", "batch_norm=no", "-o", tmp_path / "model.c")
    outcome = caller(capsys)("compile", "mobilenet_v2", *arguments)
    assert outcome.code == 4
    summary, details = outcome.detailed_error()
    assert ": 52 missing, " in summary
    assert "check the network's parameters" in summary
    assert details[0] == "  missing:"
    assert details[1].startswith("    features.0.0.bias, ")
    assert list(tmp_path.iterdir()) == []
