"""Checks of segments and bands: what one call gets must stand in memory as its kernel expects."""

from __future__ import annotations

from netgen.errors import PlanError
from netgen.ir.rows import is_image
from netgen.kernels import find_kernel
from netgen.plan.data.execution_order import height
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.step_layer import step_layer


def check_segments(plan: Plan) -> None:
    """Raise PlanError unless the segments are all steps in order; steps must have been checked."""
    where = f"plan of {plan.network}"
    covered = [n for segment in plan.segments for n in range(segment.first, segment.last + 1)]
    empty = any(segment.first > segment.last for segment in plan.segments)
    if empty or covered != [*range(len(plan.steps))]:
        raise PlanError(
            "the segments are not all steps in their order",
            where=where,
            expected=f"steps 0 to {len(plan.steps) - 1}",
            found=f"{len(plan.segments)} segments of {len(covered)} steps",
        )
    for step in plan.steps:
        _check_height(plan, step)
    if plan.push_rows:
        kinds = [plan.buffer_of(name).kind for name in plan.inputs]
        if kinds != ["arena"] or not is_image(plan.values[plan.inputs[0]].type.shape):
            raise PlanError(
                "rows can be pushed of one image only, which stands in the arena",
                where=where,
                found=", ".join(kinds),
            )


def _check_height(plan: Plan, step: Step) -> None:
    """Bands are equal parts of a step's rows, and the kernel can compute them."""
    whole = height(plan, step)
    if step.rows < 1 or whole % step.rows:
        raise PlanError(
            "the bands are no equal parts of the step's rows",
            where=f"step %{step.name}",
            expected=f"a divisor of {whole}",
            found=str(step.rows),
        )
    if step.rows < whole and find_kernel(step.kernel).by_rows == "none":
        raise PlanError(f"{step.kernel} computes no bands", where=f"step %{step.name}")


def check_bands(plan: Plan) -> None:
    """Raise PlanError where a call's rows do not follow each other as its kernel expects.

    Layouts, slots, steps and segments must have been checked.
    """
    if not plan.push_rows:
        for name in plan.inputs:
            _check_rows(plan, name, plan.values[name].rows, "the caller")
    for name in plan.outputs:
        _check_rows(plan, name, plan.values[name].rows, "the caller")
    for step in plan.steps:
        _check_step(plan, step)


def _check_step(plan: Plan, step: Step) -> None:
    where, types = f"step %{step.name}", operand_types(plan, step)
    result = plan.values[step.writes]
    _check_rows(plan, step.writes, min(step.rows, result.rows), where)
    for letter, name in step.reads.items():
        if letter == "x" and find_kernel(step.kernel).by_rows == "window":
            _check_window(plan, step, name)
            continue
        reach = None if plan.is_recut(name) else step.op.row_reach(letter, types, result.type)
        rows = plan.values[name].rows
        _check_rows(plan, name, rows if reach is None else step.rows, where)


def _check_window(plan: Plan, step: Step, name: str) -> None:
    """Row i of what a window slides over stands in slot i, or all rows follow each other."""
    where, slots = f"step %{step.name}", plan.values[name].slots
    if step_layer(plan, step, operand_types(plan, step)).band is None:
        _check_rows(plan, name, plan.values[name].rows, where)
    elif (slots.step, slots.first) != (1, 0) and not plan.is_recut(name):
        raise PlanError(
            f"{step.kernel} looks for row i of %{name} in slot i",
            where=where,
            found=f"a step of {slots.step} from slot {slots.first}",
        )


def _check_rows(plan: Plan, name: str, rows: int, where: str) -> None:
    """Bands of so many rows of a value must stand row after row, without gaps."""
    value, buffer = plan.values[name], plan.buffer_of(name)
    if rows == 1 or plan.is_recut(name):
        return
    slots, width = value.slots, value.type.shape[2]
    ends = slots.first + value.rows <= buffer.rows
    whole = buffer.rows % rows == slots.first % rows == 0
    if slots.step != 1 or buffer.row_pixels != width or not (ends or whole):
        raise PlanError(
            f"{rows} rows of %{name} do not stand one after the other",
            where=where,
            expected=f"slots of {width} pixels, as many as are a multiple of {rows}",
            found=f"{buffer.rows} slots of {buffer.row_pixels}, from slot {slots.first} on, "
            f"{slots.step} from row to row",
        )
