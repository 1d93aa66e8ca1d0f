"""Tiles of products of codes stay in registers: the assembly of their innermost loops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from netgen.kernels.targets import Compiler, find_target
from tests.emission.assembly import innermost_loops
from tests.emission.programs import flags_of
from tests.kernels.i8.coded_calls import CodedCall, program_of
from tests.kernels.i8.product_layers import PRODUCT, Window, call_of
from tests.kernels.i8.test_product import WITH_PRODUCTS
from tests.tools import run_tool

_WINDOWS = (
    Window((84, 84, 20), 120, (3, 3), pad=(1, 1, 1, 1)),
    Window((84, 84, 64), 120),
)


def tiled_calls(target: str) -> list[CodedCall]:
    """A call for each tile of the target and window."""
    chosen, found = find_target(target), []
    for window in _WINDOWS:
        call = call_of(window, 0)
        tiles = {(c["rows"], c["vectors"]): c for c in PRODUCT.choices(call.layer, chosen)}
        assert len(tiles) == len(chosen.tiling("i8").tiles)
        found += [replace(call, layer=replace(call.layer, choice=c)) for c in tiles.values()]
    return found


@pytest.mark.parametrize("target", WITH_PRODUCTS)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_sums_stay_in_registers(compiler: Compiler, target: str, tmp_path: Path) -> None:
    calls = tiled_calls(target)
    (tmp_path / "calls.c").write_text(program_of(calls, find_target(target)))
    run_tool([*flags_of(target, compiler), "-S", "calls.c", "-o", "calls.s"], tmp_path)
    product = "vpdpbusd" if find_target(target).tiling("i8").inputs_at_once == 4 else "vpmaddwd"
    loops = [
        loop
        for loop in innermost_loops((tmp_path / "calls.s").read_text())
        if any(each.startswith(product) for each in loop.instructions)
    ]
    assert len({loop.function for loop in loops}) >= len(calls)
    assert not {(loop.function, loop.spills) for loop in loops if loop.spills}
