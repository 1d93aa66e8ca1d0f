"""run: photos, labels, and every override."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import netgen
from netgen.ir.normalisation import Normalisation
from netgen.runtime.photos import load_photo, normalise
from tests.cli.commands import NOTE, Cli
from tests.photos import damage_metadata


def scores(hits: list[dict[str, Any]]) -> dict[int, float]:
    return {hit["index"]: hit["score"] for hit in hits}


def test_json(cli: Cli, tiny: str, photo: Path) -> None:
    outcome = cli("run", tiny, photo, photo, "--json")
    assert outcome.code == 0
    assert outcome.stderr.splitlines() == [NOTE]
    shown = outcome.json_list()
    assert [entry["file"] for entry in shown] == [str(photo)] * 2
    assert shown[0] == shown[1]
    assert set(shown[0]) == {"file", "top"}
    assert len(shown[0]["top"]) == 5
    for hit in shown[0]["top"]:
        assert set(hit) == {"index", "label", "score"}
        assert hit["label"] == f"class {hit['index']}"
    found = [hit["score"] for hit in shown[0]["top"]]
    assert found == sorted(found, reverse=True)


def test_same_as_the_library(cli: Cli, tiny: str, photo: Path) -> None:
    model = netgen.compile(netgen.load(tiny))
    logits = model(model.preprocess(load_photo(photo, (12, 12))))
    assert isinstance(logits, np.ndarray)
    shown = cli("run", tiny, photo, "--top", "10", "--json").json_list()
    assert scores(shown[0]["top"]) == {i: float(v) for i, v in enumerate(logits)}


@pytest.mark.usefixtures("folder")
def test_an_exported_model_gives_the_same(cli: Cli, tiny: str, photo: Path) -> None:
    """Its pixels are normalised as the model's own, without --mean and --std."""
    assert cli("export", tiny, "--as", "onnx", "-o", "tiny.onnx").code == 0
    outcome = cli("run", "tiny.onnx", photo, "--json")
    assert (outcome.code, outcome.stderr) == (0, "")
    found, expected = (
        o.json_list()[0]["top"] for o in (outcome, cli("run", tiny, photo, "--json"))
    )
    assert [hit["index"] for hit in found] == [hit["index"] for hit in expected]
    for hit, own in zip(found, expected, strict=True):
        assert hit["score"] == pytest.approx(own["score"], abs=1e-5)


def test_top(cli: Cli, tiny: str, photo: Path) -> None:
    assert len(cli("run", tiny, photo, "--top", "3", "--json").json_list()[0]["top"]) == 3
    assert len(cli("run", tiny, photo, "--top", "99", "--json").json_list()[0]["top"]) == 10
    assert cli("run", tiny, photo, "--top", "0").code == 2


def test_table(cli: Cli, tiny: str, photo: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(f"[red]name :cat: {i} é" for i in range(10)))
    outcome = cli("run", tiny, photo, "--labels", labels)
    assert outcome.code == 0
    assert "photo.png" in outcome.stdout
    best = cli("run", tiny, photo, "--json").json_list()[0]["top"][0]
    assert f"[red]name :cat: {best['index']} é" in outcome.stdout  # no markup, no emoji
    assert f"{best['score']:.3f}" in outcome.stdout


@pytest.mark.parametrize("classes", [1000, 1001])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_labels(classes: int, mark: str, cli: Cli, tiny: str, photo: Path, tmp_path: Path) -> None:
    """1000 lines for 1000 classes; 1001 with a background first for both."""
    names = [f"thing {i}" for i in range(1000)]
    plain, wide = tmp_path / "plain.txt", tmp_path / "wide.txt"
    plain.write_text(mark + "\n".join(names) + "\n", encoding="utf-8")
    wide.write_text(mark + "\n".join(["background", *names]) + "\n", encoding="utf-8")
    network = (tiny, "-p", f"classes={classes}")
    hits = cli("run", *network, photo, "--labels", wide, "--json").json_list()[0]["top"]
    for hit in hits:
        index = hit["index"] - (classes - 1000)
        assert hit["label"] == ("background" if index < 0 else f"thing {index}")
    outcome = cli("run", *network, photo, "--labels", plain, "--json")
    if classes == 1000:
        assert outcome.json_list()[0]["top"] == hits
    else:
        assert outcome.code == 7
        assert "expected 1001 lines, found 1000" in outcome.error()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("\n".join(map(str, range(11))), "expected 10 lines, found 11"),
        ("", "expected 10 lines, found 0"),
        (b"\xff\xfe", "cannot be read"),
        (None, "No such file"),
    ],
)
def test_labels_that_do_not_fit(
    content: str | bytes | None, says: str, cli: Cli, tiny: str, photo: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.txt"
    if content is not None:
        labels.write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = cli("run", tiny, photo, "--labels", labels, "--json")
    assert outcome.code == 7
    assert says in outcome.error()


@pytest.mark.parametrize(
    ("options", "loading", "pixels"),
    [
        ((), {}, {}),
        (("--mean", "0.1,0.2,0.3"), {}, {"mean": (0.1, 0.2, 0.3)}),
        (("--std", "1,1,0.5"), {}, {"std": (1.0, 1.0, 0.5)}),
        (("--mean", "0,0,0", "--std", "1,1,1"), {}, {"mean": (0.0,) * 3, "std": (1.0,) * 3}),
        (("--resize", "20"), {"resize": 20}, {}),
        (("--no-crop",), {"crop": False}, {}),
        (("--interpolation", "nearest"), {"interpolation": "nearest"}, {}),
        (("--interpolation", "bicubic"), {"interpolation": "bicubic"}, {}),
        (("--interpolation", "lanczos"), {"interpolation": "lanczos"}, {}),
    ],
)
def test_overrides(
    options: tuple[str, ...],
    loading: dict[str, Any],
    pixels: dict[str, tuple[float, ...]],
    cli: Cli,
    tiny: str,
    photo: Path,
) -> None:
    model = netgen.compile(netgen.load(tiny))
    default = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.3)}
    expected = normalise(
        load_photo(photo, (12, 12), **loading), Normalisation(**{**default, **pixels})
    )
    logits = model(expected)
    assert isinstance(logits, np.ndarray)
    shown = scores(cli("run", tiny, photo, "--top", "10", *options, "--json").json_list()[0]["top"])
    assert shown == {i: float(v) for i, v in enumerate(logits)}
    plain = scores(cli("run", tiny, photo, "--top", "10", "--json").json_list()[0]["top"])
    assert (shown != plain) == bool(options)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--mean", "0.5"), 2, "1 means and 3 deviations"),
        (("--std", "0,1,1"), 2, "positive"),
        (("--mean", "nan,0,0"), 2, "finite"),
        (("--resize", "11"), 2, "resize to more pixels"),
        (("--resize", "100000"), 7, "too narrow"),
    ],
)
def test_overrides_that_cannot_be(
    options: tuple[str, ...], code: int, says: str, cli: Cli, tiny: str, photo: Path
) -> None:
    outcome = cli("run", tiny, photo, *options)
    assert outcome.code == code
    assert says in outcome.error()


def test_usage_errors(cli: Cli, tiny: str, photo: Path) -> None:
    ranges = [(option, bound) for option in ("--resize", "--top") for bound in ("x", "0", "-1")]
    for arguments in (("--mean", "a,b,c"), ("--interpolation", "magic"), *ranges):
        outcome = cli("run", tiny, photo, *arguments)
        assert outcome.code == 2
        assert arguments[1] in outcome.error()
    assert cli("run", tiny).code == 2


def test_grey_networks_and_networks_that_expect_nothing(cli: Cli, tiny: str, photo: Path) -> None:
    grey = tiny.replace(":tiny", ":grey")
    outcome = cli("run", grey, photo)
    assert outcome.code == 2
    assert "give --mean and --std" in outcome.error()
    shown = cli("run", grey, photo, "--mean", "0.5", "--std", "0.5", "--top", "10", "--json")
    model = netgen.compile(netgen.load(grey))
    pixels = np.asarray(load_photo(photo, (12, 12), channels=1))
    logits = model(normalise(pixels, Normalisation((0.5,), (0.5,))))
    assert isinstance(logits, np.ndarray)
    assert scores(shown.json_list()[0]["top"]) == {i: float(v) for i, v in enumerate(logits)}


def test_one_bad_photo_among_good_ones(cli: Cli, tiny: str, photo: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"GIF89 or not")
    outcome = cli("run", tiny, photo, bad, photo, "--json")
    assert outcome.code == 7
    assert "bad.jpg: not an image" in outcome.error()


def test_a_photo_with_damaged_metadata(cli: Cli, tiny: str, photo: Path, tmp_path: Path) -> None:
    """One line of netgen's own, however often Pillow warns, and the result all the same."""
    damaged = tmp_path / "damaged.jpg"
    damage_metadata(Image.open(photo), damaged)
    outcome = cli("run", tiny, damaged, damaged, "--json")
    assert outcome.code == 0
    assert len(outcome.json_list()) == 2
    seeded, note = outcome.stderr.splitlines()
    assert seeded == NOTE
    assert note.startswith(f"netgen: note: {damaged}: the photo may be damaged: Corrupt EXIF data")


def test_formats(cli: Cli, tiny: str, photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "photo.bmp"
    Image.open(photo).save(other)
    first, second = cli("run", tiny, photo, other, "--json").json_list()
    assert first["top"] == second["top"]
