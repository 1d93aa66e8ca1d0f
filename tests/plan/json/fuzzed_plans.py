"""Small plans of every kind, whose JSON forms are mutated."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.data.tuning import Tuning
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.tune.search import case_of, distinct_cases
from netgen.weights.seeded import seeded_weights
from tests.plan.segments.cuts import random_plan
from tests.plan.small_graphs import BODIES, read

# Inverted residuals, large enough that rings, two regions and threads are worth something.
_BLOCKS = """netgen 1
graph blocks {
  %image : f32[1,16,12,8] = input
  %e.w : f32[24,1,1,8]  = const {data=@e.w}
  %e.b : f32[24]        = const {data=@e.b}
  %d.w : f32[24,3,3,1]  = const {data=@d.w}
  %p.w : f32[8,1,1,24]  = const {data=@p.w}
  %p.b : f32[8]         = const {data=@p.b}
  %c.w : f32[16,3,3,8]  = const {data=@c.w}
  %c.b : f32[16]        = const {data=@c.b}
  %f.w : f32[5,16]      = const {data=@f.w}
  %e : f32[1,16,12,24] = conv2d(%image, %e.w, %e.b) {act=relu6}
  %d : f32[1,16,12,24] = depthwise_conv2d(%e, %d.w) {pad=1, act=relu6}
  %p : f32[1,16,12,8]  = conv2d(%d, %p.w, %p.b, %image)
  %m : f32[1,8,6,8]    = max_pool2d(%p) {kernel=2, stride=2}
  %c : f32[1,8,6,16]   = conv2d(%m, %c.w, %c.b) {pad=1, act=hard_swish}
  %g : f32[1,1,1,16]   = global_avg_pool(%c)
  %s : f32[1,8,6,16]   = mul(%c, %g)
  %a : f32[1,1,1,16]   = global_avg_pool(%s)
  %r : f32[1,16]       = reshape(%a) {shape=(1,16)}
  %f : f32[1,5]        = linear(%r, %f.w)
  %y : f32[1,5]        = softmax(%f)
  return %y
}
"""

# Layers that are worth dividing, one of them by Winograd's form, with scratch.
_WIDE = """netgen 1
graph wide {
  %image : f32[1,24,24,32] = input
  %w : f32[32,3,3,32] = const {data=@w}
  %b : f32[32]        = const {data=@b}
  %v : f32[40,1,1,32] = const {data=@v}
  %d : f32[40,3,3,1]  = const {data=@d}
  %a : f32[1,24,24,32] = conv2d(%image, %w, %b) {pad=1, act=relu}
  %c : f32[1,24,24,40] = conv2d(%a, %v)
  %e : f32[1,24,24,40] = depthwise_conv2d(%c, %d) {pad=1}
  %y : f32[1,24,24,40] = hard_sigmoid(%e)
  %z : f32[1,1,1,40] = global_avg_pool(%y)
  return %z
}
"""

# Channels that are moved, kept in runs, copied; rows and columns that are moved.
_MOVES = """netgen 1
graph moves {
  %image : f32[1,6,5,8] = input
  %w : f32[8,1,1,8] = const {data=@w}
  %b : f32[8]       = const {data=@b}
  %a : f32[1,6,5,8] = conv2d(%image, %w, %b)
  %c : f32[1,6,5,8] = conv2d(%a, %w, %b)
  %s : f32[1,6,5,8] = channel_map(%a, %c) {channels="(x0[0:4]|x1[4:8])"}
  %t : f32[1,6,5,8] = relu(%s)
  %z : f32[1,6,5,12] = channel_map(%t) {channels="x0[0:8]+0[4]"}
  %p : f32[1,8,7,12] = pad(%z) {pad=1}
  %k : f32[1,3,3,12] = spatial_slice(%p) {first=(1,0), size=(3,3), stride=(2,2)}
  %x : f32[1,12,3,3] = transpose(%k) {axes=(0,3,1,2)}
  return %x, %a
}
"""

# Codes beside floats: elements of two sizes, zero points, a scale.
_CODES = """netgen 1
graph codes {
  %image : f32[1,6,5,4] = input
  %q : i8[1,6,5,4] {scale=0x1p-5, zero=-3} = quantize(%image) {scale=0x1p-5, zero=-3}
  %p : i8[1,8,7,4] {scale=0x1p-5, zero=-3} = pad(%q) {pad=1}
  %m : i8[1,8,7,8] {scale=0x1p-5, zero=-3} = channel_map(%p) {channels="x0[0:4]+0[4]"}
  %y : f32[1,8,7,8] = dequantize(%m)
  return %y
}
"""

# Sums that wait in scratch from band to band.
_SUMS = """netgen 1
graph sums {
  %image : f32[1,6,5,4] = input
  %q : i8[1,6,5,4] {scale=0x1p-5, zero=-3} = quantize(%image) {scale=0x1p-5, zero=-3}
  %p : i8[1,8,7,4] {scale=0x1p-5, zero=-3} = pad(%q) {pad=1}
  %m : i8[1,1,1,4] {scale=0x1p-6, zero=9} = global_avg_pool(%p) {scale=0x1p-6, zero=9}
  %y : f32[1,1,1,4] = dequantize(%m)
  return %y
}
"""


def _graph(text: str) -> Graph:
    graph, _ = parse_graph(text)
    return run_pipeline(graph.with_constants(seeded_weights(graph)))


def _built(text: str, target: str, options: PlanOptions = DEFAULT) -> Plan:
    return build_plan(_graph(text), find_target(target), options)


def _tuned() -> Plan:
    """A plan some of whose steps have a choice that is not the kernel's own."""
    own, target = _built(_BLOCKS, "x86-64-v3"), find_target("x86-64-v3")
    cases = {key: case_of(own, steps[0]) for key, steps in distinct_cases(own, target).items()}
    choices = {key: case.kernel.choices(case.layer, target)[-1] for key, case in cases.items()}
    return _built(_BLOCKS, "x86-64-v3", PlanOptions(tuning=Tuning(target.name, choices)))


def _banded() -> Plan:
    """Bands of several rows, in random segments."""
    draw = np.random.default_rng(3)
    plan = random_plan(_graph(_BLOCKS), find_target("generic"), "rows", draw, high=True)
    assert plan is not None
    return plan


_MAKERS: dict[str, Callable[[], Plan]] = {
    "layers": lambda: _built(_BLOCKS, "generic"),
    "rows_pushed": lambda: _built(_BLOCKS, "x86-64-v4", PlanOptions(input="rows", accept_gap=True)),
    "bands": _banded,
    "little_ram": lambda: _built(
        _BLOCKS, "aarch64", PlanOptions(ram=11_000, input="arena", accept_gap=True)
    ),
    "two_regions": lambda: _built(_BLOCKS, "generic", PlanOptions(ram=(12_000, 100_000))),
    "tuned": _tuned,
    "threads": lambda: _built(_WIDE, "x86-64-v4", PlanOptions(threads=3)),
    "moves": lambda: _built(_MOVES, "generic"),
    "copies": lambda: _built(_MOVES, "x86-64-v3", PlanOptions(copies=True)),
    "recut": lambda: build_plan(read(BODIES["reshape_in_between"]), find_target("generic")),
    "in_place": lambda: build_plan(read(BODIES["in_place_chain"]), find_target("x86-64-v2")),
    "codes": lambda: _built(_CODES, "generic"),
    "sums": lambda: _built(_SUMS, "generic", PlanOptions(ram=100)),
    "unfolded": lambda: build_plan(read(BODIES["unfoldable_batch_norm"]), find_target("aarch64")),
}
KINDS = tuple(_MAKERS)


@cache
def plan_of(kind: str) -> Plan:
    """A plan that is about one thing."""
    return _MAKERS[kind]()


@cache
def document(kind: str) -> dict[str, Any]:
    """The JSON form of a plan, not to be changed."""
    return plan_to_json(plan_of(kind))
