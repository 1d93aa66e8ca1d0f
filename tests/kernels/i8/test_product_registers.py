"""Tiles of products of codes stay in registers: the assembly of their innermost loops.

On aarch64 most instructions on vectors are products, and the loads beside them are counted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from netgen.kernels.targets import Compiler, find_target
from tests.emission.assembly import Loop, innermost_loops
from tests.kernels.i8.coded_calls import CodedCall, program_of
from tests.kernels.i8.product_layers import PRODUCT, Window, call_of
from tests.kernels.i8.test_product import WITH_PRODUCTS
from tests.tools import compiler_for, run_tool

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


# The instruction that begins with each is what a target's tiles are made of.
_PRODUCTS = {4: ("vpmaddwd", "vpdpbusd"), 8: ("smlal",)}


def product_loops(target: str, compiler: Compiler, folder: Path) -> list[Loop]:
    """The innermost loops with products, of all calls; each has at least one."""
    chosen, calls = find_target(target), tiled_calls(target)
    (folder / "calls.c").write_text(program_of(calls, chosen))
    run_tool([*compiler_for(target, compiler), "-S", "calls.c", "-o", "calls.s"], folder)
    tiling = chosen.tiling("i8")
    product = ("sdot",) if tiling.lanes_of_inputs == 4 else _PRODUCTS[tiling.inputs_at_once]
    loops = [
        loop
        for loop in innermost_loops((folder / "calls.s").read_text())
        if any(each.startswith(product) for each in loop.instructions)
    ]
    assert len({loop.function for loop in loops}) >= len(calls)
    return loops


@pytest.mark.parametrize("target", WITH_PRODUCTS)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_sums_stay_in_registers(compiler: Compiler, target: str, tmp_path: Path) -> None:
    loops = product_loops(target, compiler, tmp_path)
    # Clang reads four vectors of weights ahead, which leaves one of eight sums no register.
    most = 2 if (compiler, target) == ("clang", "x86-64-v3") else 0
    assert not {(loop.function, loop.spills) for loop in loops if loop.spills > most}
    assert sum(loop.spills for loop in loops) <= most


@pytest.mark.parametrize("target", ["aarch64", "aarch64-dotprod"])
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_most_instructions_of_aarch64_are_products(
    compiler: Compiler, target: str, tmp_path: Path
) -> None:
    """Tiles of one pixel load all weights for themselves; of others two thirds are products."""
    tiles = [call.layer.choice for call in tiled_calls(target)]
    for loop in product_loops(target, compiler, tmp_path):
        tile = tiles[int(loop.function.rpartition("_")[2])]
        assert tile is not None
        words = [text.split()[0] for text in loop.instructions]
        products = sum(word in {"sdot", "smull", "smlal", "sadalp"} for word in words)
        assert products / len(words) > (0.4 if tile["rows"] == 1 else 0.64), loop


@pytest.mark.parametrize(
    ("image", "tight"), [((7, 7), True), ((25, 5), True), ((28, 28), False), ((3, 3), False)]
)
def test_tight_tiles_are_for_fewer_pixels_only(image: tuple[int, int], tight: bool) -> None:
    """49 pixels are ten tiles of five, or thirteen of four: three pixels too many."""
    target = find_target("x86-64-v3")
    layer = call_of(Window((*image, 64), 64), 0).layer
    tiles = [(choice["rows"], choice["vectors"]) for choice in PRODUCT.choices(layer, target)]
    assert (tiles[0] == (5, 2)) is tight
    assert ((5, 2) in tiles) is tight
