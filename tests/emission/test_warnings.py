"""The emitted C compiles without a warning, whatever the compiler, standard and form of weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.emission.options import WeightsAs
from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.ops.conv2d import Conv2d
from tests.cases import heavy
from tests.emission.programs import WARNINGS, Emission, emission
from tests.kernels.layers import SingleLayer, network_of
from tests.tools import COMPILERS, run_tool

FORMS: tuple[WeightsAs, ...] = ("c", "inline", "incbin", "blob")
X86_VECTORS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")


def compile_all(emitted: Emission, folder: Path, *command: str) -> None:
    """Compile every source file by itself."""
    for source in emitted.write(folder):
        # Warnings are about C: an assembler file has none, and no standard.
        words = command[:1] if source.endswith(".S") else command
        run_tool([*words, "-c", source, "-o", "object.o"], folder)


@pytest.mark.parametrize("weights_as", FORMS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_generic_has_no_warnings(
    compiler: str, weights_as: WeightsAs, layers_graph: Graph, tiny_graph: Graph, tmp_path: Path
) -> None:
    # The kernels are the same with every form of weights.
    if weights_as == "c":
        layers = emission(layers_graph, "generic", weights_as, fuse=False)
        compile_all(layers, tmp_path, compiler, "-std=c99", "-O0", *WARNINGS)
    network = emission(tiny_graph, "generic", weights_as)
    compile_all(network, tmp_path, compiler, "-std=c99", "-O0", *WARNINGS)


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_generic_has_no_warnings_of_the_optimiser(
    compiler: str, layers_graph: Graph, tmp_path: Path
) -> None:
    layers = emission(layers_graph, "generic", "blob", fuse=False)
    compile_all(layers, tmp_path, compiler, "-std=c99", "-O3", *WARNINGS)


@pytest.mark.parametrize("standard", ["c11", heavy("c17"), heavy("gnu99")])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_later_standards_have_no_warnings(
    compiler: str, standard: str, layers_graph: Graph, tmp_path: Path
) -> None:
    layers = emission(layers_graph, "generic", fuse=False)
    compile_all(layers, tmp_path, compiler, f"-std={standard}", "-fsyntax-only", *WARNINGS)


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        pytest.param(compiler, target, marks=[pytest.mark.heavy] * (m != 2 - n))
        for n, compiler in enumerate(COMPILERS)
        for m, target in enumerate(X86_VECTORS)
    ],
)
def test_vector_targets_have_no_warnings(
    compiler: str, target: str, layers_graph: Graph, tiny_graph: Graph, tmp_path: Path
) -> None:
    """With the target's flags and as portable C. GNU vectors need no warning to be turned off: they
    are never arguments of functions (-Wpsabi), and are read through types that may lie anywhere
    (-Wcast-align)."""
    layers = emission(layers_graph, target, fuse=False)
    machine = find_target(target).machine_flags
    compile_all(layers, tmp_path, compiler, "-std=c99", "-O0", *machine, *WARNINGS)
    # 20 outputs of 32 inputs: the last vector is a folded one.
    narrow = SingleLayer(Conv2d(act="relu6"), ((1, 4, 7, 32), (20, 1, 1, 32), (20,)))
    for network in (emission(tiny_graph, target), emission(network_of([narrow]), target)):
        compile_all(network, tmp_path, compiler, "-std=c99", "-O2", *WARNINGS)


@pytest.mark.parametrize(
    ("compiler", "target"),
    [("aarch64-linux-gnu-gcc", "aarch64"), ("arm-none-eabi-gcc", "generic")],
)
def test_cross_compilers_have_no_warnings(
    compiler: str,
    target: str,
    layers_graph: Graph,
    tmp_path: Path,
) -> None:
    layers = emission(layers_graph, target, fuse=False)
    compile_all(layers, tmp_path, compiler, "-std=c99", "-O0", *WARNINGS)


# Each compiler with each target, in two forms of weights, which are the same for all targets.
@pytest.mark.heavy
@pytest.mark.parametrize(
    ("compiler", "target", "weights_as"),
    [
        (compiler, target, form)
        for n, compiler in enumerate(COMPILERS)
        for m, target in enumerate(("generic", *X86_VECTORS))
        for k, form in enumerate(FORMS)
        if (n + m + k) % 2 == 0
    ],
)
def test_optimised_networks_have_no_warnings(
    compiler: str, target: str, weights_as: WeightsAs, small_graphs: list[Graph], tmp_path: Path
) -> None:
    machine = find_target(target).machine_flags
    for graph in small_graphs:
        network = emission(graph, target, weights_as)
        compile_all(network, tmp_path, compiler, "-std=c99", "-O3", *machine, *WARNINGS)
