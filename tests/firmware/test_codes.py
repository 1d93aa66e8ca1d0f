"""Kernels and networks of codes on emulated boards: the bytes of their meaning, and of LiteRT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.export.boards import find_board
from netgen.kernels.targets import find_target
from tests.cases import heavy
from tests.firmware import board
from tests.kernels.i8.coded_calls import program_of, read_codes, written_for
from tests.kernels.i8.product_layers import Window, call_of
from tests.kernels.i8.small_cores import PAIRS, depthwise_calls, product_calls
from tests.tools import run_tool

# Thumb-1, which every Cortex-M executes; it has no products of 64 bits.
_M0 = ("-mcpu=cortex-m0plus", "-mthumb")
_CASES = [
    ("mps2-an386", "cortex-m-dsp", None),
    heavy("mps2-an385", "cortex-m", None),
    heavy("mps2-an385", "cortex-m", _M0),
    heavy("mps3-an547", "cortex-m-dsp", None),
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
    calls = [*product_calls(count, 5000), *depthwise_calls(chosen, count, 5000)]
    feed = written_for(calls, chosen)
    printed = board.run_program(machine, program_of(calls, chosen), tmp_path, feed, core)
    for call, y in zip(calls, read_codes(calls, printed), strict=True):
        np.testing.assert_array_equal(y, call.expected(), repr(call))


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
    {"mps2-an386": 3.8e6, "mps2-an500": 3.8e6, "mps2-an385": 10.5e6},
)
_RESNET = Network(
    "mlperf_tiny/pretrainedResnet_quant.tflite",
    "cifar10/cifar10_dev_1000.npz",
    "mlperf_tiny/pretrainedResnet_quant_expected_tflite_ref.npz",
    {"mps2-an386": 14.3e6, "mps2-an500": 14.3e6, "mps2-an385": 38e6},
)
_TARGETS = {"mps2-an386": "cortex-m-dsp", "mps2-an500": "cortex-m-dsp", "mps2-an385": "cortex-m"}


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
