"""Output rows in pairs: the bits of row after row, also in place, in bands and in parts."""

from __future__ import annotations

from dataclasses import replace
from math import lcm
from pathlib import Path

import numpy as np
import pytest

from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph
from netgen.kernels import find_kernel
from netgen.kernels.layer import Choice, Layer
from netgen.kernels.layout import Layout, layout_of
from netgen.kernels.targets import find_target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.schedule import division
from netgen.weights.seeded import seeded_weights
from tests.emission.programs import Emission, emission_of, flags_of
from tests.kernels.laid_out import Call, run_calls
from tests.kernels.layers import normal_inputs
from tests.kernels.product_layers import layer_of, normal_values, shuffled, spread
from tests.meaning import meaning
from tests.plan.segments.cuts import random_plan
from tests.tools import require_processor

KERNEL = find_kernel("depthwise_conv2d_f32")
ONE, TWO = (1, 1, 1, 1), (2, 2, 2, 2)
OTHERS = ("x86-64-v3", "x86-64-v3", "generic")


def _layer(
    op: DepthwiseConv2d, x: tuple[int, int, int], size: tuple[int, int], at: Layout | None = None
) -> Layer:
    layer = layer_of(op, {"x": (1, *x), "w": (x[2], *size, 1), "b": (x[2],)})
    return replace(layer, layouts={"x": at, "y": at} if at else {})


# Odd and even heights, one row and two; edges of one column and more; columns fewer than are late;
# pixels that alignment leaves where they are, and others.
LAYERS = {
    "odd": _layer(DepthwiseConv2d(pad=ONE, act="relu6"), (7, 7, 32), (3, 3)),
    "even": _layer(DepthwiseConv2d(pad=ONE), (8, 19, 28), (3, 3)),
    "unaligned": _layer(DepthwiseConv2d(pad=ONE), (6, 10, 29), (3, 3)),
    "one row": _layer(DepthwiseConv2d(pad=ONE), (1, 9, 24), (3, 3)),
    "two rows": _layer(DepthwiseConv2d(pad=ONE, act="relu"), (2, 9, 24), (3, 3)),
    "three rows": _layer(DepthwiseConv2d(pad=(2, 0, 1, 1)), (3, 12, 16), (3, 3)),
    "bare": _layer(DepthwiseConv2d(), (9, 12, 17), (3, 3)),
    "wide": _layer(DepthwiseConv2d(pad=TWO), (7, 11, 40), (5, 5)),
    "uneven": _layer(DepthwiseConv2d(pad=(2, 0, 3, 0)), (6, 10, 20), (3, 4)),
    "steps": _layer(DepthwiseConv2d((2, 2), ONE), (9, 13, 20), (3, 3)),
    "steps even": _layer(DepthwiseConv2d((2, 2), (0, 1, 0, 1)), (8, 14, 16), (3, 3)),
    "wide steps": _layer(DepthwiseConv2d((2, 2), TWO), (14, 14, 24), (5, 5)),
    "steps down": _layer(DepthwiseConv2d((2, 1), ONE), (9, 8, 8), (3, 3)),
    "narrow": _layer(DepthwiseConv2d(pad=TWO), (5, 2, 12), (5, 5)),
    "column": _layer(DepthwiseConv2d(pad=ONE), (6, 1, 58), (3, 3)),
    "far": _layer(DepthwiseConv2d(pad=ONE), (6, 28, 58), (3, 3)),
    "spread": _layer(DepthwiseConv2d(pad=ONE), (5, 9, 24), (3, 3), spread(7, 17, gap=4)),
    "shuffled": _layer(DepthwiseConv2d(pad=ONE), (6, 6, 12), (3, 3), shuffled(3, 4)),
}  # fmt: skip

QUICK = {"odd", "two rows", "unaligned"}


def tried(layer: Layer, target: str) -> list[Choice]:
    """Both numbers of rows in both orders of loops, with as many columns as are best, two and one.

    One, so that several tiles in a row have outputs that wait.
    """
    choices = KERNEL.choices(layer, find_target(target))
    return [c for c in choices if c["unroll"] in {1, 2, choices[0]["unroll"]}]


def distances(layer: Layer, target: str) -> list[int]:
    """The least and the aligned distance, in bytes before x, at which the result may start."""
    found = KERNEL.overlap(layer)
    if not found:
        return []
    whole = lcm(find_target(target).alignment, 4 * layer.layout("y").pitch)
    return sorted({found["x"], -(-found["x"] // whole) * whole})


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *((n, "x86-64-v4") for n in LAYERS if n in QUICK),
        *(pytest.param(n, "x86-64-v4", marks=pytest.mark.heavy) for n in LAYERS if n not in QUICK),
        # The other targets in turn: what is planned is the same for all.
        *(pytest.param(n, OTHERS[at % 3], marks=pytest.mark.heavy) for at, n in enumerate(LAYERS)),
    ],
)
def test_pairs_and_places_change_no_bit(name: str, target: str, tmp_path: Path) -> None:
    require_processor(target)
    layer = LAYERS[name]
    values = normal_values({a: kind.shape for a, kind in layer.operands.items()}, 3)
    calls = [
        Call(KERNEL, replace(layer, choice={"unroll": 1, "pairs": 0, "tiles_outside": 0}), values)
    ]
    for choice in tried(layer, target):
        chosen = replace(layer, choice=choice)
        calls.append(Call(KERNEL, chosen, values))
        calls += [Call(KERNEL, chosen, values, {"x": d}) for d in distances(layer, target)]
    expected, *others = run_calls(calls, target, tmp_path)
    reference = meaning(layer.op, [values[a].astype(float) for a in layer.operands])
    assert np.abs(expected - reference).max() <= 1e-5 * np.abs(reference).max()
    for call, found in zip(calls[1:], others, strict=True):
        assert found.tobytes() == expected.tobytes(), (call.layer.choice, call.over)


def test_pairs_are_offered_where_they_pay() -> None:
    target = find_target("x86-64-v4")
    offers = {
        n for n, layer in LAYERS.items() if any(c["pairs"] for c in KERNEL.choices(layer, target))
    }
    # Over x a lower row would overwrite the upper one's inputs all along, or for too many columns.
    without = {"one row", "bare", "unaligned", "steps", "steps even"}
    assert offers == set(LAYERS) - without
    apart = replace(LAYERS["steps"], layouts={"x": layout_of(20, [*range(19, -1, -1)])})
    assert any(choice["pairs"] for choice in KERNEL.choices(apart, target))


def network() -> Graph:
    """Depthwise layers of odd and even heights, with what makes and reads their rows."""
    graph, _ = parse_graph("""netgen 1
    graph g {
      %image : f32[1,28,12,24] = input
      %p : f32[24,1,1,24] = const {data=@p}
      %w : f32[24,3,3,1] = const {data=@w}
      %v : f32[24,5,5,1] = const {data=@v}
      %a : f32[1,28,12,24] = conv2d(%image, %p)
      %b : f32[1,28,12,24] = depthwise_conv2d(%a, %w) {pad=1, act=relu6}
      %c : f32[1,28,12,24] = conv2d(%b, %p)
      %d : f32[1,14,6,24] = depthwise_conv2d(%c, %w) {stride=2, pad=1}
      %e : f32[1,14,6,24] = conv2d(%d, %p)
      %f : f32[1,14,6,24] = depthwise_conv2d(%e, %v) {pad=2}
      %g : f32[1,7,3,24] = depthwise_conv2d(%f, %w) {stride=2, pad=1}
      %h : f32[1,7,3,24] = conv2d(%g, %p)
      %y : f32[1,7,3,24] = depthwise_conv2d(%h, %w) {pad=1}
      return %y
    }""")
    return graph.with_constants(seeded_weights(graph))


def pairs_of(plan: Plan) -> set[int | None]:
    """The numbers of rows of those calls that compute pairs."""
    found: set[int | None] = set()
    for step in plan.steps:
        bodies = plan.instances[step.instance].parameters.get("bodies")
        if isinstance(bodies, list) and isinstance(bodies[0], dict) and bodies[0]["rows"] == 2:
            found.add(step.rows)
    return found


def result_of(emitted: Emission, folder: Path, graph: Graph) -> bytes:
    folder.mkdir()
    program = emitted.build(folder, [*flags_of("x86-64-v4"), "-O1", "-pthread"])
    (result,) = emitted.run(program, normal_inputs(graph)).values()
    return result.tobytes()


@pytest.mark.heavy
def test_bands_of_several_rows_change_no_bit(tmp_path: Path) -> None:
    require_processor("x86-64-v4")
    graph, target = network(), find_target("x86-64-v4")
    plans = [
        random_plan(graph, target, "caller", np.random.default_rng(s), high=True) for s in range(5)
    ]
    heights = set()
    found = {
        result_of(emission_of(graph, graph, build_plan(graph, target)), tmp_path / "own", graph)
    }
    for number, plan in enumerate(plans):
        assert plan is not None
        check_plan(plan)
        heights |= pairs_of(plan)
        found.add(result_of(emission_of(graph, graph, plan), tmp_path / str(number), graph))
    assert len(found) == 1
    assert len(heights) > 2


def test_parts_are_of_whole_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_processor("x86-64-v4")
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    graph, target = network(), find_target("x86-64-v4")
    found = set()
    for threads in (1, 2, 5):
        plan = build_plan(graph, target, PlanOptions(threads=threads))
        check_plan(plan)
        emitted = emission_of(graph, graph, plan)
        found.add(result_of(emitted, tmp_path / str(threads), graph))
        for instance in plan.instances:
            match instance.parameters:
                case {"bodies": [{"rows": 2}, *_], "split": {"by": "rows", "bounds": [row]}}:
                    assert isinstance(row, list)
                    bounds = [bound for bound in row if isinstance(bound, int)]
                    assert bounds == row
                    assert all(bound == row[-1] or bound % 2 == 0 for bound in bounds)
    assert len(found) == 1
