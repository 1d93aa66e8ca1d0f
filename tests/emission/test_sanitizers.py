"""Emitted programs under the address and undefined-behaviour sanitizers, buffers of exact size."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.emission.options import WeightsAs
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import find_target
from tests.emission.programs import SANITIZERS, emission
from tests.kernels.layers import normal_inputs, worst_errors
from tests.tools import require_processor


def check(
    graph: Graph, target: str, weights_as: WeightsAs, compiler: str, folder: Path, *, fuse: bool
) -> None:
    """Build with sanitizers, run, compare; any report is an error."""
    require_processor(target)
    emitted = emission(graph, target, weights_as, fuse=fuse)
    machine = find_target(target).machine_flags
    program = emitted.build(folder, [compiler, "-std=c99", "-O0", *machine, *SANITIZERS])
    inputs = normal_inputs(graph)
    errors = worst_errors(emitted.run(program, inputs), interpret(graph, inputs))
    assert max(errors.values()) < 1e-5


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        *(("gcc", "generic"), ("clang", "x86-64-v3"), ("clang", "x86-64-v4")),
        # gcc takes long for vectors, clang has no other portable code.
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("clang", "generic"), ("gcc", "x86-64-v3"), ("gcc", "x86-64-v4"))
        ),
    ],
)
def test_layers(compiler: str, target: str, layers_graph: Graph, tmp_path: Path) -> None:
    check(layers_graph, target, "c", compiler, tmp_path, fuse=False)


@pytest.mark.parametrize(
    ("compiler", "target", "weights_as"),
    [("gcc", "generic", "blob"), ("clang", "x86-64-v3", "incbin")],
)
def test_network(
    compiler: str, target: str, weights_as: WeightsAs, small_graph: Graph, tmp_path: Path
) -> None:
    check(small_graph, target, weights_as, compiler, tmp_path, fuse=True)


@pytest.mark.heavy
@pytest.mark.parametrize("target", ["generic", "x86-64-v2", "x86-64-v3", "x86-64-v4"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_networks(compiler: str, target: str, small_graphs: list[Graph], tmp_path: Path) -> None:
    for graph in small_graphs:
        check(graph, target, "blob", compiler, tmp_path, fuse=True)
