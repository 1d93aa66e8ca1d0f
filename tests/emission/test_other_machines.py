"""Every target's file compiles with any compiler for any processor, and is right there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import TARGETS, find_target
from tests.emission.programs import WARNINGS, emission
from tests.kernels.i8.random_networks import drawn_codes, random_network
from tests.kernels.layers import normal_inputs, worst_errors
from tests.tools import AARCH64_GCC, compiler_for, find_package, run_tool

CODES_OF_AARCH64 = ("aarch64", "aarch64-dotprod")
TARGET_NAMES = tuple(target.name for target in TARGETS)
BOARDS = {
    "cortex-m4": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m7": ("-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-d16"),
}


def check(
    graph: Graph,
    target: str,
    folder: Path,
    command: list[str],
    *,
    fuse: bool = False,
) -> None:
    """Build, run, compare with the reference."""
    emitted = emission(graph, target, fuse=fuse)
    program = emitted.build(folder, command)
    inputs = normal_inputs(graph)
    found = emitted.run(program, inputs)
    assert max(worst_errors(found, interpret(graph, inputs)).values()) < 1e-5


@pytest.mark.parametrize(
    ("board", "target"),
    [
        *(("cortex-m4", "generic"), ("cortex-m7", TARGET_NAMES[-1])),
        *(
            pytest.param(("cortex-m7", "cortex-m4")[n % 2], target, marks=pytest.mark.heavy)
            for n, target in enumerate(TARGET_NAMES[:-1])
        ),
    ],
)
def test_compiles_for_boards(
    target: str,
    board: str,
    tiny_graph: Graph,
    tmp_path: Path,
) -> None:
    command = ["arm-none-eabi-gcc", "-std=c99", "-O2", *BOARDS[board], *WARNINGS]
    for source in emission(tiny_graph, target).write(tmp_path):
        run_tool([*command, "-c", source], tmp_path)


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        *(("gcc", "aarch64"), ("clang", "x86-64-v4")),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("gcc", "x86-64-v4"), ("clang", "aarch64"))
        ),
    ],
)
def test_portable_twin_is_right(
    compiler: str, target: str, layers_graph: Graph, tmp_path: Path
) -> None:
    """Without the target's flags the vectors are lowered to what any x86-64 has."""
    check(layers_graph, target, tmp_path, [compiler, "-std=c99", "-O0"])


def test_right_on_aarch64(layers_graph: Graph, tmp_path: Path) -> None:
    flags = find_target("aarch64").flags("gcc")
    check(layers_graph, "aarch64", tmp_path, [AARCH64_GCC, "-static", *flags])


@pytest.mark.parametrize(
    ("target", "seeds"),
    [
        *((target, (0,)) for target in CODES_OF_AARCH64),
        *(
            pytest.param(target, range(400 + first, 405 + first), marks=pytest.mark.heavy)
            for target in CODES_OF_AARCH64
            for first in range(0, 30, 5)
        ),
    ],
)
def test_codes_right_on_aarch64(target: str, seeds: Sequence[int], tmp_path: Path) -> None:
    for seed in seeds:
        graph = random_network(seed)
        emitted, inputs = emission(graph, target), drawn_codes(graph, seed)
        program = emitted.build(tmp_path, [*compiler_for(target, "gcc"), *WARNINGS])
        expected = interpret(graph, inputs)
        for name, array in emitted.run(program, inputs).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=f"{seed} {name}")


@pytest.mark.heavy
@pytest.mark.parametrize("target", CODES_OF_AARCH64)
@pytest.mark.parametrize("file", ["kws_ref_model", "vww_96_int8", "pretrainedResnet_quant"])
def test_files_of_codes_right_on_aarch64(
    file: str, target: str, shared_data: Path, tmp_path: Path
) -> None:
    """Judged by the reference kernels of TensorFlow Lite."""
    lite = find_package("ai_edge_litert.interpreter")
    path = shared_data / "mlperf_tiny" / f"{file}.tflite"
    reference = lite.Interpreter(
        str(path), experimental_op_resolver_type=lite.OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    (x,), (y,) = reference.get_input_details(), reference.get_output_details()
    emitted = emission(load_tflite(path), target)
    program = emitted.build(tmp_path, compiler_for(target, "gcc"))
    draw = np.random.default_rng(1)
    for image in (
        *(draw.integers(-128, 128, x["shape"]) for _ in range(3)),
        *(np.full(x["shape"], code) for code in (-128, 127)),
    ):
        codes = image.astype(np.int8)
        reference.set_tensor(x["index"], codes)
        reference.invoke()
        (found,) = emitted.run(program, {emitted.plan.inputs[0]: codes}).values()
        np.testing.assert_array_equal(found.ravel(), reference.get_tensor(y["index"]).ravel())


# One target for each way to compute floats.
OF_FLOATS = tuple({target.f32: target.name for target in reversed(TARGETS)}.values())


@pytest.mark.heavy
@pytest.mark.parametrize("target", OF_FLOATS)
def test_networks_right_on_aarch64(target: str, small_graphs: list[Graph], tmp_path: Path) -> None:
    flags = find_target("aarch64").flags("gcc")
    if not target.startswith("aarch64"):
        flags = (*flags, "-O1")  # its wide vectors, lowered, take gcc long to optimise
    for graph in small_graphs:
        check(graph, target, tmp_path, [AARCH64_GCC, "-static", *flags], fuse=True)
