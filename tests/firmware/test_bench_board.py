"""`netgen bench --board`: the same network on emulated boards, counted and judged."""

from __future__ import annotations

import dataclasses

import pytest

import netgen
from netgen.bench.board.result import BoardResult, board_lines, require_outputs
from netgen.bench.board.run import bench_board
from netgen.compiler import lower, resolve_target
from netgen.dsl import Tensor, image, network
from netgen.emission.footprint import Footprint
from netgen.errors import BuildError, UsageError, VerifyError
from netgen.export.boards import BOARDS, find_board
from netgen.ops import conv2d, flatten, global_avg_pool, linear, relu
from netgen.plan.data.options import DEFAULT, PlanOptions
from tests.tools import find_tool


@network
def small() -> Tensor:
    x = relu(conv2d(image(8, 8, 3), 8, 3, stride=2, pad=1, name="first"))
    x = relu(conv2d(x, 8, 3, pad=1, name="second"))
    return linear(flatten(global_avg_pool(x)), 5, name="classes")


def run_on(name: str, planning: PlanOptions = DEFAULT) -> BoardResult:
    described = find_board(name)
    find_tool(described.emulator[0])
    find_tool(described.compiler)
    graph = netgen.load(small)
    lowered = lower(graph, resolve_target("generic"), planning)
    return bench_board(graph, lowered, described, lambda _: None)


def check(result: BoardResult) -> None:
    assert all(output.right for output in result.outputs)
    assert result.instructions > result.macs
    layers = sum(layer.instructions for layer in result.layers)
    # The second run has the hook's own instructions as well, in each of its bands.
    assert result.instructions <= layers < 1.5 * result.instructions
    assert sum(count for _, count in result.mnemonics) == result.instructions
    assert 0 < result.footprint.stack < 1024
    assert "model_run" in result.footprint.chain
    assert result.footprint.variables == 0


@pytest.mark.usefixtures("instruction_counter", "build_image")
def test_a_board_counts_instructions_and_estimates_cycles() -> None:
    result = run_on("mps2-an386")
    check(result)
    assert result.estimated_cycles is not None
    assert result.instructions < result.estimated_cycles < 4 * result.instructions
    lines = "\n".join(board_lines(result))
    assert "estimated by the manual's table for Cortex-M4" in lines
    assert "not measured" in lines
    assert run_on("mps2-an386").instructions == result.instructions


@pytest.mark.heavy
@pytest.mark.usefixtures("instruction_counter", "build_image")
@pytest.mark.parametrize("name", [name for name in BOARDS if name != "mps2-an386"])
def test_all_boards_run_the_same_network(name: str) -> None:
    result = run_on(name, PlanOptions(input="rows" if name == "netduinoplus2" else "caller"))
    check(result)
    assert (result.estimated_cycles is None) == (BOARDS[name].cycles is None)


def test_unknown_boards_and_missing_tools_are_named() -> None:
    with pytest.raises(UsageError, match="one of mps2-an385, "):
        find_board("mps2")
    known = find_board("mps2-an386")
    graph = netgen.load(small)
    lowered = lower(graph, resolve_target("generic"))
    absent = dataclasses.replace(known, toolchain="no-such-toolchain-")
    with pytest.raises(BuildError, match="apt install gcc-arm-none-eabi libnewlib"):
        bench_board(graph, lowered, absent, lambda _: None)


@pytest.mark.parametrize("name", BOARDS)
def test_another_target_than_the_core_s_own_is_said(name: str) -> None:
    """Codes take several times the instructions there, as on M4 without its products of pairs."""
    board, footprint = BOARDS[name], Footprint(1, 0, 0, 8, ("run",), "gcc", "board")
    own = BoardResult(
        *("small", name, board.core, board.target, 9, None, 4, (), ()),
        *(footprint, 0, 0, 0, ()),
    )
    assert resolve_target(board.target).name == board.target
    assert board.core.removeprefix("Cortex-") in resolve_target(board.target).summary
    assert "target:" not in "\n".join(board_lines(own))
    other = board_lines(dataclasses.replace(own, target="generic"))
    assert other[0].split() == [
        *("target:", "generic;", "--target", board.target),
        *("has", "the", "instructions", "of", board.core),
    ]


@pytest.mark.usefixtures("instruction_counter", "build_image")
def test_wrong_outputs_are_an_error() -> None:
    result = run_on("mps2-an386")
    (output,) = result.outputs
    wrong = dataclasses.replace(result, outputs=(dataclasses.replace(output, relative_error=1e-3),))
    with pytest.raises(VerifyError, match="does not agree with its reference"):
        require_outputs([wrong])
