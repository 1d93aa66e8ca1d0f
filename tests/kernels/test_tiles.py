"""Outputs cut into vectors and pieces, and the registers that they take beside the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.kernels.f32.pointwise
from netgen.emission.environment import render
from netgen.emission.functions import vector_words
from netgen.emission.kernels import kernel_function
from netgen.kernels import find_kernel
from netgen.kernels.layout import Layout, common_spans, visiting_order
from netgen.kernels.products import most_fold
from netgen.kernels.targets import Compiler, Target, find_target
from netgen.kernels.tiles import (
    Tile,
    cover_runs,
    cover_vectors,
    cut_panels,
    describe_panels,
    pack_panels,
)
from netgen.ops.conv2d import Conv2d
from tests.emission.assembly import innermost_loops
from tests.kernels.laid_out import layouts
from tests.kernels.product_layers import layer_of, shuffled, spread
from tests.tools import compiler_for, run_tool


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.sampled_from([(16, 8, 4), (8, 4), (4,)]),
)
def test_vectors_keep_to_runs_where_that_costs_none(
    lengths: list[int], widths: tuple[int, ...]
) -> None:
    found = cover_runs(lengths, widths)
    assert sum(filled for _, filled in found) == sum(lengths)
    assert all(0 < filled <= width and width in (*widths, 1) for width, filled in found)
    by_themselves = sum(len(cover_vectors(n, widths)) for n in lengths)
    least = -(-sum(lengths) // widths[0])
    assert len(found) == least
    if by_themselves == least:
        ends = set(np.cumsum([filled for _, filled in found]).tolist())
        assert set(np.cumsum(lengths).tolist()) <= ends


@given(st.integers(1, 70).flatmap(layouts), st.integers(1, 4), st.booleans())
def test_every_output_is_stored_once_at_its_place(
    layout: Layout, vectors: int, scattered: bool
) -> None:
    target = find_target("x86-64-v4")
    order = visiting_order(layout)
    spans = common_spans({"y": layout}, order)
    panels = cut_panels([s.channels for s in spans], target.f32.vector_widths, vectors)
    stored: list[int] = []
    packed = 0
    described: object = describe_panels(panels, spans, target.f32, scattered=scattered)
    assert isinstance(described, list)
    for panel in described:
        for o in range(panel["first"], panel["end"], panel["channels"]):
            assert o + panel["surplus"] == packed
            packed += panel["elements"]
            for vector in panel["vectors"]:
                pieces = vector["pieces"]
                assert vector["whole"] == (pieces[0]["channels"] == vector["width"])
                for piece in pieces:
                    lane, count = piece["lane"], piece["channels"]
                    assert not scattered or (count & (count - 1) == 0 and lane % count == 0)
                    stored += range(o + piece["y"], o + piece["y"] + count)
    assert stored == sorted(layout.places().tolist())


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.sampled_from([(16, 8, 4), (8, 4)]),
    st.integers(1, 4),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 5),
)
def test_a_folded_panel_is_the_product(
    lengths: list[int], widths: tuple[int, ...], vectors: int, most_fold: int, steps: int
) -> None:
    """Panels, read as the C reads them, in integers: lanes, their inputs, and their sums."""
    k, outputs = 4 * steps, sum(lengths)
    draw = np.random.default_rng(outputs)
    w, b = draw.integers(-9, 9, (outputs, k)), draw.integers(-9, 9, outputs)
    x = draw.integers(-9, 9, k)
    panels = cut_panels(lengths, widths, vectors, most_fold)
    packed = iter(pack_panels(panels, w.astype(np.float32), b.astype(np.float32)).tolist())
    found: list[float] = []
    for panel in panels:
        sums = [next(packed) for _ in range(panel.elements)]
        assert all(width * panel.fold <= widths[0] for width in panel.widths)
        for first in range(0, k, panel.fold):
            for lane in range(panel.elements * panel.fold):
                product = x[first + lane % panel.fold] * next(packed)
                sums[lane // panel.fold] += product
        for offset, _, filled in panel.vectors():
            found += sums[offset : offset + filled]
    assert found == (w @ x + b).tolist()
    assert next(packed, None) is None


def test_narrow_vectors_are_folded_as_often_as_runs_of_inputs_allow() -> None:
    target = find_target("x86-64-v4")
    for lengths, fold in (((80,), 4), ((56, 24), 4), ((6, 30), 2), ((7, 29), 1), ((8,), 1)):
        inputs = sum(lengths)
        layer = layer_of(Conv2d(), {"x": (1, 2, 7, inputs), "w": (20, 1, 1, inputs)})
        layer = replace(layer, layouts={"x": spread(*lengths)})
        assert most_fold(layer, 1, target) == fold
        assert most_fold(layer, 1, find_target("generic")) == 1
        parameters: object = find_kernel("pointwise_f32").parameters(layer, target)
        assert isinstance(parameters, dict)
        panels = parameters["parts"][0]["panels"]
        assert max(panel["fold"] for panel in panels) == fold
        assert [len(panel["vectors"]) for panel in panels] == ([1, 1] if fold > 1 else [2])


def test_all_vectors_are_folded_where_spreading_an_input_takes_a_shuffle() -> None:
    """Sums that are long enough are folded four times or twice, and take as many registers."""
    target, kernel = find_target("x86-64-v2"), find_kernel("pointwise_f32")
    for lengths, fold in (((64,), 4), ((56, 24), 4), ((6, 90), 2), ((7, 93), 1), ((60,), 1)):
        inputs = sum(lengths)
        layer = layer_of(Conv2d(), {"x": (1, 2, 7, inputs), "w": (20, 1, 1, inputs)})
        layer = replace(layer, layouts={"x": spread(*lengths)})
        assert most_fold(layer, 1, target) == fold
        parameters: object = kernel.parameters(layer, target)
        assert isinstance(parameters, dict)
        panels = parameters["parts"][0]["panels"]
        assert {panel["fold"] for panel in panels} == {fold}
        registers = [vector["registers"] for panel in panels for vector in panel["vectors"]]
        assert {len(numbers) for numbers in registers} == {fold}


def legal_tiles(target: Target) -> list[Tile]:
    """All tiles that a target may choose."""
    pairs = {(rows, vectors) for most, vectors in target.f32.tiles for rows in range(1, most + 1)}
    return [Tile(*pair) for pair in sorted(pairs)]


def folded_tiles(tiles: Sequence[Tile], target: Target) -> list[Tile]:
    """Tiles of folded vectors: of one vector, or of full ones with four registers each."""
    if target.f32.folds == "all":
        return [Tile(n, r // 4) for most, r in target.f32.folded_tiles for n in range(1, most + 1)]
    return [t for t in tiles if t.vectors == 1 and target.f32.folds == "narrow"]


def tiled_function(
    target: Target, tile: Tile, groups: int, inputs: int, patch: pytest.MonkeyPatch, *, folded: bool
) -> str:
    """A pointwise convolution made of whole tiles, its inputs and outputs in runs.

    Runs of inputs allow no fold unless `folded`; then a group's outputs are one folded vector,
    where only such that are not full are.
    """
    widest = target.f32.vector_widths[0]
    narrow = folded and target.f32.folds == "narrow"
    outputs = (widest // 2 if narrow else 2 * tile.vectors * widest) * groups
    inputs += 4 * folded
    shapes = {
        "x": (1, 1, 3 * tile.rows, inputs * groups),
        "w": (outputs, 1, 1, inputs),
        "b": (outputs,),
    }
    x = shuffled(groups, inputs) if groups > 1 else spread(inputs // 2, inputs // 4, inputs // 4)
    y = spread(outputs // 2, outputs // 2)
    layer = replace(layer_of(Conv2d(groups=groups, act="relu6"), shapes), layouts={"x": x, "y": y})
    patch.setattr(netgen.kernels.f32.pointwise, "choose_tile", lambda *_: tile)
    kernel = find_kernel("pointwise_f32")
    parameters = {**kernel.parameters(layer, target), "aliased": []}
    name = f"{groups}_{tile.rows}_{tile.vectors}{'_folded' if folded else ''}"
    return kernel_function(kernel.instance(layer, name, ("x",), parameters), "t").text


def file_of(functions: Sequence[str], target: Target) -> str:
    """A C file in which every function is kept as it is."""
    vectors = render("vectors.c.j2", prefix="t", **vector_words(functions, target, "t"))
    head = "#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n"
    kept = "#define T_CODE_ATTR __attribute__((used, noinline))\n"
    return head + kept + vectors + "\n".join(functions)


@pytest.mark.parametrize(
    ("target", "compiler"),
    [*((t, "gcc") for t in ("x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64")),
     *((t, "clang") for t in ("x86-64-v3", "x86-64-v4", "aarch64"))],
)  # fmt: skip
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.heavy)])
def test_runs_of_inputs_cost_no_register(
    every: bool,
    target: str,
    compiler: Compiler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the loop over a run, a tile still is its multiply-adds, and nothing goes to the stack."""
    command = compiler_for(target, compiler)
    chosen = find_target(target)
    chosen_tiles = legal_tiles(chosen) if every else [Tile(*pair) for pair in chosen.f32.tiles]
    tiles = {f"t_{g}_{t.rows}_{t.vectors}": t for g in (1, 3) for t in chosen_tiles}
    folded = {f"t_1_{t.rows}_{t.vectors}_folded": t for t in folded_tiles(chosen_tiles, chosen)}
    tiles |= folded
    inputs = 300 if compiler == "clang" else 60  # clang unrolls short runs, with spills
    functions = [
        tiled_function(
            chosen, tile, int(name.split("_")[1]), inputs, monkeypatch, folded=name in folded
        )
        for name, tile in tiles.items()
    ]
    (tmp_path / "tiles.c").write_text(file_of(functions, chosen))
    run_tool([*command, "-S", "tiles.c", "-o", "tiles.s"], tmp_path)
    loops = [x for x in innermost_loops((tmp_path / "tiles.s").read_text()) if x.fused + x.products]
    assert {loop.function for loop in loops} == set(tiles)
    for loop in loops:
        tile = tiles[loop.function]
        rest = (loop.fused + loop.products) % (tile.rows * tile.vectors)
        assert (rest, loop.spills) == (0, 0), loop.function
