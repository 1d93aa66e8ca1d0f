"""Plans made wrong in one place, and what the checker says about each."""

from __future__ import annotations

from netgen.ir.tensor_type import TensorType
from netgen.ops.reshape import Reshape
from netgen.plan.data.plan import (
    BufferRun,
    PackedWeights,
    Rectangle,
    Segment,
    View,
)
from tests.plan.check.spoiled import (
    DEPTHWISE,
    EXPANDED,
    Corruption,
    added,
    at,
    borrowed_weights,
    buffer,
    certificate,
    instance,
    joined_rectangles,
    overlap,
    packed,
    parameter,
    rectangle,
    repacked,
    replace,
    shared_weights,
    shift,
    step,
    swap_operands,
    swap_steps,
    undeclared,
    value,
)

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
        lambda p: step(p, 2, weights=PackedWeights(4, packed(p, 2).bytes)),
        "the packed weights are misaligned or leave",
    ),
    "weights_end_early": (
        lambda p: replace(p, weights_bytes=p.weights_bytes - 64), "are misaligned or leave"
    ),
    "weights_too_short": (
        lambda p: step(p, 2, weights=PackedWeights(packed(p, 2).offset, 32)),
        "the packed weights have the wrong length",
    ),
    "weights_missing": (lambda p: step(p, 2, weights=None), "have the wrong length"),
    "steps_swapped": (swap_steps, "the buffer's life is not that of its values"),
    "step_missing": (
        lambda p: replace(p, steps=p.steps[:-1], segments=p.segments[:-1]),
        "life is not that of its values|neither written",
    ),
    "no_steps": (lambda p: replace(p, steps=()), "the plan has no steps"),
    "operands_swapped": (swap_operands, "w has the wrong shape"),
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
    "view_of_itself": (
        lambda p: value(p, EXPANDED, view=View(Reshape((1, 16, 16, 96)), (EXPANDED,))),
        "view each other in a circle",
    ),
    "view_of_nothing": (
        lambda p: value(p, EXPANDED, view=View(Reshape((1, 16, 16, 96)), ())), "a view of nothing"
    ),
    "view_of_an_unknown_value": (
        lambda p: value(p, EXPANDED, view=View(Reshape((1, 16, 16, 96)), ("strange",))),
        "the plan has no value %strange",
    ),
    "step_of_another_name": (
        lambda p: step(p, 1, name="strange"), "a step is named after what it writes"
    ),
    "instance_of_no_name": (
        lambda p: instance(p, 0, name="*/"), "is not part of a C identifier"
    ),
    "weights_without_end": (
        lambda p: replace(p, weights_bytes=2 * p.weights_bytes), "longer than what is packed"
    ),
    "run_of_too_many_channels": (
        lambda p: value(p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 0, 10**18),)),
        "do not hold as many channels",
    ),
    "run_too_short": (
        lambda p: value(p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 0, 47),)),
        "do not hold as many channels",
    ),
    "run_beyond_the_pixel": (
        lambda p: value(p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 1, 48),)),
        "two channels have one place, or leave the pixels",
    ),
    "runs_at_one_place": (
        lambda p: value(
            p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 0, 24), BufferRun(DEPTHWISE, 23, 24, 24))
        ),
        "two channels have one place",
    ),
    "channels_that_stand_twice": (
        lambda p: value(
            p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 0, 24), BufferRun(DEPTHWISE, 24, 24))
        ),
        "do not hold every channel",
    ),
    "channels_in_another_order": (
        lambda p: value(
            p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 24, 24), BufferRun(DEPTHWISE, 0, 24, 24))
        ),
        "destroys its operand x",
    ),
    "runs_in_two_buffers": (
        lambda p: value(
            p, DEPTHWISE, runs=(BufferRun(DEPTHWISE, 0, 24), BufferRun("image", 24, 24, 24))
        ),
        "the runs stand in several buffers",
    ),
    "run_of_no_buffer": (
        lambda p: value(p, DEPTHWISE, runs=(BufferRun("z", 0, 48),)), "the plan has no buffer z"
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
