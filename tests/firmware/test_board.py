"""The harness itself, on a model written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.firmware import board
from tests.tools import ToolError

AFFINE = Path(__file__).resolve().parent / "affine"
RAMP = np.arange(15, dtype=np.float32).reshape(3, 5)


@pytest.fixture
def affine(build_image: board.BuildImage, tmp_path: Path) -> board.Image:
    sources = (AFFINE / "affine.c", AFFINE / "affine_weights.c")
    model = board.Model(sources, "affine", 5, 5, ("-std=c99", "-O2"))
    return build_image("mps2-an500", model, tmp_path)


def test_each_input_gives_its_output(affine: board.Image) -> None:
    np.testing.assert_array_equal(affine.run(RAMP), 2 * RAMP + 1)


def test_an_error_of_the_model_is_an_error_of_the_run(affine: board.Image) -> None:
    with pytest.raises(ToolError, match="run: -2"):
        affine.run(-RAMP - 1)


def test_a_fault_is_an_error_of_the_run(affine: board.Image) -> None:
    with pytest.raises(ToolError, match="processor fault"):
        affine.run(np.full((1, 5), np.nan))


def test_instruction_counts_repeat_exactly(affine: board.Image, instruction_counter: Path) -> None:
    first = affine.count_instructions(RAMP, instruction_counter)
    assert first == affine.count_instructions(RAMP, instruction_counter)
    assert len(first) == 3
    assert len(set(first)) == 1
    assert 20 < first[0] < 200
