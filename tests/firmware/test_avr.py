"""Networks of codes on an emulated AVR, whose `int` has 16 bits: each layer's own self-test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.emission.c_types import C_TYPES
from netgen.ir.graph import Graph
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.mul import Mul
from netgen.ops.prelu import Prelu
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.softmax import Softmax
from netgen.ops.transpose_conv2d import TransposeConv2d
from netgen.ops.weighted import Weighted
from tests.kernels.i8.random_networks import Drawing, random_network
from tests.tools import ToolError, find_tool, run_tool

_MCU = "atmega1284"
# The simulator ends where a processor sleeps without interrupts.
_MAIN = """\
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include "net.h"
NET_ARENA(arena);
static INPUT input[NET_INPUT_ELEMENTS];
static OUTPUT output[NET_OUTPUT_ELEMENTS];
static void print(const char *text)
{
    for (; *text; ++text) {
        while (!(UCSR0A & 1 << UDRE0)) {
        }
        UDR0 = (uint8_t)*text;
    }
}
int main(void)
{
    net_t model;
    net_config config = {0};
    config.arena = &arena;
    config.arena_bytes = NET_ARENA_BYTES;
    UCSR0B = 1 << TXEN0;
    int32_t status = net_init(&model, &config);
    status = status ? status : net_selftest(&model, input, output);
    print(status ? "wrong: " : "all right");
    print(net_selftest_layer(status));
    print("\\n");
    cli();
    sleep_mode();
    return 0;
}
"""


def of_all_kernels(dtype: str) -> Graph:
    """A network of the kernels of codes whose sums or places have more than 16 bits."""
    drawing = Drawing(np.random.default_rng(5), dtype)
    pixels = drawing.image((1, 5, 4, 4))
    large = drawing.add(ResizeBilinear((40, 5)), (pixels,))
    mean = drawing.add(AvgPool2d((5, 2), (5, 1)), (large,))
    deep = drawing.weighted(DepthwiseConv2d(pad=(1, 1, 1, 1)), mean, (8, 3, 3, 1))
    wide = drawing.weighted(TransposeConv2d((9, 5), (1, 1)), deep, (4, 2, 2, 8))
    narrow = drawing.weighted(Conv2d(pad=(1, 1, 1, 1)), wide, (4, 3, 3, 4))
    x = drawing.add(Mul(scale=0.25, zero=3), (wide, narrow))
    x = drawing.add(Add(scale=0.25, zero=3), (x, wide))
    x = drawing.add(Prelu(scale=0.25, zero=3), (x, narrow))
    mean = drawing.add(GlobalAvgPool(scale=0.125, zero=3), (x,))
    return Graph("all", drawing.nodes, [drawing.add(_softmax(dtype), (mean,))], drawing.constants)


def _softmax(dtype: str) -> Softmax:
    return Softmax(scale=1 / 256, zero=-128 if dtype == "i8" else 0)


def fixed(graph: Graph) -> Graph:
    """The same network, but no sum is rescaled by a double, which has 4 bytes here."""
    nodes = [
        replace(node, op=replace(node.op, rounding="fixed"))
        if isinstance(node.op, Weighted)
        else node
        for node in graph.nodes
    ]
    return Graph(graph.name, nodes, graph.outputs, graph.constants)


def run(graph: Graph, target: str, folder: Path) -> str:
    """Run a program with the self-test on the emulated processor; what it prints."""
    netgen.emit(graph, folder / "net.c", target=target, selftest=True, input="caller")
    main = _MAIN
    for word, name in (("INPUT ", graph.inputs[0].name), ("OUTPUT ", graph.outputs[0])):
        main = main.replace(word, f"{C_TYPES[graph[name].type.dtype].name} ")
    (folder / "main.c").write_text(main)
    sources = ["main.c", "net.c", "net_weights.c", "-o", "net.elf"]
    for tool in ("avr-gcc", "simavr"):
        find_tool(tool)
    run_tool(["avr-gcc", f"-mmcu={_MCU}", "-std=c99", "-O2", "-Wall", "-I.", *sources], folder)
    return run_tool(["sh", "-c", f"simavr -m {_MCU} -f 16000000 net.elf 2>&1"], folder).decode()


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_all_kernels(dtype: str, tmp_path: Path) -> None:
    assert "all right" in run(fixed(of_all_kernels(dtype)), "generic", tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [0, 9])  # of u8 with zero points of weights, and of i8
@pytest.mark.parametrize("target", ["generic", "cortex-m"])
def test_random_networks(target: str, seed: int, tmp_path: Path) -> None:
    assert "all right" in run(fixed(random_network(seed, 3)), target, tmp_path)


@pytest.mark.heavy
def test_sums_that_are_rescaled_by_doubles_do_not_compile(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="net_double_has_8_bytes"):
        run(random_network(3, 3), "generic", tmp_path)
