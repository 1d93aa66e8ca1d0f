"""Checks of lives, offsets, in-place steps and the certificate, from the plan's data alone."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np

from netgen.errors import PlanError
from netgen.plan.hazards import overwrite_fault
from netgen.plan.operand_types import operand_types
from netgen.plan.plan import Buffer, Overlap, Plan, Rectangle


def check_memory(plan: Plan) -> None:
    """Raise PlanError for the first fault; names, layouts and types must have been checked."""
    for buffer in plan.buffers.values():
        _check_buffer(plan, buffer)
    _check_lives(plan)
    for index, overlap in enumerate(plan.overlaps):
        if any(other.step == overlap.step for other in plan.overlaps[:index]):
            raise PlanError("two overlaps at one step", where=f"step {overlap.step}")
        _check_overlap(plan, overlap)
    arena = [buffer for buffer in plan.buffers.values() if buffer.kind == "arena"]
    for a, b in combinations(arena, 2):
        if _alive_together(a, b) and _collide(a, b):
            _check_pair(plan, a, b)
    _check_rectangles(plan, arena)
    _check_certificate(plan)


def _check_buffer(plan: Plan, buffer: Buffer) -> None:
    """Size, place and alignment."""
    where = f"buffer {buffer.name}"
    if buffer.kind not in {"arena", "input", "output"}:
        raise PlanError("unknown kind", where=where, found=buffer.kind)
    if buffer.bytes < 4 or buffer.bytes % 4 or buffer.pitch < 1:
        raise PlanError("the buffer holds no whole elements", where=where, found=str(buffer.bytes))
    if buffer.kind != "arena":
        if buffer.offset:
            raise PlanError(
                "the caller's memory starts at 0", where=where, found=str(buffer.offset)
            )
        return
    if buffer.offset % plan.alignment:
        raise PlanError(
            "the buffer is misaligned",
            where=where,
            expected=f"a multiple of {plan.alignment}",
            found=str(buffer.offset),
        )
    end = buffer.offset + buffer.bytes
    if buffer.offset < 0 or end > plan.certificate.arena_bytes:
        raise PlanError(
            "the buffer leaves the arena",
            where=where,
            expected=f"0 to {plan.certificate.arena_bytes}",
            found=f"{buffer.offset} to {end}",
        )


def _check_lives(plan: Plan) -> None:
    """A buffer lives from its first write to its last use, no longer; the caller's to the end."""
    used: dict[str, list[int]] = {name: [] for name in plan.buffers}
    for name in plan.inputs:
        used[plan.values[name].runs[0].buffer].append(0)
    for index, step in enumerate(plan.steps):
        for value in (*step.reads.values(), step.writes):
            for run in plan.values[value].runs:
                used[run.buffer].append(index)
    for name in plan.outputs:
        used[plan.values[name].runs[0].buffer].append(len(plan.steps) - 1)
    for buffer in plan.buffers.values():
        uses = used[buffer.name]
        if not uses:
            raise PlanError("no step uses this buffer", where=f"buffer {buffer.name}")
        if (buffer.first, buffer.last) != (min(uses), max(uses)):
            raise PlanError(
                "the buffer's life is not that of its values",
                where=f"buffer {buffer.name}",
                expected=f"steps {min(uses)} to {max(uses)}",
                found=f"{buffer.first} to {buffer.last}",
            )


def _alive_together(a: Buffer | Rectangle, b: Buffer | Rectangle) -> bool:
    return max(a.first, b.first) <= min(a.last, b.last)


def _collide(a: Buffer | Rectangle, b: Buffer | Rectangle) -> bool:
    return max(a.offset, b.offset) < min(a.offset + a.bytes, b.offset + b.bytes)


def _check_overlap(plan: Plan, overlap: Overlap) -> None:
    """A declared overlap names the step and operand, both in the arena, and the offsets agree."""
    where = f"overlap at step {overlap.step}"
    if not 0 <= overlap.step < len(plan.steps):
        raise PlanError("there is no such step", where=where)
    step = plan.steps[overlap.step]
    if overlap.letter not in step.reads:
        raise PlanError(f"the step does not read {overlap.letter}", where=where)
    operand, output = plan.buffer_of(step.reads[overlap.letter]), plan.buffer_of(step.writes)
    if (operand.kind, output.kind) != ("arena", "arena") or operand.name == output.name:
        raise PlanError("operand and output must be two buffers of the arena", where=where)
    if operand.last != overlap.step or output.first != overlap.step:
        raise PlanError(
            f"{operand.name} must be read last, and {output.name} written first, at this step",
            where=where,
        )
    if operand.offset - output.offset != overlap.distance:
        raise PlanError(
            f"{output.name} does not start at this distance before {operand.name}",
            where=where,
            expected=str(overlap.distance),
            found=str(operand.offset - output.offset),
        )


def _check_pair(plan: Plan, a: Buffer, b: Buffer) -> None:
    """Two buffers that share memory while both live: only operand and output of one safe step."""
    operand, output = sorted((a, b), key=lambda buffer: buffer.first)
    where = f"buffers {operand.name} and {output.name}"
    declared = [
        overlap
        for overlap in plan.overlaps
        if plan.buffer_of(plan.steps[overlap.step].reads[overlap.letter]) is operand
        and plan.buffer_of(plan.steps[overlap.step].writes) is output
    ]
    if not declared:
        raise PlanError(
            "they share memory while both are alive, and no overlap is declared", where=where
        )
    step = plan.steps[declared[0].step]
    types, result = operand_types(plan, step), plan.values[step.writes].type
    for letter, value in step.reads.items():
        if plan.buffer_of(value) is not operand:
            continue
        fault = overwrite_fault(step.op, letter, types, result, declared[0].distance)
        if fault:
            raise PlanError(
                f"step %{step.name} destroys its operand {letter}: {fault}", where=where
            )


def _check_rectangles(plan: Plan, arena: list[Buffer]) -> None:
    """Rectangles hold each buffer once, tightly, as chains of overlaps; they do not collide."""
    held = [name for rectangle in plan.rectangles for name in rectangle.buffers]
    if sorted(held) != sorted(buffer.name for buffer in arena):
        raise PlanError(
            "the rectangles do not hold every arena buffer once", where=f"plan of {plan.network}"
        )
    links = {
        plan.buffer_of(plan.steps[o.step].writes).name: plan.buffer_of(
            plan.steps[o.step].reads[o.letter]
        ).name
        for o in plan.overlaps
    }
    for rectangle in plan.rectangles:
        _check_rectangle(plan, rectangle, links)
    for a, b in combinations(plan.rectangles, 2):
        if _alive_together(a, b) and _collide(a, b):
            raise PlanError(
                "two rectangles share memory while both are alive",
                where=f"rectangles of {a.buffers[0]} and {b.buffers[0]}",
            )


def _check_rectangle(plan: Plan, rectangle: Rectangle, links: dict[str, str]) -> None:
    if not rectangle.buffers:
        raise PlanError("a rectangle is empty", where=f"rectangle at {rectangle.offset}")
    where = f"rectangle of {rectangle.buffers[0]}"
    buffers = sorted((plan.buffers[name] for name in rectangle.buffers), key=lambda b: b.first)
    for before, after in pairwise(buffers):
        if links.get(after.name) != before.name:
            raise PlanError(f"no overlap joins {after.name} to {before.name}", where=where)
    if links.get(buffers[0].name) is not None:
        raise PlanError(f"{buffers[0].name} overlaps a buffer of another rectangle", where=where)
    begin = min(b.offset for b in buffers)
    size = max(b.offset + b.bytes for b in buffers) - begin
    size += -size % plan.alignment
    expected = (begin, size, buffers[0].first, max(b.last for b in buffers))
    found = (rectangle.offset, rectangle.bytes, rectangle.first, rectangle.last)
    if found != expected:
        raise PlanError(
            "the rectangle is not the union of its buffers (offset, bytes, first, last)",
            where=where,
            expected=str(expected),
            found=str(found),
        )


def _check_certificate(plan: Plan) -> None:
    """Extent, the largest sum of bytes alive in one step, and the gap between them."""
    changes = np.zeros(len(plan.steps) + 1, np.int64)
    extent = 0
    for rectangle in plan.rectangles:
        changes[rectangle.first] += rectangle.bytes
        changes[rectangle.last + 1] -= rectangle.bytes
        extent = max(extent, rectangle.offset + rectangle.bytes)
    bound = int(np.cumsum(changes).max())
    certificate = plan.certificate
    found = (certificate.arena_bytes, certificate.lower_bound_bytes, certificate.gap_bytes)
    if found != (extent, bound, extent - bound):
        raise PlanError(
            "the certificate is wrong (arena, lower bound, gap)",
            where=f"plan of {plan.network}",
            expected=str((extent, bound, extent - bound)),
            found=str(found),
        )
