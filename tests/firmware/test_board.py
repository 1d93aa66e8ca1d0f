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


def test_memory_without_room_for_the_stack_is_not_linked(
    build_image: board.BuildImage, tmp_path: Path
) -> None:
    """All data fits there, so nothing else would say it."""
    del build_image  # it skips the test where tools are missing
    source = (
        "#include <stdio.h>\n#include <stdlib.h>\nstatic volatile char all[SIZE];\n"
        "int main(void)\n{\n    return all[0];\n}\n"
    )
    with pytest.raises(ToolError, match="no room for the stack"):
        board.run_program("mps2-an386", source.replace("SIZE", "(4 << 20) - 7168"), tmp_path, b"")


def test_instruction_counts_repeat_exactly(affine: board.Image, instruction_counter: Path) -> None:
    first = affine.count_instructions(RAMP, instruction_counter)
    assert first == affine.count_instructions(RAMP, instruction_counter)
    assert len(first) == 3
    assert len(set(first)) == 1
    assert 20 < first[0] < 200
