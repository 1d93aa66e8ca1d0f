"""Kernels and networks of codes on emulated boards: the bytes of their meaning, and of LiteRT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.bench.board.run import bench_board
from netgen.compiler import lower
from netgen.export.boards import find_board
from netgen.kernels.targets import find_target
from tests.cases import heavy
from tests.firmware import board
from tests.kernels.i8.coded_calls import program_of, read_codes, written_for
from tests.kernels.i8.elementwise import Draw, graph_of
from tests.kernels.i8.product_layers import Window, call_of
from tests.kernels.i8.small_cores import PAIRS, depthwise_calls, dot_calls, product_calls, ways
from tests.tools import run_tool

# Thumb-1, which every Cortex-M executes; it has no products of 64 bits.
_M0 = ("-mcpu=cortex-m0plus", "-mthumb")
# All variables are in memory then, and r7 points to them: the assembler has r7 for its sums.
_WITH_FRAMES = ("-mcpu=cortex-m4", "-mthumb", "-O0", "-fno-omit-frame-pointer")
_CASES = [
    ("mps2-an386", "cortex-m-dsp", None),
    heavy("mps2-an385", "cortex-m", None),
    heavy("mps2-an385", "cortex-m", _M0),
    heavy("mps3-an547", "cortex-m-dsp", None),
    heavy("mps2-an386", "cortex-m-dsp", _WITH_FRAMES),
]


@pytest.mark.parametrize(("machine", "target", "core"), _CASES)
def test_random_layers(
    machine: str,
    target: str,
    core: tuple[str, ...] | None,
    build_image: board.BuildImage,
    tmp_path: Path,
) -> None:
    del build_image  # it skips the test where tools are missing
    chosen, count = find_target(target), 9 if core is None and "dsp" in target else 30
    products, planes = product_calls(count, 5000), depthwise_calls(chosen, count, 5000)
    assert ways(products, chosen) == ways(planes, chosen) == {0, 1}
    (room,) = (region.bytes for region in find_board(machine).regions if region.name == "DATA")
    calls = [c for c in (*products, *planes) if c.packed(chosen).nbytes < room // 2]
    feed = written_for(calls, chosen)
    printed = board.run_program(machine, program_of(calls, chosen), tmp_path, feed, core)
    for call, y in zip(calls, read_codes(calls, printed), strict=True):
        np.testing.assert_array_equal(y, call.expected(), repr(call))


@pytest.mark.heavy
def test_random_layers_by_helium(build_image: board.BuildImage, tmp_path: Path) -> None:
    del build_image  # it skips the test where tools are missing
    chosen = find_target("cortex-m-mve")
    calls = [c for c in dot_calls(chosen, 40, 5000) if c.packed(chosen).nbytes < 200_000]
    assert ways(calls, chosen) == {0, 1}
    feed = written_for(calls, chosen)
    printed = board.run_program("mps3-an547", program_of(calls, chosen), tmp_path, feed)
    for call, y in zip(calls, read_codes(calls, printed), strict=True):
        np.testing.assert_array_equal(y, call.expected(), repr(call))


@pytest.mark.heavy
def test_sums_by_helium(build_image: board.BuildImage, instruction_counter: Path) -> None:
    del build_image, instruction_counter  # they skip the test where tools are missing
    draw = Draw(5)
    drawn = [case for name in ("add", "sub") for case in draw.cases(name, 100)]
    graph = graph_of([case for case in drawn if case.y.dtype == "i8" and not case.constant])
    lowered = lower(graph, find_target("cortex-m-mve"))
    assert sum(step.kernel == "sum_vectors_i8" for step in lowered.plan.steps) > 10
    result = bench_board(graph, lowered, find_board("mps3-an547"), lambda _: None)
    assert all(output.differ == 0 for output in result.outputs)


@pytest.mark.heavy
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_clang_takes_the_assembler(
    level: str, build_image: board.BuildImage, tmp_path: Path
) -> None:
    """It has no C library for the processor, so it borrows gcc's headers, and nothing is linked."""
    del build_image  # it skips the test where tools are missing
    chosen, flags = find_target("cortex-m-dsp"), find_board("mps2-an386").flags
    calls = [*product_calls(9, 5000), *depthwise_calls(chosen, 9, 5000)]
    (tmp_path / "calls.c").write_text(program_of(calls, chosen))
    gcc = f"{board.TOOLCHAIN}gcc"
    libc = Path(run_tool([gcc, *flags, "-print-file-name=libc.a"], tmp_path).decode().strip())
    headers = next(up / "include" for up in libc.parents if (up / "include" / "stdio.h").exists())
    machine = ("--target=arm-none-eabi", *flags, "-isystem", str(headers))
    run_tool(["clang", *machine, *board.APP_FLAGS, level, "-c", "calls.c"], tmp_path)
    found = run_tool([f"{board.TOOLCHAIN}objdump", "-d", "calls.o"], tmp_path).decode()
    assert {"smlad", "smmlar", "ssat"} <= set(found.split())


def test_real_factors_alone_have_the_instructions_too(
    build_image: board.BuildImage, tmp_path: Path
) -> None:
    """Such a network has none of the words that quick codes are made of."""
    del build_image  # it skips the test where tools are missing
    chosen, board_flags = find_target("cortex-m-dsp"), find_board("mps2-an386").flags
    calls = [replace(call_of(Window((1, 1, 24), 8), 0, rounding="real", linear=True), kernel=PAIRS)]
    (tmp_path / "calls.c").write_text(program_of(calls, chosen))
    flags = (*board_flags, *board.APP_FLAGS, "-Wundef")
    run_tool([f"{board.TOOLCHAIN}gcc", *flags, "-S", "calls.c"], tmp_path)
    assert {"smlad", "sxtb16"} <= set((tmp_path / "calls.s").read_text().split())


@dataclass(frozen=True)
class Network:
    """A file, its inputs and LiteRT's outputs, and the most instructions of a run on a board."""

    file: str
    inputs: str
    expected: str
    most: dict[str, float]


_KWS = Network(
    "mlperf_tiny/kws_ref_model.tflite",
    "kws/kws_dev_200.npz",
    "mlperf_tiny/kws_ref_model_expected_tflite_ref.npz",
    {"mps2-an386": 3.5e6, "mps2-an500": 3.5e6, "mps2-an385": 10.5e6, "mps3-an547": 0.9e6},
)
_RESNET = Network(
    "mlperf_tiny/pretrainedResnet_quant.tflite",
    "cifar10/cifar10_dev_1000.npz",
    "mlperf_tiny/pretrainedResnet_quant_expected_tflite_ref.npz",
    {"mps2-an386": 13.4e6, "mps2-an500": 13.4e6, "mps2-an385": 38e6, "mps3-an547": 2.6e6},
)
_TARGETS = {
    "mps2-an386": "cortex-m-dsp",
    "mps2-an500": "cortex-m-dsp",
    "mps2-an385": "cortex-m",
    "mps3-an547": "cortex-m-mve",
}


@pytest.mark.heavy
def test_the_smallest_plan_equals_litert(
    build_image: board.BuildImage, shared_data: Path, tmp_path: Path
) -> None:
    """Scratch is another, codes are the same."""
    x = np.load(shared_data / _RESNET.inputs)["x"][:2]
    x = (x.astype(np.int16) - 128).astype(np.int8) if x.dtype == np.uint8 else x
    expected = np.load(shared_data / _RESNET.expected)["y"][:2]
    graph = netgen.load(str(shared_data / _RESNET.file))
    netgen.emit(graph, tmp_path / "net.c", target="cortex-m-dsp", ram="least")
    sources = (tmp_path / "net.c", tmp_path / "net_weights.c")
    flags = ("-std=c99", "-O2")
    model = board.Model(sources, "net", x[0].size, expected.shape[1], flags, "int8_t")
    image = build_image("mps2-an386", model, tmp_path)
    np.testing.assert_array_equal(image.run(x.reshape(2, -1)), expected)


@pytest.mark.heavy
@pytest.mark.parametrize("machine", _TARGETS)
@pytest.mark.parametrize("network", [_KWS, _RESNET], ids=["kws", "resnet8"])
def test_networks_equal_litert_in_few_instructions(
    network: Network,
    machine: str,
    build_image: board.BuildImage,
    instruction_counter: Path,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    """Code below 24 KB, no function with more than 1 KB of stack."""
    x = np.load(shared_data / network.inputs)["x"][:3]
    x = (x.astype(np.int16) - 128).astype(np.int8) if x.dtype == np.uint8 else x
    expected = np.load(shared_data / network.expected)["y"][:3]
    netgen.emit(
        netgen.load(str(shared_data / network.file)), tmp_path / "net.c", target=_TARGETS[machine]
    )
    sources = (tmp_path / "net.c", tmp_path / "net_weights.c")
    flags = ("-std=c99", "-O2")
    size = x[0].size
    model = board.Model(sources, "net", size, expected.shape[1], flags, "int8_t")
    image = build_image(machine, model, tmp_path)
    np.testing.assert_array_equal(image.run(x.reshape(3, size)), expected)
    counts = image.count_instructions(x.reshape(3, size), instruction_counter)
    assert max(counts) < network.most[machine]
    sizes = board.section_sizes(image.objects[0])
    code = sum(n for name, n in sizes.items() if name.startswith((".model_code", ".text", ".rod")))
    assert code < 24 * 1024
    assert max(use for use, _ in board.stack_uses(image.objects[0]).values()) < 1024
