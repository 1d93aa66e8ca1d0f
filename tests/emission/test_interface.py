"""The promises of the header: what init and run accept, refuse and return."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netgen
from netgen.emission.options import WeightsAs
from netgen.ir.graph import Graph
from tests.cases import heavy
from tests.emission.programs import emission
from tests.tools import COMPILERS, ToolError, any_compiler, link, require_architecture, run_tool

CHECKS = Path(__file__).with_name("interface.c")


@pytest.mark.parametrize("weights_as", ["c", "inline", "incbin", "blob"])
@pytest.mark.parametrize("target", ["generic", heavy("x86-64-v2")])
def test_answers_of_init_and_run(
    target: str, weights_as: WeightsAs, tiny_graph: Graph, tmp_path: Path
) -> None:
    emitted = emission(tiny_graph, target, weights_as)
    sources = emitted.write(tmp_path)
    steps = f"-DSTEPS={len(emitted.plan.steps)}"
    options = ["-std=c99", "-O1", "-Wall", steps, "-I."]
    program = link(tmp_path, [any_compiler(), *options], [CHECKS, *sources], "checks")
    assert program.run(folder=tmp_path) == b""


@pytest.mark.parametrize("compiler", COMPILERS)
def test_fast_math_is_refused(compiler: str, tiny_graph: Graph, tmp_path: Path) -> None:
    emission(tiny_graph, "generic").write(tmp_path)
    with pytest.raises(ToolError, match="without -ffast-math"):
        run_tool([compiler, "-O2", "-ffast-math", "-fsyntax-only", "model.c"], tmp_path)


def test_excess_precision_is_refused(tiny_graph: Graph, tmp_path: Path) -> None:
    emission(tiny_graph, "generic").write(tmp_path)
    require_architecture("x86_64")  # others have no such registers
    with pytest.raises(ToolError, match="must be evaluated in float"):
        run_tool(["gcc", "-mfpmath=387", "-fsyntax-only", "model.c"], tmp_path)


REGIONS = """
#include "model.h"
#include <stdio.h>
MODEL_ARENA(fast);
MODEL_SLOW_ARENA(slow);
static float input[MODEL_INPUT_ELEMENTS], output[MODEL_OUTPUT_ELEMENTS];
int main(void)
{
    model_t m;
    model_config config = {0};
    config.arena = &fast;
    config.arena_bytes = MODEL_ARENA_BYTES;
    config.slow_arena = MODEL_SLOW_ARENA_BYTES > 0u ? &slow : NULL;
    config.slow_arena_bytes = MODEL_SLOW_ARENA_BYTES;
    if (model_init(&m, &config) != MODEL_OK || model_run(&m, input, output) != MODEL_OK) {
        return 1;
    }
    config.slow_arena = NULL;
    printf("%d", (int)model_init(&m, &config));
    return 0;
}
"""


@pytest.mark.parametrize("ram", [(1000, 100_000), (100_000, 100_000), (100_000, 0)])
def test_names_of_two_regions_do_not_depend_on_what_is_left(
    ram: tuple[int, int], tiny_graph: Graph, tmp_path: Path
) -> None:
    netgen.emit(tiny_graph, tmp_path / "model.c", ram=ram, weights_as="inline")
    (tmp_path / "main.c").write_text(REGIONS)
    words = [any_compiler(), "-std=c99", "-O0", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    program = link(tmp_path, words, ["main.c", "model.c"], "main")
    header = (tmp_path / "model.h").read_text()
    (left,) = re.findall(r"#define MODEL_SLOW_ARENA_BYTES (\d+)u", header)
    assert (int(left) == 0) == (ram[0] == 100_000)
    status = "0" if left == "0" else re.findall(r"ERROR_ARENA_SIZE \((-\d+)\)", header)[0]
    assert program.run().decode() == status


def test_one_region_has_no_names_of_a_second(tiny_graph: Graph) -> None:
    emitted = emission(tiny_graph, "generic")
    assert "slow" not in (emitted.header + emitted.logic).lower()
