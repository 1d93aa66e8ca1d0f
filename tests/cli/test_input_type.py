"""--input-type u8: every command that plans, photos as bytes, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgen
from netgen.errors import InputError, UsageError
from netgen.runtime.model import load_compiled
from netgen.runtime.photos import load_photo
from tests.cli.commands import Cli

NUMBERS = ("--mean", "0.5", "--std", "0.25")

# A mean that is no tuple, which a type checker would refuse.
NO_PAIR: dict[str, Any] = {"mean": [0.5], "std": (1.0,)}


@pytest.mark.usefixtures("folder")
def test_the_header_says_what_pixels_are(cli: Cli, tiny: str) -> None:
    assert cli("compile", tiny, "--input-type", "u8", "-o", "m.c").code == 0
    header, source = (" ".join(Path(f"m.{end}").read_text().split()) for end in "hc")
    assert "int32_t m_run(m_t *m, const uint8_t *input, float *output);" in header
    assert "/* image: uint8, NHWC: 1 x 12 x 12 x 3. Pixels of 0 to 255" in header
    assert "(x / 255 - mean) / std of them, by channel, where mean is 0.5, 0.4, 0.3" in header
    assert "std is 0.2, 0.25, 0.3. */" in header
    assert "the caller's input 432 and output 40 bytes" in source
    assert "--input-type u8 -o m.c" in source
    assert cli("compile", tiny, "-o", "f.c").code == 0
    assert "the caller's input 1728 and" in Path("f.c").read_text()
    assert "Pixels of" not in Path("f.h").read_text()


@pytest.mark.parametrize(
    "options",
    [(), ("--input", "rows"), ("--input", "arena"), ("--threads", "2"), ("--small",)],
    ids=" ".join,
)
def test_verify(cli: Cli, tiny: str, options: tuple[str, ...]) -> None:
    outcome = cli("verify", tiny, "--input-type", "u8", *options, "--json")
    assert outcome.code == 0
    shown = outcome.json()
    assert shown["max_relative_error"] < 1e-5
    assert "image.normalized" in {layer["name"] for layer in shown["layers"]}


def test_photos_are_given_as_bytes(cli: Cli, tiny: str, photo: Path) -> None:
    floats = cli("run", tiny, photo, "--top", "10", "--json").json_list()[0]["top"]
    found = cli("run", tiny, photo, "--top", "10", "--json", "--input-type", "u8")
    hits = found.json_list()[0]["top"]
    assert [hit["index"] for hit in hits] == [hit["index"] for hit in floats]
    for hit, own in zip(hits, floats, strict=True):
        assert hit["score"] == pytest.approx(own["score"], abs=1e-5)


def test_mean_and_std_are_those_of_the_command_line(cli: Cli, tiny: str, photo: Path) -> None:
    grey = tiny.replace(":tiny", ":grey")
    refused = cli("run", grey, photo, "--input-type", "u8")
    assert refused.code == 2
    assert "does not say how its input is normalised; give --mean and --std" in refused.error()
    floats = cli("run", grey, photo, *NUMBERS, "--json").json_list()[0]["top"]
    bytes_ = cli("run", grey, photo, *NUMBERS, "--json", "--input-type", "u8").json_list()[0]["top"]
    for hit, own in zip(bytes_, floats, strict=True):
        assert hit["index"] == own["index"]
        assert hit["score"] == pytest.approx(own["score"], rel=1e-4, abs=1e-5)


@pytest.mark.usefixtures("folder")
def test_a_saved_model_takes_bytes(cli: Cli, tiny: str, photo: Path) -> None:
    assert cli("compile", tiny, "--input-type", "u8", "-o", "m.netgen").code == 0
    saved, expected = (
        cli("run", *words, photo, "--json").json_list()
        for words in (("m.netgen",), (tiny, "--input-type", "u8"))
    )
    assert saved == expected
    refused = cli("run", "m.netgen", photo, "--mean", "0,0,0", "--std", "1,1,1")
    assert refused.code == 2
    assert "takes pixels as they are" in refused.error()
    model = load_compiled("m.netgen")
    pixels = load_photo(photo, (12, 12))
    with pytest.raises(InputError, match="takes uint8: pixels of 0 to 255, as they are"):
        model(pixels.astype(np.float32))
    with pytest.raises(UsageError, match="give images of uint8 to the model itself"):
        model.preprocess(pixels)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (NUMBERS, "mean and std are of an image of bytes; add"),
        (("--input-type", "u8", *NUMBERS[:2]), "mean and std go together"),
        (("--input-type", "u8", *NUMBERS), r"for other channels, expected (..., 1)"),
        (("--input-type", "u8", "--mean", "a,b"), "no list of numbers"),
        (("--input-type", "i8"), "'i8' is not one of 'declared', 'u8'"),
    ],
)
def test_what_is_refused(cli: Cli, tiny: str, words: tuple[str, ...], message: str) -> None:
    outcome = cli("plan", tiny, *words)
    assert outcome.code == 2
    assert message in outcome.stderr


@pytest.mark.usefixtures("folder")
def test_a_curve_and_a_report_of_bytes(cli: Cli, tiny: str) -> None:
    curve = cli("plan", tiny, "--pareto", "--input-type", "u8", "--json")
    assert curve.code == 0
    assert cli("report", tiny, "--input-type", "u8", "-o", "r.html").code == 0
    assert "normalize" in Path("r.html").read_text()


def test_keywords_of_python(tiny: str) -> None:
    graph = netgen.load(tiny)
    model = netgen.compile(graph, input_type="u8", mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))
    assert [(port.dtype, port.scale) for port in model.inputs] == [("uint8", None)]
    pixels = np.random.default_rng(1).integers(0, 256, (2, 12, 12, 3)).astype(np.uint8)
    floats = netgen.compile(graph)
    expected = np.asarray(floats(floats.preprocess(pixels)))
    np.testing.assert_allclose(model(pixels), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match="mean is no mean of pixels, expected a tuple"):
        netgen.compile(graph, input_type="u8", **NO_PAIR)
