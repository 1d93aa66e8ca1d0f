"""Plans made wrong in one place, and what the checker says about each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

from netgen.ir.tensor_type import TensorType
from netgen.kernels.targets import find_target
from netgen.plan.build import build_plan
from netgen.plan.plan import Certificate, Overlap, PackedWeights, Plan, Rectangle, Run, Segment
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


def step(plan: Plan, index: int, /, **changes: Any) -> Plan:  # noqa: ANN401
    steps = list(plan.steps)
    steps[index] = replace(steps[index], **changes)
    return replace(plan, steps=tuple(steps))


def buffer(plan: Plan, name: str, /, **changes: Any) -> Plan:  # noqa: ANN401
    return replace(plan, buffers={**plan.buffers, name: replace(plan.buffers[name], **changes)})


def value(plan: Plan, name: str, /, **changes: Any) -> Plan:  # noqa: ANN401
    return replace(plan, values={**plan.values, name: replace(plan.values[name], **changes)})


def rectangle(plan: Plan, index: int, /, **changes: Any) -> Plan:  # noqa: ANN401
    rectangles = list(plan.rectangles)
    rectangles[index] = replace(rectangles[index], **changes)
    return replace(plan, rectangles=tuple(rectangles))


def instance(plan: Plan, index: int, /, **changes: Any) -> Plan:  # noqa: ANN401
    instances = list(plan.instances)
    instances[index] = replace(instances[index], **changes)
    return replace(plan, instances=tuple(instances))


def parameter(plan: Plan, index: int, /, **changes: Any) -> Plan:  # noqa: ANN401
    return instance(plan, index, parameters={**plan.instances[index].parameters, **changes})


def overlap(plan: Plan, index: int, /, **changes: Any) -> Plan:  # noqa: ANN401
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
        for ended in open_ones.keys() - set(groups):
            rectangles.append(spanning(plan, ended, open_ones.pop(ended), number - 1))
        for group in groups:
            open_ones.setdefault(group, number)
        sums.append(sum(spanning(plan, group, number, number).bytes for group in groups))
    size = max(r.offset + r.bytes for r in rectangles)
    certificate = Certificate(size, max(sums), size - max(sums))
    return replace(plan, rectangles=tuple(rectangles), certificate=certificate)


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
CORRUPTIONS: dict[str, tuple[Corruption, str]] = {
    "offset_shifted": (lambda p: shift(p, DEPTHWISE, 64), "does not start at this distance"),
    "offset_misaligned": (lambda p: shift(p, EXPANDED, 4), "the buffer is misaligned"),
    "offset_outside": (lambda p: shift(p, "head.relu6", 1 << 20), "the buffer leaves the arena"),
    "offset_on_a_live_buffer": (
        lambda p: buffer(p, "block2.project.batch_norm", offset=p.buffers[EXPANDED].offset),
        "does not start at this distance",
    ),
    "life_shortened": (
        lambda p: buffer(p, EXPANDED, last=p.buffers[EXPANDED].last - 1),
        "the buffer's life is not that of its values",
    ),
    "life_begins_late": (
        lambda p: buffer(p, EXPANDED, first=p.buffers[EXPANDED].first + 1),
        "the buffer's life is not that of its values",
    ),
    "life_lengthened": (
        lambda p: buffer(p, "head.relu6", last=p.buffers["head.relu6"].last + 1),
        "the buffer's life is not that of its values",
    ),
    "output_dies": (
        lambda p: buffer(p, "classifier.linear", last=len(p.steps) - 2),
        "the buffer's life is not that of its values",
    ),
    "overlap_dropped": (undeclared, "share memory while both are alive, and no overlap"),
    "overlap_added": (added, "conv2d gives no order in which it could overwrite x"),
    "overlap_twice": (
        lambda p: replace(p, overlaps=(*p.overlaps, p.overlaps[0])), "two overlaps of one value"
    ),
    "overlap_distance": (
        lambda p: overlap(p, 0, distance=p.overlaps[0].distance + 64),
        "does not start at this distance",
    ),
    "overlap_of_another_segment": (
        lambda p: overlap(p, 0, segment=p.overlaps[0].segment + 1),
        "must be read last, and .* written first",
    ),
    "overlap_of_no_segment": (lambda p: overlap(p, 0, segment=99), "there is no such segment"),
    "overlap_of_no_operand": (lambda p: overlap(p, 0, operand="z"), "the plan has no value %z"),
    "overlap_of_one_buffer": (
        lambda p: overlap(p, 0, operand=p.overlaps[0].result), "must be two buffers of the arena"
    ),
    "overlap_of_an_input": (
        lambda p: overlap(p, 0, operand="image"), "must be two buffers of the arena"
    ),
    "lower_bound": (
        lambda p: certificate(p, lower_bound_bytes=p.certificate.lower_bound_bytes - 64),
        "the certificate is wrong",
    ),
    "gap": (lambda p: certificate(p, gap_bytes=64), "the certificate is wrong"),
    "arena_too_small": (
        lambda p: certificate(p, arena_bytes=p.certificate.arena_bytes - 64), "leaves the arena"
    ),
    "arena_too_large": (
        lambda p: certificate(p, arena_bytes=p.certificate.arena_bytes + 64, gap_bytes=64),
        "the certificate is wrong",
    ),
    "rectangle_too_small": (
        lambda p: rectangle(p, 0, bytes=p.rectangles[0].bytes - 64), "not the union of its buffers"
    ),
    "rectangle_lives_shorter": (
        lambda p: rectangle(p, 0, last=p.rectangles[0].last - 1), "do not hold every live buffer"
    ),
    "rectangle_moved": (
        lambda p: rectangle(p, 0, offset=p.rectangles[0].offset + 64), "not the union of its"
    ),
    "rectangle_empty": (
        lambda p: replace(p, rectangles=(*p.rectangles, Rectangle((), 64, 0, 0, 0))),
        "a rectangle is empty",
    ),
    "rectangle_lost": (
        lambda p: replace(p, rectangles=p.rectangles[1:]), "do not hold every live buffer once"
    ),
    "rectangles_joined": (
        joined_rectangles, "no overlap joins head.relu6 to block17.project.batch_norm"
    ),
    "weights_overlap": (shared_weights, "packed weights overlap"),
    "weights_borrowed": (borrowed_weights, "two steps share the place of their weights"),
    "weights_misaligned": (
        lambda p: step(p, 2, weights=PackedWeights(4, p.steps[2].weights.elements)),  # type: ignore[union-attr]
        "the packed weights are misaligned or leave",
    ),
    "weights_end_early": (
        lambda p: replace(p, weights_bytes=p.weights_bytes - 64), "are misaligned or leave"
    ),
    "weights_too_short": (
        lambda p: step(p, 2, weights=PackedWeights(p.steps[2].weights.offset, 8)),  # type: ignore[union-attr]
        "the packed weights have the wrong length",
    ),
    "weights_missing": (lambda p: step(p, 2, weights=None), "have the wrong length"),
    "steps_swapped": (swap_steps, "the buffer's life is not that of its values"),
    "step_missing": (
        lambda p: replace(p, steps=p.steps[:-1], segments=p.segments[:-1]),
        "life is not that of its values|neither written",
    ),
    "no_steps": (lambda p: replace(p, steps=()), "the plan has no steps"),
    "operands_swapped": (swap_operands, "residual has the wrong shape"),
    "operand_missing": (lambda p: step(p, 2, reads={}), "not the operands of conv2d"),
    "operand_unknown": (lambda p: step(p, 2, reads={"x": "z"}), "the plan has no value %z"),
    "operand_of_another_time": (
        lambda p: step(p, at(p, "block17.expand.relu6"), reads={"x": "block15.add"}),
        "the buffer's life is not that of its values",
    ),
    "value_written_twice": (
        lambda p: step(p, 3, writes=p.steps[2].writes), "two steps write one value"
    ),
    "input_written": (
        lambda p: step(buffer(p, "block2.project.batch_norm", kind="input", offset=0), 0),
        "the inputs do not have one input buffer each",
    ),
    "operator_changed": (
        lambda p: step(p, 0, op=replace(p.steps[0].op, stride=(1, 1))),
        "the result has the wrong type",
    ),
    "activation_changed": (
        lambda p: step(p, 0, op=replace(p.steps[0].op, act="relu")),
        "the kernel instance has the wrong act, expected 'relu', found 'relu6'",
    ),
    "macs": (lambda p: step(p, 0, macs=1), "the step counts its work wrongly"),
    "rows": (lambda p: step(p, 0, rows=3), "the bands are no equal parts of the step's rows"),
    "no_rows": (lambda p: step(p, 0, rows=0), "the bands are no equal parts"),
    "rows_of_another_instance": (
        lambda p: step(p, 0, rows=1), "the kernel instance has the wrong band"
    ),
    "segment_missing": (lambda p: replace(p, segments=p.segments[1:]), "not all steps in their"),
    "segments_swapped": (
        lambda p: replace(p, segments=(p.segments[1], p.segments[0], *p.segments[2:])),
        "not all steps in their order",
    ),
    "segment_twice": (
        lambda p: replace(p, segments=(p.segments[0], *p.segments)), "not all steps in their order"
    ),
    "segment_empty": (
        lambda p: replace(p, segments=(Segment(0, -1), *p.segments)), "not all steps in their"
    ),
    "segments_joined": (
        lambda p: replace(p, segments=(Segment(0, 1), *p.segments[2:])),
        "the buffer's life is not that of its values",
    ),
    "rows_pushed_into_the_callers_memory": (
        lambda p: replace(p, push_rows=True), "pushed of one image only, which stands in the arena"
    ),
    "type_changed": (
        lambda p: value(p, DEPTHWISE, type=TensorType("f32", (1, 16, 4, 48))),
        "the result has the wrong type",
    ),
    "run_too_short": (
        lambda p: value(p, DEPTHWISE, runs=(Run(DEPTHWISE, 0, 47),)), "do not hold every channel"
    ),
    "run_beyond_the_pixel": (
        lambda p: value(p, DEPTHWISE, runs=(Run(DEPTHWISE, 1, 48),)),
        "two channels have one place, or leave the pixels",
    ),
    "runs_at_one_place": (
        lambda p: value(p, DEPTHWISE, runs=(Run(DEPTHWISE, 0, 24), Run(DEPTHWISE, 23, 24, 24))),
        "two channels have one place",
    ),
    "channels_that_stand_twice": (
        lambda p: value(p, DEPTHWISE, runs=(Run(DEPTHWISE, 0, 24), Run(DEPTHWISE, 24, 24))),
        "do not hold every channel",
    ),
    "channels_in_another_order": (
        lambda p: value(
            p, DEPTHWISE, runs=(Run(DEPTHWISE, 24, 24), Run(DEPTHWISE, 0, 24, 24))
        ),
        "destroys its operand x",
    ),
    "runs_in_two_buffers": (
        lambda p: value(p, DEPTHWISE, runs=(Run(DEPTHWISE, 0, 24), Run("image", 24, 24, 24))),
        "the runs stand in several buffers",
    ),
    "run_of_no_buffer": (
        lambda p: value(p, DEPTHWISE, runs=(Run("z", 0, 48),)), "the plan has no buffer z"
    ),
    "buffer_too_small": (
        lambda p: buffer(p, DEPTHWISE, bytes=p.buffers[DEPTHWISE].bytes - 192),
        "the buffer's bytes are not those of its rows",
    ),
    "buffer_of_fewer_rows": (
        lambda p: repacked(buffer(p, EXPANDED, rows=7, bytes=p.buffers[EXPANDED].bytes * 7 // 8)),
        "rows of %block3.expand.relu6 do not stand one after the other",
    ),
    "buffer_of_narrower_rows": (
        lambda p: repacked(buffer(p, EXPANDED, rows=16, row_pixels=4)),
        "the rows do not fit into the slots",
    ),
    "margin_of_no_use": (
        lambda p: buffer(p, EXPANDED, margin=8), "the buffer's bytes are not those of its rows|fit"
    ),
    "pitch_changed": (
        lambda p: buffer(p, EXPANDED, pitch=47), "two channels have one place, or leave the pixels"
    ),
    "buffer_of_unknown_kind": (lambda p: buffer(p, DEPTHWISE, kind="heap"), "unknown kind"),
    "buffer_of_the_caller": (
        lambda p: buffer(p, DEPTHWISE, kind="output"), "do not have one output buffer each"
    ),
    "caller_at_an_offset": (lambda p: buffer(p, "image", offset=64), "memory starts at 0"),
    "names_differ": (lambda p: value(p, DEPTHWISE, name="z"), "listed under another name"),
    "output_unknown": (lambda p: replace(p, outputs=("z",)), "the plan has no value %z"),
    "instance_aliased_wrongly": (
        lambda p: parameter(p, p.steps[at(p, p.overlaps[0].result)].instance, aliased=[]),
        r"wrong aliased, expected \['x'\], found \[\]",
    ),
    "instance_aliased_for_nothing": (
        lambda p: parameter(p, 0, aliased=["x"]), r"wrong aliased, expected \[\], found \['x'\]"
    ),
    "instance_of_another_shape": (
        lambda p: parameter(p, 0, width=33), "the kernel instance has the wrong width"
    ),
    "instance_arguments": (
        lambda p: instance(p, 0, arguments=("x", "residual")), "has the wrong arguments"
    ),
    "instance_without_weights": (
        lambda p: instance(p, 0, has_weights=False), "has the wrong has_weights"
    ),
    "instance_of_another_kernel": (
        lambda p: instance(p, 0, kernel="conv2d_portable_f32"), "is computed by conv2d_portable_f32"
    ),
    "instance_named_twice": (
        lambda p: instance(p, 0, name=p.instances[1].name), "two kernel instances have one name"
    ),
    "instance_exchanged": (
        lambda p: step(p, 2, instance=p.steps[3].instance),
        "steps and kernel instances do not match",
    ),
    "instance_unknown": (lambda p: step(p, 0, instance=99), "there is no kernel instance 99"),
    "kernel_unknown": (lambda p: step(p, 0, kernel="z"), "unknown kernel 'z'"),
    "numeric_form": (lambda p: step(p, 0, numeric_form="winograd"), "has another numeric form"),
    "target_unknown": (lambda p: replace(p, target="z80"), "unknown target 'z80'"),
    "alignment": (lambda p: replace(p, alignment=4), "the alignment is not that of the target"),
}  # fmt: skip
