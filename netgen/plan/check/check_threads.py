"""Checks that the parts of a divided call are all of it, once, and keep out of each other's way.

How a call is best divided is the planner's affair: any division that is right is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np

from netgen.errors import PlanError
from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance, Json, Layer
from netgen.kernels.split import Loop
from netgen.kernels.stretches import packed_order, vector_runs
from netgen.kernels.targets import Target
from netgen.ops.window import slides_by_channel
from netgen.plan.data.execution_order import height
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.options import MOST_THREADS
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.step_layer import step_layer

Bounds = list[list[int]]


def check_threads(plan: Plan, target: Target) -> None:
    """Raise PlanError for the first division that is wrong; instances must have been checked."""
    if not 1 <= plan.threads <= MOST_THREADS:
        raise PlanError(
            "this is no number of threads",
            where=f"plan of {plan.network}",
            expected=f"1 to {MOST_THREADS}",
            found=str(plan.threads),
        )
    for step in plan.steps:
        instance = plan.instances[step.instance]
        if instance.parameters.get("split") is None:
            continue
        by, bounds = _read_split(plan, step, instance)
        loops = find_kernel(step.kernel).loops(instance.parameters, by)
        if not loops:
            raise _fault(step, f"{step.kernel} is not divided by {by}")
        _check_cover(step, bounds, loops)
        if step.scratch is not None and find_kernel(step.kernel).keeps_scratch:
            _check_sums(step, by, loops)
        layer = step_layer(plan, step, operand_types(plan, step))
        if _by_channel(loops) and loops[-1].end > layer.layout("y").channels:
            _check_channels(step, bounds, layer, target)
        if slides_by_channel(step.op):
            _check_in_place(plan, step, loops)


def _fault(step: Step, what: str, expected: object = None, found: object = None) -> PlanError:
    return PlanError(
        what,
        where=f"step %{step.name}",
        expected=None if expected is None else str(expected),
        found=None if found is None else str(found),
    )


def _read_split(plan: Plan, step: Step, instance: Instance) -> tuple[str, Bounds]:
    """The name of the loops that are divided, and for each loop the bounds of its parts.

    Bounds are a row of numbers, one more than parts. Raises PlanError if they are malformed.
    """
    match instance.parameters["split"]:
        case {"by": str(by), "bounds": [*rows], **rest} if rows and not rest:
            if all(_is_row(row, plan.threads) for row in rows):
                return by, cast("Bounds", rows)
    raise _fault(
        step,
        "its division is malformed",
        expected=f"rows of {plan.threads + 1} numbers",
        found=instance.parameters["split"],
    )


def _is_row(row: Json, threads: int) -> bool:
    numbers = isinstance(row, list) and all(type(number) is int for number in row)
    return isinstance(row, list) and numbers and len(row) == threads + 1


def _check_cover(step: Step, bounds: Bounds, loops: Sequence[Loop]) -> None:
    """Every row goes up from a loop's first number to its end, in whole iterations."""
    if len(bounds) != len(loops):
        raise _fault(step, "a row of the division for each loop", len(loops), len(bounds))
    for number, (row, loop) in enumerate(zip(bounds, loops, strict=True)):
        first, end, size = loop.first, loop.end, loop.step
        whole = all(bound == end or (bound - first) % size == 0 for bound in row)
        if (row[0], row[-1]) != (first, end) or row != sorted(row) or not whole:
            raise _fault(
                step,
                "the parts are not all of the loop, once",
                f"{first} to {end}, every {size}",
                row,
            )
        if loop.follows:
            _check_rest(step, bounds[number - 1], row)


def _check_rest(step: Step, before: list[int], row: list[int]) -> None:
    """The rest of a loop is computed by the part that has the loop's last iteration."""
    last = [part for part, (a, b) in enumerate(pairwise(before)) if a < b][-1:]
    owner = [part for part, (a, b) in enumerate(pairwise(row)) if a < b]
    if last and owner != last:
        raise _fault(
            step, "the rest of a loop is another part's than what is before it", last, owner
        )


def _by_channel(loops: Sequence[Loop]) -> bool:
    return all(loop.by_channel for loop in loops)


def _check_sums(step: Step, by: str, loops: Sequence[Loop]) -> None:
    """Sums in scratch, to which all bands add, belong to one part: channels do, rows would not."""
    if not _by_channel(loops):
        raise _fault(step, f"parts by {by} would meet in the sums of channels")


def _check_channels(step: Step, bounds: Bounds, layer: Layer, target: Target) -> None:
    """No channel is computed by two parts: a last vector repeats some of the one before."""
    runs = vector_runs(layer, target)
    channels = packed_order(layer, runs)
    owner: dict[int, int] = {}
    for row in bounds:
        for part, (a, b) in enumerate(pairwise(row)):
            for channel in channels[a:b].tolist():
                if owner.setdefault(channel, part) != part:
                    raise _fault(step, f"two parts compute channel {channel}")


def _check_in_place(plan: Plan, step: Step, loops: Sequence[Loop]) -> None:
    """A result that meets the operand it slides over is divided by channels only.

    Channels meet only themselves. For other operators `check_contents` accepts only results that
    stand apart from what the call reads, or stand exactly in its place.
    """
    x, y = step.reads["x"], step.writes
    home, result = plan.buffer_of(x), plan.buffer_of(y)
    if (home.kind, result.kind) != ("arena", "arena"):
        return
    if home.element_bytes != result.element_bytes:
        return
    reach = step.op.row_reach("x", operand_types(plan, step), plan.values[y].type)
    rows = plan.values[x].rows
    for first in range(0, height(plan, step), step.rows):
        end = first + step.rows
        begin, stop = (0, rows)
        if reach is not None:
            begin, stop = reach.begin(first, rows), reach.end(end, rows)
        # Elements of other sizes never share memory, as `check_contents` has found.
        read = home.offset // home.element_bytes + plan.elements(x, begin, stop)
        written = result.offset // result.element_bytes + plan.elements(y, first, end)
        if not np.isin(written, read).any():
            continue
        low = min(int(read.min()), int(written.min()))
        owner = np.full(max(int(read.max()), int(written.max())) + 1 - low, -1)
        owner[read - low] = np.arange(read.shape[2])
        met = owner[written - low]
        if not _by_channel(loops) or not ((met < 0) | (met == np.arange(written.shape[2]))).all():
            raise _fault(step, "a part may overwrite what another one still reads")
