"""Plans made wrong in one place: the ways to change one."""

# ruff: noqa: ANN401  # changes are to any field, of any type

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

from netgen.kernels.targets import find_target
from netgen.plan.build import build_plan
from netgen.plan.data.plan import Certificate, Overlap, PackedWeights, Plan, Rectangle
from tests.plan.small_graphs import built

replace = dataclasses.replace
Corruption = Callable[[Plan], Plan]


@cache
def good_plan(target: str = "x86-64-v4") -> Plan:
    graph = built("mobilenet_v2", alpha=0.35, input_size=32, classes=10)
    return build_plan(graph, find_target(target))


def at(plan: Plan, name: str) -> int:
    """The step that writes a value."""
    return [step.writes for step in plan.steps].index(name)


def packed(plan: Plan, index: int) -> PackedWeights:
    """The place of a step's weights; it has some."""
    weights = plan.steps[index].weights
    assert weights is not None
    return weights


def step(plan: Plan, index: int, /, **changes: Any) -> Plan:
    steps = list(plan.steps)
    steps[index] = replace(steps[index], **changes)
    return replace(plan, steps=tuple(steps))


def buffer(plan: Plan, name: str, /, **changes: Any) -> Plan:
    return replace(plan, buffers={**plan.buffers, name: replace(plan.buffers[name], **changes)})


def value(plan: Plan, name: str, /, **changes: Any) -> Plan:
    return replace(plan, values={**plan.values, name: replace(plan.values[name], **changes)})


def state(plan: Plan, index: int, /, **changes: Any) -> Plan:
    states = list(plan.states)
    states[index] = replace(states[index], **changes)
    return replace(plan, states=tuple(states))


def rectangle(plan: Plan, index: int, /, **changes: Any) -> Plan:
    rectangles = list(plan.rectangles)
    rectangles[index] = replace(rectangles[index], **changes)
    return replace(plan, rectangles=tuple(rectangles))


def instance(plan: Plan, index: int, /, **changes: Any) -> Plan:
    instances = list(plan.instances)
    instances[index] = replace(instances[index], **changes)
    return replace(plan, instances=tuple(instances))


def parameter(plan: Plan, index: int, /, **changes: Any) -> Plan:
    return instance(plan, index, parameters={**plan.instances[index].parameters, **changes})


def overlap(plan: Plan, index: int, /, **changes: Any) -> Plan:
    overlaps = list(plan.overlaps)
    overlaps[index] = replace(overlaps[index], **changes)
    return replace(plan, overlaps=tuple(overlaps))


def certificate(plan: Plan, **changes: int) -> Plan:
    return replace(plan, certificate=replace(plan.certificate, **changes))


def shift(plan: Plan, name: str, by: int) -> Plan:
    return buffer(plan, name, offset=plan.buffers[name].offset + by)


def swap_steps(plan: Plan) -> Plan:
    steps = list(plan.steps)
    steps[6], steps[7] = steps[7], steps[6]
    return replace(plan, steps=tuple(steps))


def swap_operands(plan: Plan) -> Plan:
    index = at(plan, "block3.add")
    reads = plan.steps[index].reads
    return step(plan, index, reads={"x": reads["residual"], "residual": reads["x"]})


def undeclared(plan: Plan) -> Plan:
    """Without its overlap, the first in-place step is an accident."""
    return replace(plan, overlaps=plan.overlaps[1:])


def repacked(plan: Plan) -> Plan:
    """Rectangles and certificate made anew from buffers and overlaps: no fault is left in them."""
    arena = [b for b in plan.buffers.values() if b.kind == "arena"]
    linked = {
        frozenset((plan.buffer_of(o.operand).name, plan.buffer_of(o.result).name))
        for o in plan.overlaps
    }
    open_ones: dict[frozenset[str], int] = {}
    rectangles, sums = [], []
    for number in range(len(plan.segments) + 1):
        live = {b.name for b in arena if b.first <= number <= b.last}
        groups = [frozenset({name}) for name in live]
        for link in linked:
            if link <= live:
                joined = frozenset().union(*(g for g in groups if g & link))
                groups = [g for g in groups if not g & link] + [joined]
        ended = open_ones.keys() - set(groups)
        rectangles += [spanning(plan, group, open_ones.pop(group), number - 1) for group in ended]
        for group in groups:
            open_ones.setdefault(group, number)
        sums.append(sum(spanning(plan, group, number, number).bytes for group in groups))
    size = max(r.offset + r.bytes for r in rectangles)
    certificate = Certificate(size, max(sums), size - max(sums))
    rectangles.sort(key=lambda r: (r.first, r.offset))
    return replace(plan, rectangles=tuple(rectangles), certificate=certificate, fast_bytes=size)


def spanning(plan: Plan, names: frozenset[str], first: int, last: int) -> Rectangle:
    buffers = sorted((plan.buffers[name] for name in names), key=lambda b: b.first)
    low = min(b.offset for b in buffers)
    size = max(b.offset + b.bytes for b in buffers) - low
    return Rectangle(
        tuple(b.name for b in buffers), size + -size % plan.alignment, first, last, low
    )


def added(plan: Plan) -> Plan:
    """A pointwise convolution cannot write over its input, here above all other buffers."""
    read, written = "block17.project.batch_norm", "head.relu6"
    above = plan.certificate.arena_bytes
    moved = buffer(buffer(plan, written, offset=above), read, offset=above)
    more = Overlap(at(plan, written), read, written, 0)
    return repacked(replace(moved, overlaps=(*plan.overlaps, more)))


def joined_rectangles(plan: Plan) -> Plan:
    """One rectangle of an operand and a result side by side, in the only segment of both."""
    number = at(plan, "head.relu6")
    parts = [r for r in plan.rectangles if r.first <= number <= r.last]
    apart = [r for r in plan.rectangles if r not in parts]
    together = [n for r in parts for n in r.buffers]
    assert together == ["block17.project.batch_norm", "head.relu6"]
    cut = [replace(r, last=number - 1) for r in parts if r.first < number]
    cut += [replace(r, first=number + 1) for r in parts if r.last > number]
    joined = spanning(plan, frozenset(together), number, number)
    return replace(plan, rectangles=(*apart, *cut, joined))


def shared_weights(plan: Plan) -> Plan:
    first, second = plan.steps[2].weights, plan.steps[3].weights
    assert first is not None
    assert second is not None
    return step(plan, 3, weights=replace(second, offset=first.offset + plan.alignment))


def borrowed_weights(plan: Plan) -> Plan:
    """Two steps of one instance, but with other constants, at one place."""
    indices = [at(plan, "block8.depthwise.relu6"), at(plan, "block9.depthwise.relu6")]
    assert plan.steps[indices[0]].instance == plan.steps[indices[1]].instance
    return step(plan, indices[1], weights=plan.steps[indices[0]].weights)


DEPTHWISE, EXPANDED = "block3.depthwise.relu6", "block3.expand.relu6"
