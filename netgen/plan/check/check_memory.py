"""Checks of lives, offsets, in-place steps and the certificate, from the plan's data alone."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np

from netgen.errors import PlanError
from netgen.ir.tensor_type import ELEMENTS
from netgen.plan.data.plan import MOST_BYTES, Buffer, Overlap, Plan, Rectangle


def check_memory(plan: Plan) -> None:
    """Raise PlanError for the first fault; names, layouts and types must have been checked."""
    for buffer in plan.buffers.values():
        _check_buffer(plan, buffer)
    _check_lives(plan)
    for index, overlap in enumerate(plan.overlaps):
        if any(other.result == overlap.result for other in plan.overlaps[:index]):
            raise PlanError("two overlaps of one value", where=f"%{overlap.result}")
        _check_overlap(plan, overlap)
    arena = [buffer for buffer in plan.buffers.values() if buffer.in_arena]
    for a, b in combinations(arena, 2):
        if _alive_together(a, b) and _collide(a, b):
            _check_pair(plan, a, b)
    _check_rectangles(plan, arena)
    _check_certificate(plan)


def _check_buffer(plan: Plan, buffer: Buffer) -> None:
    """Size, place and alignment."""
    where = f"buffer {buffer.name}"
    if buffer.kind not in {"arena", "state", "input", "output"}:
        raise PlanError("unknown kind", where=where, found=buffer.kind)
    extents = (buffer.rows, buffer.row_pixels, buffer.pitch)
    pixels = buffer.rows * buffer.row_pixels
    whole = buffer.element_bytes * pixels * buffer.pitch
    if min(extents) < 1 or buffer.bytes != whole or not 0 <= buffer.margin < buffer.row_pixels:
        raise PlanError(
            "the buffer's bytes are not those of its rows",
            where=where,
            expected=f"{buffer.rows} rows of {buffer.row_pixels} pixels of {buffer.pitch} elements",
            found=f"{buffer.bytes} bytes, a margin of {buffer.margin}",
        )
    _check_elements(buffer)
    if buffer.in_arena:
        _check_offset(plan, buffer)
    elif buffer.offset:
        raise PlanError("the caller's memory starts at 0", where=where, found=str(buffer.offset))


def _check_offset(plan: Plan, buffer: Buffer) -> None:
    """A buffer stands in one region of the arena, aligned."""
    where = f"buffer {buffer.name}"
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
    if buffer.offset < plan.fast_bytes < end:
        raise PlanError(
            "the buffer stands in both regions of RAM",
            where=where,
            expected=f"all of it before or behind byte {plan.fast_bytes}",
            found=f"{buffer.offset} to {end}",
        )


def _check_elements(buffer: Buffer) -> None:
    """Size, granularity and bias are such as the elements of some type have."""
    where = f"buffer {buffer.name}"
    if buffer.element_bytes not in {element.bytes for element in ELEMENTS.values()}:
        raise PlanError("no element is as long", where=where, found=str(buffer.element_bytes))
    if buffer.granularity < 1 or buffer.pitch % buffer.granularity:
        raise PlanError(
            "the pitch is no multiple of the granularity",
            where=where,
            expected=f"a multiple of {buffer.granularity}",
            found=str(buffer.pitch),
        )
    codes = 2 ** (8 * buffer.element_bytes)
    if not 0 <= buffer.bias < codes:
        raise PlanError(
            "codes cannot stand with this bias",
            where=where,
            expected=f"0 to {codes - 1}",
            found=str(buffer.bias),
        )


def _check_lives(plan: Plan) -> None:
    """A buffer lives from its first write to its last use, no longer; the caller's to the end.

    States live from the beginning to the end.
    """
    used = _uses(plan)
    for buffer in plan.buffers.values():
        uses = used[buffer.name]
        if not uses:
            raise PlanError("no step uses this buffer", where=f"buffer {buffer.name}")
        if (buffer.first, buffer.last) != (min(uses), max(uses)):
            raise PlanError(
                "the buffer's life is not that of its values",
                where=f"buffer {buffer.name}",
                expected=f"segments {min(uses)} to {max(uses)}",
                found=f"{buffer.first} to {buffer.last}",
            )


def _uses(plan: Plan) -> dict[str, list[int]]:
    """The segments in which each buffer is used."""
    used: dict[str, list[int]] = {name: [] for name in plan.buffers}
    for name in plan.inputs:
        used[plan.buffer_of(name).name].append(0)
    for number, segment in enumerate(plan.segments):
        for step in plan.steps[segment.first : segment.last + 1]:
            for value in (*step.reads.values(), step.writes):
                used[plan.buffer_of(value).name].append(number)
            if step.scratch is not None:
                used[step.scratch].append(number)
    for name in plan.outputs:
        used[plan.buffer_of(name).name].append(len(plan.segments) - 1)
    for state in plan.states:
        used[plan.buffer_of(state.value).name] += [0, len(plan.segments) - 1]
    return used


def _alive_together(a: Buffer | Rectangle, b: Buffer | Rectangle) -> bool:
    return max(a.first, b.first) <= min(a.last, b.last)


def _collide(a: Buffer | Rectangle, b: Buffer | Rectangle) -> bool:
    return max(a.offset, b.offset) < min(a.offset + a.bytes, b.offset + b.bytes)


def _check_overlap(plan: Plan, overlap: Overlap) -> None:
    """A declared overlap names values of its segment, both in the arena, and the offsets agree."""
    where = f"overlap in segment {overlap.segment}"
    if not 0 <= overlap.segment < len(plan.segments):
        raise PlanError("there is no such segment", where=where)
    for name in (overlap.operand, overlap.result):
        if name not in plan.values:
            raise PlanError(f"the plan has no value %{name}", where=where)
    operand, output = plan.buffer_of(overlap.operand), plan.buffer_of(overlap.result)
    if (operand.kind, output.kind) != ("arena", "arena") or operand.name == output.name:
        raise PlanError("operand and output must be two buffers of the arena", where=where)
    if operand.last != overlap.segment or output.first != overlap.segment:
        raise PlanError(
            f"{operand.name} must be read last, and {output.name} written first, in this segment",
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
    """Two buffers that share memory while both live must be declared; contents are judged later."""
    operand, output = sorted((a, b), key=lambda buffer: buffer.first)
    declared = [
        overlap
        for overlap in plan.overlaps
        if plan.buffer_of(overlap.operand) is operand and plan.buffer_of(overlap.result) is output
    ]
    if not declared:
        raise PlanError(
            "they share memory while both are alive, and no overlap is declared",
            where=f"buffers {operand.name} and {output.name}",
        )


def _check_rectangles(plan: Plan, arena: list[Buffer]) -> None:
    """In each segment every live buffer is in one rectangle; rectangles do not collide."""
    linked = {
        frozenset((plan.buffer_of(o.result).name, plan.buffer_of(o.operand).name))
        for o in plan.overlaps
    }
    for number in range(len(plan.segments)):
        live = sorted(b.name for b in arena if b.first <= number <= b.last)
        held = sorted(n for r in plan.rectangles if r.first <= number <= r.last for n in r.buffers)
        if live != held:
            raise PlanError(
                "the rectangles do not hold every live buffer once",
                where=f"segment {number}",
                expected=", ".join(live),
                found=", ".join(held),
            )
    for rectangle in plan.rectangles:
        _check_rectangle(plan, rectangle, linked)
    for a, b in combinations(plan.rectangles, 2):
        if _alive_together(a, b) and _collide(a, b):
            raise PlanError(
                "two rectangles share memory while both are alive",
                where=f"rectangles of {a.buffers[0]} and {b.buffers[0]}",
            )


def _check_rectangle(plan: Plan, rectangle: Rectangle, linked: set[frozenset[str]]) -> None:
    """It spans its buffers, no more, and several are in it only as overlaps join them."""
    if not rectangle.buffers:
        raise PlanError("a rectangle is empty", where=f"rectangle at {rectangle.offset}")
    where = f"rectangle of {rectangle.buffers[0]}"
    buffers = sorted((plan.buffers[name] for name in rectangle.buffers), key=lambda b: b.first)
    for before, after in pairwise(buffers):
        if frozenset((after.name, before.name)) not in linked:
            raise PlanError(f"no overlap joins {after.name} to {before.name}", where=where)
    begin = min(b.offset for b in buffers)
    size = max(b.offset + b.bytes for b in buffers) - begin
    size += -size % plan.alignment
    if not 0 <= rectangle.first <= rectangle.last < len(plan.segments):
        raise PlanError(
            "the rectangle's life is none of the plan",
            where=where,
            expected=f"segments 0 to {len(plan.segments) - 1}",
            found=f"{rectangle.first} to {rectangle.last}",
        )
    if (rectangle.offset, rectangle.bytes) != (begin, size):
        raise PlanError(
            "the rectangle is not the union of its buffers",
            where=where,
            expected=f"{size} bytes at {begin}",
            found=f"{rectangle.bytes} bytes at {rectangle.offset}",
        )


def _check_certificate(plan: Plan) -> None:
    """Extent, the largest sum of bytes alive in one segment of each region, and the gap."""
    changes = np.zeros((2, len(plan.segments) + 1), np.int64)
    extent = plan.fast_bytes
    for rectangle in plan.rectangles:
        region = int(rectangle.offset >= plan.fast_bytes)
        changes[region, rectangle.first] += rectangle.bytes
        changes[region, rectangle.last + 1] -= rectangle.bytes
        extent = max(extent, rectangle.offset + rectangle.bytes)
    bound = int(np.cumsum(changes, axis=1).max(axis=1).sum())
    certificate = plan.certificate
    if certificate.arena_bytes > MOST_BYTES:
        raise PlanError(
            "the arena is too large",
            where=f"plan of {plan.network}",
            expected=f"at most {MOST_BYTES} bytes",
            found=str(certificate.arena_bytes),
        )
    found = (certificate.arena_bytes, certificate.lower_bound_bytes, certificate.gap_bytes)
    if found != (extent, bound, extent - bound):
        raise PlanError(
            "the certificate is wrong (arena, lower bound, gap)",
            where=f"plan of {plan.network}",
            expected=str((extent, bound, extent - bound)),
            found=str(found),
        )
