"""quantize, accuracy and export of codes, from photos to C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.commands import Cli, entries
from tests.tools import find_package


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Eight photos, which a file of labels does not disturb."""
    place = tmp_path / "photos"
    place.mkdir()
    y, x = np.mgrid[0:14, 0:14]
    for n in range(8):
        pixels = np.stack([(n + 3) * x * 4 % 256, (9 - n) * y * 3 % 256, x * y + 8 * n], axis=-1)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{n}.png")
    (place / "labels.txt").write_text("".join(f"{n}.png {n}\n" for n in range(8)))
    return place


def test_from_photos_to_c(cli: Cli, tiny: str, photos: Path, folder: Path) -> None:
    options = ("--calibrate", photos, "-o", "tiny.ir", "--report", "tiny.html")
    outcome = cli("quantize", tiny, *options)
    assert outcome.code == 0
    assert "linear" in outcome.stdout
    assert "on images not fitted to, minmax: " in outcome.stdout
    assert entries(folder) == ["tiny.html", "tiny.ir", "tiny.safetensors"]
    page = (folder / "tiny.html").read_text()
    assert "what would help" in page
    assert "http" not in page
    assert "netgen: error" not in cli("verify", "tiny.ir").stderr
    compiled = cli("compile", "tiny.ir", "-o", "tiny.c")
    assert compiled.code == 0
    assert "int8_t" in (folder / "tiny.c").read_text()
    labels = ("--labels", photos / "labels.txt")
    shown = cli("accuracy", "tiny.ir", "--images", photos, *labels, "--against", tiny, "--json")
    found = shown.json()
    assert found.keys() == {"images", "top1", "top5", "agreement"}
    assert found["images"] == 8
    assert found["agreement"] >= 0.75
    assert found["top1"] <= found["top5"]


@pytest.mark.usefixtures("folder")
def test_arrays_and_json(cli: Cli, tiny: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 12, 12, 3), np.uint8)
    np.savez("images.npz", x=pixels, y=np.arange(5))
    steps = ("--no-equalise", "--no-correct-bias", "--no-round-weights", "--observer", "minmax")
    options = (*steps, "--keep-float", "linear", "--threshold", "90", "--json")
    outcome = cli("quantize", tiny, "--calibrate", "images.npz", "-o", "tiny.ir", *options)
    shown = outcome.json()
    assert [gain["step"] for gain in shown["gains"]] == ["minmax"]
    assert shown["floats"] == ["linear"]
    assert shown["layers"][0]["name"] == "stem.relu6"
    assert shown["blamed"][0]["name"] == "stem.relu6"
    found = cli("accuracy", "tiny.ir", "--images", "images.npz").stdout
    assert found.startswith("5 images: top-1 0.")
    assert "conv2d" in cli("show", "tiny.ir", "--format", "text").stdout
    np.savez("images.npz", x=pixels)
    outcome = cli("accuracy", "tiny.ir", "--images", "images.npz")
    assert outcome.code == 2
    assert "images.npz: there is nothing to count right classes by" in outcome.error()
    assert "give --labels FILE (or y beside x in an .npz file), or --against" in outcome.error()


def test_exported(cli: Cli, tiny: str, photos: Path, folder: Path) -> None:
    find_package("ai_edge_litert")
    assert cli("quantize", tiny, "--calibrate", photos, "-o", "tiny.ir", "--no-gains").code == 0
    for form in ("tiny.tflite", "tiny.onnx"):
        suffix = form.partition(".")[2]
        assert cli("export", "tiny.ir", "-o", form, "--as", suffix).code == 0
    assert (folder / "tiny.tflite").read_bytes()[4:8] == b"TFL3"
    assert cli("verify", "tiny.tflite", "--against", "tflite").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--calibrate", "empty", "-o", "a.ir"), 7, "empty: there are no images"),
        (("--calibrate", "nowhere", "-o", "a.ir"), 2, "a folder of photos or an .npz file"),
        (("--calibrate", "other.npz", "-o", "a.ir"), 7, "expected an array 'x' or 'images'"),
        (("--calibrate", "small.npz", "-o", "a.ir"), 7, "another shape than the input"),
        (("--calibrate", "small.npz", "-o", "a.c"), 2, "codes are written as IR"),
    ],
)
def test_refusals(
    arguments: tuple[str, ...], code: int, message: str, cli: Cli, tiny: str, folder: Path
) -> None:
    (folder / "empty").mkdir()
    np.savez("other.npz", z=np.zeros(3))
    np.savez("small.npz", x=np.zeros((2, 4, 4, 3), np.float32))
    outcome = cli("quantize", tiny, *arguments)
    assert outcome.code == code
    assert message in outcome.error()


def test_labels_that_do_not_fit(cli: Cli, tiny: str, folder: Path) -> None:
    np.savez("images.npz", x=np.zeros((2, 12, 12, 3), np.uint8))
    (folder / "labels.txt").write_text("1\n2\n3\n")
    given = ("--images", "images.npz", "--labels", "labels.txt")
    assert "the labels do not fit the images" in cli("accuracy", tiny, *given).error()
    (folder / "labels.txt").write_text("1\n12\n")
    assert "a label is no class of the network" in cli("accuracy", tiny, *given).error()
