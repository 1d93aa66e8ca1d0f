"""Kernels that mix channels, on layouts of every kind, as compiled C against NumPy.

A layout only changes the order in which inputs are added: the same layer with dense buffers, its
channels sorted by their places beforehand, gives the same bits. Where its inputs stand in runs that
are no multiples of two or four, fewer vectors are folded (`most_fold`): those sums are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.kernels import find_kernel
from netgen.kernels.layout import Layout, dense_layout, layout_of
from netgen.kernels.products import most_fold
from netgen.kernels.targets import Compiler, find_target
from netgen.ops.conv2d import Conv2d
from netgen.ops.linear import Linear
from netgen.runtime.cpu import missing_features
from tests.cases import examples
from tests.kernels.laid_out import SANITIZERS, Call, disjoint_layouts, layouts, run_calls
from tests.kernels.product_layers import Shape, layer_of, normal_values, shuffled, spread
from tests.meaning import meaning

TARGETS = [
    name
    for name in ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")
    if not missing_features(find_target(name))
]
BETWEEN_IN_CI = [
    pytest.param(name, marks=[pytest.mark.heavy] * (name not in ("generic", TARGETS[-1])))
    for name in TARGETS
]
# Examples are whole programs of several calls.
PROGRAMS = settings(examples(8), phases=[Phase.generate], suppress_health_check=[*HealthCheck])
LIMIT = 1e-5

CHANNELS = st.sampled_from((1, 3, 24, 29, 58)) | st.sampled_from((16, 32, 48, 64))
ACTS = st.sampled_from(("none", "relu", "relu6", "hard_swish"))
KERNELS = {
    "pointwise": "pointwise_f32",
    "linear": "pointwise_f32",
    "window": "conv2d_f32",
    "plain": "conv2d_portable_f32",
}

Order = npt.NDArray[np.int64]


@st.composite
def operators(draw: st.DrawFn, kind: str) -> tuple[Operator, dict[str, Shape]]:
    """An operator and the shapes of its operands."""
    c, n = draw(CHANNELS), draw(CHANNELS)
    if kind == "linear":
        return Linear(draw(ACTS)), {"x": (1, c), "w": (n, c), "b": (n,)}
    groups = 1 if kind == "window" else draw(st.integers(1, 3))
    size, stride, pad = ((1, 1), (1, 1), (0, 0, 0, 0))
    dilation = (1, 1)
    if kind != "pointwise":
        size = draw(st.tuples(*[st.integers(1, 3)] * 2))
        stride = draw(st.tuples(*[st.integers(1, 2)] * 2))
        pad = draw(st.tuples(*[st.integers(0, 1)] * 4))
        dilation = (2, 1) if kind == "plain" and draw(st.booleans()) else (1, 1)
    op = Conv2d(stride, pad, dilation, groups, draw(ACTS))
    x = (1, draw(st.integers(5, 6)), draw(st.integers(3, 16)), c * groups)
    shapes = {"x": x, "w": (n * groups, *size, c), "b": (n * groups,)}
    if draw(st.booleans()):
        result = op.infer([TensorType("f32", shape) for shape in shapes.values()])
        shapes["residual"] = result.shape
    return op, shapes


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A kernel with buffers of its own for every value, with shared pixels, or in place."""
    kind = draw(st.sampled_from(sorted(KERNELS)))
    op, shapes = draw(operators(kind))
    layer = layer_of(op, shapes)
    letters = [letter for letter in ("x", "residual") if letter in shapes]
    counts = {a: shapes[a][-1] for a in letters} | {"y": layer.result.shape[-1]}
    values = normal_values(shapes, draw(st.integers(0, 99)))
    kernel = find_kernel(KERNELS[kind])
    pixels = {a: layer.operands[a].elements // counts[a] for a in letters}
    same = all(n == layer.result.elements // counts["y"] for n in pixels.values())
    where = draw(st.sampled_from(("apart", "apart", "beside", "in place")))
    if where == "beside" and same:
        found = dict(zip(counts, draw(disjoint_layouts(*counts.values())), strict=True))
        return Call(kernel, replace(layer, layouts=found), values, dict.fromkeys(letters, 0))
    found = {letter: draw(layouts(count)) for letter, count in counts.items()}
    if where == "in place" and "residual" in shapes:
        found["residual"] = found["y"]
        layer = replace(layer, layouts=found)
        return Call(kernel, layer, values, kernel.overlap(layer))
    return Call(kernel, replace(layer, layouts=found), values)


def sorted_by_place(layout: Layout, groups: int) -> Order:
    """The channels, group after group, in the order of their places."""
    places = layout.places().tolist()
    count = len(places) // groups
    return np.concatenate(
        [sorted(range(g * count, (g + 1) * count), key=places.__getitem__) for g in range(groups)]
    )


def sorted_call(call: Call) -> tuple[Call, Order]:
    """The same sums in the same order with dense buffers, and which outputs they are."""
    groups = call.layer.op.groups if isinstance(call.layer.op, Conv2d) else 1
    rows = sorted_by_place(call.layer.layout("y"), groups)
    inputs = sorted_by_place(call.layer.layout("x"), groups)
    values = dict(call.values)
    values["x"] = values["x"][..., inputs]
    values["b"] = values["b"][rows]
    if "residual" in values:
        values["residual"] = values["residual"][..., rows]
    outputs, columns = len(rows) // groups, len(inputs) // groups
    values["w"] = np.stack(
        [
            values["w"][row][..., inputs[g * columns : (g + 1) * columns] - g * columns]
            for g in range(groups)
            for row in rows[g * outputs : (g + 1) * outputs]
        ]
    )
    return Call(call.kernel, replace(call.layer, layouts={}), values), rows


def fold_of(call: Call, target: str) -> int:
    """Into how many sums the kernel divides outputs whose vector is not full."""
    if call.kernel.name == KERNELS["plain"]:
        return 1
    layer = call.layer
    groups = layer.op.groups if isinstance(layer.op, Conv2d) else 1
    return most_fold(layer, groups, find_target(target))


def check(
    found: Sequence[Call],
    target: str,
    folder: Path,
    compiler: Compiler = "gcc",
    flags: Sequence[str] = (),
) -> None:
    """Right, and the same bits as with sorted channels in dense buffers."""
    alike = [sorted_call(call) for call in found]
    programs = [*found, *(call for call, _ in alike)]
    results = run_calls(programs, target, folder, compiler, flags)
    dense = results[len(found) :]
    laid = results[: len(found)]
    for call, y, same, (other, rows) in zip(found, laid, dense, alike, strict=True):
        operands = [call.values[a].astype(np.float64) for a in call.layer.operands]
        expected = meaning(call.layer.op, operands)
        error = np.abs(y - expected).max() / max(np.abs(expected).max(), 0.1)
        assert error < LIMIT, call
        # Where sums are scalars gcc makes vectors of products that follow each other, and then
        # fuses none of them with its addition.
        scalars = target != "generic" and compiler == "gcc"
        if not scalars and fold_of(call, target) == fold_of(other, target):
            bits = np.ascontiguousarray(y[..., rows]).view(np.uint32)
            np.testing.assert_array_equal(bits, same.view(np.uint32), str(call))


@pytest.mark.parametrize("target", BETWEEN_IN_CI)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_every_layout_gives_the_same(
    compiler: Compiler, target: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @PROGRAMS
    @given(st.lists(calls(), min_size=6, max_size=8))
    def run(found: list[Call]) -> None:
        check(found, target, tmp_path_factory.mktemp("calls"), compiler)

    run()


@pytest.mark.heavy
def test_nothing_outside_the_buffers_is_touched(tmp_path_factory: pytest.TempPathFactory) -> None:
    @PROGRAMS
    @given(st.sampled_from(TARGETS), st.lists(calls(), min_size=4, max_size=6))
    def run(target: str, found: list[Call]) -> None:
        check(found, target, tmp_path_factory.mktemp("calls"), flags=SANITIZERS)

    run()


SHUFFLENETS = (
    (Conv2d(act="relu"), (28, 28), (58, 58), spread(29, 15, 14), spread(14, 29, 15)),
    (Conv2d(), (14, 14), (116, 116), spread(58, 29, 14, 7, 4, 2, 1, 1), spread(116)),
    (Conv2d(groups=3, act="relu"), (7, 9), (240, 60), shuffled(3, 80), spread(60)),
    (Conv2d(groups=3), (7, 9), (60, 240), shuffled(3, 20), spread(80, 70, 90)),
    (Conv2d(groups=4), (7, 9), (64, 96), shuffled(16, 4), shuffled(2, 48)),
)


@pytest.mark.parametrize("target", BETWEEN_IN_CI)
def test_shufflenet_shapes(target: str, tmp_path: Path) -> None:
    found = []
    for op, (rows, columns), (inputs, outputs), x, y in SHUFFLENETS:
        shapes = {
            "x": (1, rows, columns, inputs),
            "w": (outputs, 1, 1, inputs // op.groups),
            "b": (outputs,),
        }
        layer = replace(layer_of(op, shapes), layouts={"x": x, "y": y})
        values = normal_values(shapes, 1)
        found += [Call(find_kernel(k), layer, values) for k in ("pointwise_f32", KERNELS["plain"])]
    check(found, target, tmp_path)


@pytest.mark.parametrize("target", BETWEEN_IN_CI)
def test_groups_that_stand_alike_share_their_code(target: str, tmp_path: Path) -> None:
    first, second, third = range(2, 22), range(30, 50), range(58, 78)
    parted = [*range(50, 60), *range(70, 80)]
    shapes = {"x": (1, 3, 5, 72), "w": (60, 1, 1, 24), "b": (60,), "residual": (1, 3, 5, 60)}
    layer = layer_of(Conv2d(groups=3), shapes)
    kernel, found = find_kernel("pointwise_f32"), []
    for y, ends in (
        ([*first, *second, *third], [3]),
        ([*third, *second, *first], [3]),
        ([*first, *second, *parted], [2, 3]),
        ([*parted, *first, *second], [1, 3]),
        ([*first, *parted, *range(80, 100)], [1, 2, 3]),
    ):
        laid = replace(layer, layouts={"y": layout_of(100, y)})
        parts = kernel.parameters(laid, find_target(target))["parts"]
        assert isinstance(parts, list)
        assert [part["end"] for part in parts if isinstance(part, dict)] == ends
        found.append(Call(kernel, laid, normal_values(shapes, 3)))
    check(found, target, tmp_path)


@pytest.mark.parametrize("kind", sorted(KERNELS))
@pytest.mark.parametrize("target", ["generic", "x86-64-v4"])
def test_dense_layouts_change_no_parameter(kind: str, target: str) -> None:
    """Layers with and without a layout share one C function."""
    kernel, chosen = find_kernel(KERNELS[kind]), find_target(target)
    shapes: dict[str, Shape] = {"x": (1, 29), "w": (58, 29), "b": (58,)}
    op: Operator = Linear()
    if kind != "linear":
        op = Conv2d(groups=1 if kind == "window" else 2)
        inputs = 29 * op.groups
        shapes = {
            "x": (1, 5, 5, inputs),
            "w": (58, 1, 1, 29),
            "b": (58,),
            "residual": (1, 5, 5, 58),
        }
    layer = layer_of(op, shapes)
    counts = {a: s[-1] for a, s in shapes.items() if a not in "wb"} | {"y": 58}
    laid = replace(layer, layouts={a: layout_of(n, range(n)) for a, n in counts.items()})
    moved = replace(layer, layouts={"y": layout_of(60, range(1, 59))})
    assert kernel.parameters(laid, chosen) == kernel.parameters(layer, chosen)
    assert kernel.parameters(moved, chosen) != kernel.parameters(layer, chosen)
    assert kernel.overlap(laid) == kernel.overlap(layer)


def test_permuted_pixels_without_gaps_are_dense_but_for_the_weights() -> None:
    """The C of a layer does not know the names of channels that fill a pixel."""
    target = find_target("x86-64-v3")
    shapes = {"x": (1, 9, 9, 24), "w": (29, 3, 3, 24), "b": (29,)}
    layer = layer_of(Conv2d(), shapes)
    found = {"x": layout_of(24, [*range(7, 24), *range(7)]), "y": layout_of(29, range(28, -1, -1))}
    for name in ("conv2d_f32", "conv2d_portable_f32"):
        kernel, values = find_kernel(name), normal_values(shapes, 0)
        permuted = replace(layer, layouts=found)
        assert kernel.parameters(permuted, target) == kernel.parameters(layer, target)
        before, after = (kernel.pack(x, target, values) for x in (layer, permuted))
        assert sorted(before) == sorted(after)
        assert before.tolist() != after.tolist()


@pytest.mark.parametrize("name", ["pointwise_f32", "conv2d_f32", "conv2d_portable_f32"])
def test_the_residual_is_read_in_place_only_where_it_stands_alike(name: str) -> None:
    shape = (1, 3, 4, 16)
    layer = layer_of(Conv2d(), {"x": shape, "w": (16, 1, 1, 16), "b": (16,), "residual": shape})
    here, there = layout_of(20, range(4, 20)), layout_of(20, range(16))
    kernel = find_kernel(name)
    for residual, y, expected in (
        (here, here, {"residual": 0}),
        (here, there, {}),
        (dense_layout(16), there, {}),
        (layout_of(16, range(15, -1, -1)), dense_layout(16), {}),
    ):
        found = {"residual": residual, "y": y}
        assert kernel.overlap(replace(layer, layouts=found)) == expected
