"""The deepest stack as it is measured from the call graph, beside what a run touches."""

from __future__ import annotations

from pathlib import Path

import pytest

import netgen
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.export.boards import find_board
from netgen.ops import conv2d, relu
from netgen.runtime.footprint import measure_footprint
from tests.cases import heavy
from tests.firmware import board
from tests.quantisation.networks import seeded
from tests.quantisation.test_quantise import quantised

# Nothing interrupts a run, so what lies below the stack of main keeps its pattern.
_PROGRAM = """\
#include "net.c"
#include "net_weights.c"
#include <stdio.h>
#include <stdlib.h>
NET_ARENA(arena);
static float x[NET_INPUT_ELEMENTS], y[NET_OUTPUT_ELEMENTS];
int main(void)
{
    static net_t model;
    const net_config config = {.arena = &arena, .arena_bytes = NET_ARENA_BYTES};
    int32_t (*volatile run)(net_t *, const float *, float *) = net_run;
    volatile unsigned char *below;
    if (net_init(&model, &config) != 0) {
        return 1;
    }
    __asm__ volatile("mov %0, sp" : "=r"(below));
    for (int n = 1; n <= 8192; ++n) {
        below[-n] = 0xa5;
    }
    const int32_t status = run(&model, x, y);
    int touched = 8192;
    while (touched > 0 && below[-touched] == 0xa5) {
        --touched;
    }
    printf("%d\\n", touched);
    return status != 0;
}
"""


@network
def pointwise() -> Tensor:
    """One step reaches the deepest chain: eight sums in all the registers that there are."""
    return relu(conv2d(image(4, 4, 8), 8, 1, name="layer"))


@pytest.mark.parametrize(
    ("target", "machine"),
    [
        ("cortex-m-dsp", "mps2-an386"),
        heavy("cortex-m", "mps2-an386"),
        heavy("cortex-m-mve", "mps3-an547"),
    ],
)
def test_no_run_touches_more_than_is_stated(
    target: str, machine: str, build_image: board.BuildImage, tmp_path: Path
) -> None:
    del build_image  # it skips the test where tools are missing
    netgen.emit(quantised(seeded(pointwise)).graph, tmp_path / "net.c", target=target)
    described = find_board(machine)
    flags = (*board.APP_FLAGS, *described.flags)
    footprint = measure_footprint(tmp_path / "net.c", board.TOOLCHAIN, flags, described.name)
    touched = int(board.run_program(described.name, _PROGRAM, tmp_path, b""))
    assert touched <= footprint.stack < touched + 32
