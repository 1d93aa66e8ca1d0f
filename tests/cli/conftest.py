from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.commands import TINY_SOURCE, Cli, caller


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return caller(capsys)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """MODEL of a network outside the package."""
    file = tmp_path / "tiny.py"
    file.write_text(TINY_SOURCE)
    return f"{file}:tiny"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 40 x 30 pixels, in which no two places look alike."""
    y, x = np.mgrid[0:30, 0:40]
    pixels = np.stack([5 * x, 8 * y, (x * y) % 256], axis=-1)
    file = tmp_path / "photo.png"
    Image.fromarray(pixels.astype(np.uint8)).save(file)
    return file
