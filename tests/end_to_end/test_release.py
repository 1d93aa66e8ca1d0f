"""The release: its sdist is complete, and the wheel made from it runs without a checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import netgen
from netgen.report.guides import guide_text
from tests.tools import find_package, run_python

CHECKOUT = Path(__file__).resolve().parents[2]


def hatch(kind: str, source: Path, out: Path) -> Path:
    """Build an sdist or a wheel; the one file that it leaves."""
    run_python("-m", "hatchling", "build", "-t", kind, "-d", str(out), folder=source)
    (file,) = out.iterdir()
    return file


@pytest.mark.heavy
def test_the_wheel_of_the_sdist_runs_the_first_command(tmp_path: Path) -> None:
    find_package("hatchling")
    sdist = hatch("sdist", CHECKOUT, tmp_path / "sdist")
    shutil.unpack_archive(sdist, tmp_path / "source", filter="data")
    source = tmp_path / "source" / f"netgen-{netgen.__version__}"
    wheel = hatch("wheel", source, tmp_path / "wheel")
    assert wheel.name == f"netgen-{netgen.__version__}-py3-none-any.whl"
    site, desk = tmp_path / "site", tmp_path / "desk"
    desk.mkdir()
    shutil.unpack_archive(wheel, site, "zip")

    def run(*arguments: str) -> str:
        return run_python(*arguments, folder=desk, PYTHONPATH=str(site)).stdout

    assert run("-c", "import netgen; print(netgen.__file__)").startswith(str(site))
    run("-m", "netgen", "compile", "mobilenet_v2", "-o", "model.c")
    written = {file.name for file in desk.iterdir() if file.stat().st_size}
    assert written == {"model.c", "model.h", "model_weights.c"}
    assert run("-m", "netgen", "help", "changelog") == guide_text("changelog")


def test_the_changelog_begins_with_the_version_that_this_is() -> None:
    headings = [line for line in guide_text("changelog").splitlines() if line.startswith("## ")]
    assert headings[0] == f"## {netgen.__version__}"
