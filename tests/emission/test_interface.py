"""The promises of the header: what init and run accept, refuse and return."""

from __future__ import annotations

from pathlib import Path

import pytest

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
