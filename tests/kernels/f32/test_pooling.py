"""max_pool2d and avg_pool2d as unrolled tiles and as loops: right, and the same to the bit.

Also with NaN, with zeros of both signs, in bands and in parts of threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph
from netgen.kernels import find_kernel, select_kernel
from netgen.kernels.layer import Json, Layer
from netgen.kernels.targets import find_target
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.max_pool2d import MaxPool2d
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.schedule import division
from tests.emission.programs import emission_of, flags_of
from tests.kernels.laid_out import Call, Floats, run_calls
from tests.kernels.layers import normal_inputs
from tests.kernels.product_layers import layer_of
from tests.meaning import meaning
from tests.plan.segments.cuts import random_plan
from tests.tools import require_processor

Pool = MaxPool2d | AvgPool2d
Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
Shape = tuple[int, int, int]

VECTORS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
LIMIT = 2e-6

# Kernel, stride, padding (top, bottom, left, right), rows, columns and channels of x.
WINDOWS: dict[str, tuple[Pair, Pair, Sides, Shape]] = {
    "usual": ((3, 3), (2, 2), (1, 1, 1, 1), (9, 23, 24)),
    "every_column": ((3, 3), (1, 1), (1, 1, 1, 1), (5, 17, 58)),
    "no_padding": ((2, 2), (2, 2), (0, 0, 0, 0), (8, 22, 29)),
    "gaps": ((2, 1), (3, 3), (0, 0, 0, 0), (8, 29, 16)),
    "more_on_the_right": ((3, 4), (1, 2), (0, 2, 0, 3), (4, 19, 17)),
    "more_on_the_left": ((4, 3), (3, 1), (3, 0, 2, 0), (7, 11, 8)),
    "one_column": ((3, 3), (2, 2), (1, 1, 1, 1), (9, 1, 20)),
    "one_output": ((5, 6), (1, 1), (0, 0, 0, 0), (5, 6, 24)),
    "outside_on_all_sides": ((5, 7), (2, 2), (3, 3, 4, 5), (3, 4, 36)),
    "steps_of_three": ((3, 3), (3, 3), (0, 1, 1, 0), (8, 32, 3)),
    "wide": ((7, 7), (1, 1), (3, 3, 3, 3), (9, 13, 17)),
    "too_wide_to_unroll": ((13, 13), (1, 1), (6, 6, 6, 6), (9, 15, 20)),
}
QUICK = ("usual", "more_on_the_right", "outside_on_all_sides", "steps_of_three")


def pools(name: str) -> list[Pool]:
    """The maximum, and means that count all, none and some of the padding."""
    kernel, stride, pad, _ = WINDOWS[name]
    some = (pad[0], 0, pad[2], pad[3] // 2)
    means = [AvgPool2d(kernel, stride, pad, counted) for counted in (pad, (0, 0, 0, 0), some)]
    return [MaxPool2d(kernel, stride, pad), *means]


def layer(op: Pool, shape: Shape) -> Layer:
    return layer_of(op, {"x": (1, *shape)})


def peculiar(shape: Shape) -> Floats:
    """Few different numbers, so that many are equal; zeros of both signs, NaN and infinities."""
    numbers = np.array([0.0, -0.0, -1.0, -2.0, np.inf, -np.inf, np.nan], np.float32)
    shares = [0.3, 0.3, 0.2, 0.17, 0.01, 0.01, 0.01]
    return np.random.default_rng(5).choice(numbers, (1, *shape), p=shares)


def same_bits(found: Floats, expected: Floats) -> bool:
    """Equal, and zeros of equal signs; any NaN for NaN."""
    signs = np.isnan(expected) | (np.signbit(found) == np.signbit(expected))
    return np.array_equal(found, expected, equal_nan=True) and bool(signs.all())


@pytest.mark.parametrize(
    ("target", "names"),
    [
        pytest.param("x86-64-v4", QUICK, id="quick"),
        *(
            pytest.param(target, tuple(WINDOWS), id=target, marks=pytest.mark.heavy)
            for target in ("generic", *VECTORS)
        ),
    ],
)
def test_tiles_and_loops_agree_to_the_bit(
    target: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    require_processor(target)
    calls, plain = [], []
    for name in names:
        *_, shape = WINDOWS[name]
        for op in pools(name):
            for values in (normal(shape), peculiar(shape)):
                kernels = [find_kernel(f"{op.operator_name}_portable_f32")]
                kernels.append(select_kernel(layer(op, shape), find_target(target)))
                plain.append(Call(kernels[0], layer(op, shape), {"x": values}))
                calls.append(Call(kernels[1], layer(op, shape), {"x": values}))
    results = run_calls([*calls, *plain], target, tmp_path)
    for call, found, loops in zip(calls, results[: len(calls)], results[len(calls) :], strict=True):
        x = call.values["x"].astype(float)
        with np.errstate(invalid="ignore"):
            expected = meaning(call.layer.op, [x])
        np.testing.assert_allclose(found, expected, LIMIT, LIMIT, err_msg=str(call))
        assert same_bits(found, loops), call


def normal(shape: Shape) -> Floats:
    return np.random.default_rng(4).standard_normal((1, *shape)).astype(np.float32)


@pytest.mark.parametrize("target", ["generic", *VECTORS, "aarch64"])
def test_what_is_unrolled(target: str) -> None:
    """Few taps, of targets whose vectors are types: the C of the others stays small."""
    vectors = find_target(target).f32.vector_types
    for name, (*_, shape) in WINDOWS.items():
        for op in pools(name):
            kernel = select_kernel(layer(op, shape), find_target(target))
            tiles = vectors and name != "too_wide_to_unroll"
            assert ("portable" in kernel.name) != tiles


def divisors(described: Mapping[str, Json]) -> list[int]:
    return [tile["divisor"] for tile in cast("list[dict[str, int]]", described["tiles"])]


def test_what_all_windows_divide_by_is_a_constant() -> None:
    """Otherwise a factor of it, that of the columns."""
    every, inside = pools("usual")[1:3]
    kernel, target = find_kernel("avg_pool2d_f32"), find_target("x86-64-v3")
    shape = WINDOWS["usual"][3]
    all_count = kernel.parameters(layer(every, shape), target)
    some_count = kernel.parameters(layer(inside, shape), target)
    assert [all_count["count_rows"], some_count["count_rows"]] == [False, True]
    assert [divisors(found) for found in (all_count, some_count)] == [[9] * 4, [2, 3, 3, 2]]


# Values between the layers, whose rows then stand in rings.
CHAIN = """netgen 1
graph chain {
  %image : f32[1,21,15,20] = input
  %a : f32[1,11,8,20] = max_pool2d(%image) {kernel=3, stride=2, pad=1}
  %b : f32[1,11,8,20] = avg_pool2d(%a) {kernel=3, pad=1, counted=1}
  %c : f32[1,12,8,20] = max_pool2d(%b) {kernel=(4,3), pad=(3,1,0,2)}
  %d : f32[1,7,5,20] = avg_pool2d(%c) {kernel=(3,2), stride=2, pad=(1,2,1,1)}
  return %d
}
"""


def outputs(graph: Graph, plan: Plan, target: str, folder: Path) -> list[bytes]:
    folder.mkdir()
    program = (emitted := emission_of(graph, graph, plan)).build(
        folder, [*flags_of(target), *(["-pthread"] if plan.threads > 1 else [])]
    )
    return [y.tobytes() for y in emitted.run(program, normal_inputs(graph)).values()]


@pytest.mark.heavy
@pytest.mark.parametrize("target", ["generic", "x86-64-v3", "x86-64-v4"])
def test_bands_and_threads_change_no_bit(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_processor(target)
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    graph, _ = parse_graph(CHAIN)
    expected = outputs(graph, build_plan(graph, find_target(target)), target, tmp_path / "layers")
    for seed in range(4):
        draw = np.random.default_rng(seed)
        banded = random_plan(graph, find_target(target), "caller", draw, high=seed % 2 == 1)
        assert banded is not None
        assert outputs(graph, banded, target, tmp_path / f"bands{seed}") == expected
    for threads in (2, 3):
        divided = build_plan(graph, find_target(target), PlanOptions(threads=threads))
        check_plan(divided)
        assert any(instance.parameters.get("split") for instance in divided.instances)
        assert outputs(graph, divided, target, tmp_path / f"threads{threads}") == expected
