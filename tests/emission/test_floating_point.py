"""The floating-point policy, in the assembly: what is fused, and what stays in registers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import netgen
import netgen.kernels.f32.conv2d
import netgen.kernels.f32.pointwise
from netgen.ir.graph import Graph
from netgen.kernels.targets import Compiler, find_target
from netgen.kernels.tiles import Tile
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.passes import run_pipeline
from netgen.plan.data.options import DEFAULT, PlanOptions
from tests.emission.assembly import Loop, assembly, innermost_loops
from tests.emission.programs import emission
from tests.kernels.layers import SingleLayer, network_of
from tests.tools import COMPILERS, compiler_for

# Each kernel as a function of its own, which the compiler would else inline.
SEPARATE = "-DMODEL_CODE_ATTR=__attribute__((noinline))"


@dataclass(frozen=True)
class CrossCompiler:
    """A compiler for the processor of a target, with that target's flags."""

    target: str
    kind: Compiler

    @property
    def command(self) -> list[str]:
        return compiler_for(self.target, self.kind)

    def assembly_of(self, graph: Graph, folder: Path, memory: PlanOptions = DEFAULT) -> str:
        emitted = emission(graph, self.target, fuse=False, memory=memory)
        return assembly(emitted, folder, [*self.command, SEPARATE])

    def instructions_of(self, graph: Graph, folder: Path) -> Loop:
        """The whole file as if it were one loop."""
        lines = self.assembly_of(graph, folder).splitlines()
        return Loop("all", tuple(line.strip().replace("\t", " ") for line in lines))

    def loops_of(self, graph: Graph, folder: Path, memory: PlanOptions = DEFAULT) -> list[Loop]:
        """Innermost loops that multiply."""
        loops = innermost_loops(self.assembly_of(graph, folder, memory))
        return [loop for loop in loops if loop.fused or loop.products]


# Each target and each compiler, the other pairs in CI.
FUSING = pytest.mark.parametrize(
    ("kind", "target"),
    [
        *(("gcc", "x86-64-v3"), ("clang", "x86-64-v4"), ("gcc", "aarch64")),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("clang", "x86-64-v3"), ("gcc", "x86-64-v4"), ("clang", "aarch64"))
        ),
    ],
)


def legal_tiles(target: str) -> list[Tile]:
    """All tiles that a target may choose."""
    tiles = find_target(target).f32.tiles
    pairs = {(rows, vectors) for most, vectors in tiles for rows in range(1, most + 1)}
    return [Tile(*pair) for pair in sorted(pairs)]


def largest_tiles(target: str) -> list[Tile]:
    """The tiles that need most registers."""
    return [Tile(*pair) for pair in find_target(target).f32.tiles]


def tiled_network(
    target: str, tiles: Sequence[Tile], kernel: int, inputs: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[Graph, dict[str, Tile]]:
    """A convolution for each tile, planned with it and made of whole ones; tiles by function."""
    width = find_target(target).f32.vector_widths[0]
    by_shape: dict[tuple[int, int], Tile] = {}
    by_function: dict[str, Tile] = {}
    layers = []
    for tile in tiles:
        pixels, outputs = 3 * tile.rows, 2 * tile.vectors * width
        by_shape[pixels, outputs] = tile
        rows = 1 if kernel == 1 else 8
        op = Conv2d(pad=(kernel // 2,) * 4, act="relu6")
        operands = ((1, rows, pixels, inputs), (outputs, kernel, kernel, inputs), (outputs,))
        layers.append(SingleLayer(op, operands))
        name = f"conv2d_{kernel}x{kernel}_{rows}x{pixels}x{inputs}x{outputs}"
        name = f"pointwise_{pixels}x{inputs}x{outputs}" if kernel == 1 else name
        by_function[f"model_{name}_relu6"] = tile

    def choose(_: object, pixels: int, outputs: int, *__: int) -> Tile:
        return by_shape[pixels, outputs]

    for module in (netgen.kernels.f32.pointwise, netgen.kernels.f32.conv2d):
        monkeypatch.setattr(module, "choose_tile", choose)
    return network_of(layers), by_function


def mixed_graph() -> Graph:
    """Every kernel that multiplies and adds, with channels for vectors and scalars."""
    x = (1, 9, 30, 23)
    return network_of(
        [
            SingleLayer(Conv2d(act="relu6"), (x, (21, 1, 1, 23), (21,))),
            SingleLayer(Conv2d(pad=(1, 1, 1, 1), act="relu"), (x, (21, 3, 3, 23), (21,))),
            SingleLayer(DepthwiseConv2d(pad=(1, 1, 1, 1)), (x, (23, 3, 3, 1), (23,))),
            SingleLayer(Conv2d(groups=23), (x, (23, 3, 3, 1), (23,))),
            SingleLayer(DepthwiseConv2d(dilation=(2, 2)), (x, (46, 3, 3, 1), (46,))),
            # What a compiler would make vectors of, for the products alone.
            SingleLayer(
                DepthwiseConv2d((2, 1), (0, 1, 0, 0)), ((1, 17, 5, 7), (14, 1, 2, 1), (14,))
            ),
            SingleLayer(Conv2d(groups=7), ((1, 17, 5, 28), (14, 1, 1, 4), (14,))),
        ]
    )


@FUSING
def test_everything_is_fused_where_the_processor_can(
    kind: Compiler, target: str, tmp_path: Path
) -> None:
    found = CrossCompiler(target, kind).instructions_of(mixed_graph(), tmp_path)
    assert found.fused > 100
    assert found.products == 0


@pytest.mark.parametrize("target", ["generic", "x86-64-v2"])
@pytest.mark.parametrize("kind", COMPILERS)
def test_nothing_is_fused_where_the_processor_cannot(
    kind: Compiler, target: str, tmp_path: Path
) -> None:
    found = CrossCompiler(target, kind).instructions_of(mixed_graph(), tmp_path)
    assert found.fused == 0
    assert found.products > 100
    assert found.sums > 100


@FUSING
def test_inner_loop_is_its_tile_and_nothing_else(
    kind: Compiler,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step of k takes rows x vectors fused operations, and no accumulator leaves its register.

    Where one load takes several inputs, a loop takes as many steps at once.
    """
    graph, tiles = tiled_network(target, legal_tiles(target), 1, 64, monkeypatch)
    loops = CrossCompiler(target, kind).loops_of(graph, tmp_path)
    assert {loop.function for loop in loops} == set(tiles)
    together = find_target(target).f32.lanes_of_inputs or 1
    for loop in loops:
        tile = tiles[loop.function]
        steps, rest = divmod(loop.fused, tile.rows * tile.vectors)
        assert (rest, loop.products, loop.sums, loop.spills) == (0, 0, 0, 0), tile
        # gcc unrolls no further, clang may.
        assert steps == together if kind == "gcc" else steps >= together, tile


@pytest.mark.parametrize("kind", COMPILERS)
def test_most_vector_instructions_of_aarch64_multiply_and_add(
    kind: Compiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four fifths: what else there is loads inputs, four at once, and weights, mostly in pairs.

    One vector of outputs uses each input once, one pixel each weight: those loops wait for loads.
    """
    tiles = [tile for tile in largest_tiles("aarch64") if tile.rows > 1 and tile.vectors > 1]
    graph, by_function = tiled_network("aarch64", tiles, 1, 64, monkeypatch)
    loops = CrossCompiler("aarch64", kind).loops_of(graph, tmp_path)
    assert {loop.function for loop in loops} == set(by_function)
    assert {loop.function: loop.share for loop in loops if loop.share < 0.8} == {}
    assert sum(loop.spills for loop in loops) == 0


@pytest.mark.heavy
@pytest.mark.parametrize("kind", COMPILERS)
def test_products_of_a_network_on_aarch64(kind: Compiler, tmp_path: Path) -> None:
    """Tiles that were chosen for its layers, with what is left of pixels and outputs."""
    graph = run_pipeline(netgen.load("mobilenet_v2", alpha=0.35, input_size=96))
    loops = CrossCompiler("aarch64", kind).loops_of(graph, tmp_path)
    assert not {(loop.function, loop.spills) for loop in loops if loop.spills}
    products = [loop for loop in loops if re.match(r"model_pointwise_(?!1x)", loop.function)]
    assert len(products) >= 15
    assert {loop.function: loop.share for loop in products if loop.share < 0.8} == {}


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        *(("x86-64-v2", "gcc"), ("x86-64-v3", "clang"), ("x86-64-v4", "gcc"), ("aarch64", "clang")),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("x86-64-v3", "gcc"), ("x86-64-v4", "clang"), ("aarch64", "gcc"))
        ),
    ],
)
def test_convolutions_stay_in_registers(
    kind: Compiler,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 20 inputs: a row of 3 x 3 is too long to unroll, else a compiler may well prefer the
    stack
    to the weights' own place."""
    graph, tiles = tiled_network(target, largest_tiles(target), 3, 20, monkeypatch)
    direct = PlanOptions(winograd=False)
    loops = CrossCompiler(target, kind).loops_of(graph, tmp_path, direct)
    assert {loop.function for loop in loops} == set(tiles)
    assert not {(loop.function, loop.spills) for loop in loops if loop.spills}


@FUSING
def test_products_of_winograd_stay_in_registers(
    kind: Compiler, target: str, tmp_path: Path
) -> None:
    """Its transforms go through memory; the products, which take the time, do not."""
    op = Conv2d(pad=(1, 1, 1, 1), act="relu")
    shapes = [((1, n, n, c), (c, 3, 3, c), (c,)) for n, c in ((56, 64), (28, 128), (7, 512))]
    graph = network_of([SingleLayer(op, operands) for operands in shapes])
    loops = CrossCompiler(target, kind).loops_of(graph, tmp_path)
    products = [loop for loop in loops if not loop.sums and "winograd" in loop.function]
    assert {loop.function for loop in products} == {
        loop.function for loop in loops if "winograd" in loop.function
    }
    assert len({loop.function for loop in products}) >= 2
    assert not {(loop.function, loop.spills) for loop in products if loop.spills}


def test_header_comment_names_the_flags() -> None:
    for target in ("generic", "x86-64-v4", "aarch64"):
        text = emission(mixed_graph(), target, fuse=False).logic
        for kind in COMPILERS:
            flags = find_target(target).flags(kind)
            assert any(flag.startswith("-ffp-contract=") for flag in flags)
            # A long line is continued on the next.
            words = text.split(f" * {kind}:")[1].split()
            assert [word for word in words if word != "*"][: len(flags)] == list(flags)
