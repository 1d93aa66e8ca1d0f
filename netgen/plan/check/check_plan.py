"""The independent checker: accepts a plan, or names its fault, before any C is written.

It shares no code with what makes plans (`schedule`, `overlap`, `arena`, `build`) and does not ask
kernels what may overlap. What it establishes: every step has the types its operator infers and the
kernel instance its shapes need; every element that a step reads was written by the step it should
come from (the memory is executed with the step's number in place of data); weights stand where no
other weights do. `check_memory` judges lives, offsets, in-place steps and the certificate,
`check_bands` segments, `check_instances` kernels and weights, `check_threads` what threads do. Only
what a kernel itself defines, its parameters for a layer, the loops that its template prints of them
and the length of what it packs, is asked of it. Shared with the planner is what gives a plan its
meaning: `Operator.row_reach`, `execution_order` (which band runs when), `operand_types` and
`step_layer` (the layer of one call, with the `BandShape` that its kernel is told). Which constants
a step should have, a plan does not say.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import numpy as np

from netgen.errors import GraphError, PlanError, UsageError
from netgen.ir.rows import is_image
from netgen.kernels import find_kernel
from netgen.kernels.targets import Target, find_target
from netgen.plan.check.check_bands import check_bands, check_segments
from netgen.plan.check.check_contents import check_contents
from netgen.plan.check.check_instances import check_instances, check_weights
from netgen.plan.check.check_memory import check_memory
from netgen.plan.check.check_states import check_states
from netgen.plan.check.check_threads import check_threads
from netgen.plan.data.operand_types import checked_types
from netgen.plan.data.plan import Buffer, Plan, Step, Value

# As many as a channel map can have.
_MOST_CHANNELS = 1 << 24


def check_plan(plan: Plan) -> None:
    """Accept a plan; raises PlanError that names its first fault."""
    target = _target(plan)
    _check_names(plan)
    _check_steps(plan)
    _check_views_end(plan)
    for value in plan.values.values():
        _check_layout(plan, value)
    _check_views(plan)
    for step in plan.steps:
        _check_step(plan, step)
    check_segments(plan)
    check_bands(plan)
    _check_callers(plan)
    check_states(plan)
    check_memory(plan)
    check_contents(plan)
    check_instances(plan, target)
    check_weights(plan, target)
    check_threads(plan, target)


def _target(plan: Plan) -> Target:
    try:
        target = find_target(plan.target)
    except UsageError as error:
        raise PlanError(str(error), where=f"plan of {plan.network}") from error
    if plan.alignment != target.alignment:
        raise PlanError(
            "the alignment is not that of the target",
            where=f"plan of {plan.network}",
            expected=str(target.alignment),
            found=str(plan.alignment),
        )
    return target


def _check_names(plan: Plan) -> None:
    """Every name that the plan uses stands for something in it."""
    where = f"plan of {plan.network}"
    results = [name for state in plan.states for name in (state.value, state.next)]
    for name in (*plan.inputs, *plan.outputs, *results):
        if name not in plan.values:
            raise PlanError(f"the plan has no value %{name}", where=where)
    names = [(key, value.name) for key, value in plan.values.items()]
    names += [(key, buffer.name) for key, buffer in plan.buffers.items()]
    for key, name in names:
        if key != name:
            raise PlanError(f"{name} is listed under another name", where=f"%{key}")
    for step in plan.steps:
        if step.scratch is not None and step.scratch not in plan.buffers:
            raise PlanError(f"the plan has no buffer {step.scratch}", where=f"step %{step.name}")
    for value in plan.values.values():
        for run in value.runs:
            if run.buffer not in plan.buffers:
                raise PlanError(f"the plan has no buffer {run.buffer}", where=f"%{value.name}")


def _check_steps(plan: Plan) -> None:
    """There are steps, each named after the one value that it alone writes."""
    where = f"plan of {plan.network}"
    written = [step.writes for step in plan.steps]
    if not written:
        raise PlanError("the plan has no steps", where=where)
    if len(set(written)) != len(written):
        raise PlanError("two steps write one value", where=where)
    for step in plan.steps:
        if not 0 <= step.instance < len(plan.instances):
            raise PlanError(
                f"there is no kernel instance {step.instance}", where=f"step %{step.name}"
            )
        if step.name != step.writes:
            raise PlanError(
                "a step is named after what it writes",
                where=f"step %{step.name}",
                expected=step.writes,
            )


def _check_views_end(plan: Plan) -> None:
    """Views end at values that steps compute, or that the caller hands in."""
    views: TopologicalSorter[str] = TopologicalSorter()
    for value in plan.values.values():
        operands = value.view.operands if value.view else ()
        if value.view and not operands:
            raise PlanError("a view of nothing", where=f"%{value.name}")
        for operand in operands:
            if operand not in plan.values:
                raise PlanError(f"the plan has no value %{operand}", where=f"%{value.name}")
            views.add(value.name, operand)
    try:
        views.prepare()
    except CycleError as error:
        where = f"plan of {plan.network}"
        raise PlanError("values view each other in a circle", where=where) from error


def _check_channels(value: Value) -> None:
    """A value's runs hold each of its channels once."""
    where = f"%{value.name}"
    channels = value.type.shape[-1] if value.type.shape else 1
    count = sum(run.channels for run in value.runs)
    if count != channels or any(run.channels < 1 for run in value.runs):
        raise PlanError(
            "the runs do not hold as many channels as the value has",
            where=where,
            expected=f"{channels}, at least one in each",
            found=str(count),
        )
    if channels > _MOST_CHANNELS:
        raise PlanError(
            "so many channels have no places",
            where=where,
            expected=f"at most {_MOST_CHANNELS}",
            found=str(channels),
        )
    held = np.unique(
        np.concatenate([run.at + run.step * np.arange(run.channels) for run in value.runs])
    )
    if not np.array_equal(held, np.arange(channels)):
        raise PlanError(
            "the runs do not hold every channel once",
            where=where,
            expected=f"channels 0 to {channels - 1}",
            found=f"{len(held)} different ones",
        )


def _check_layout(plan: Plan, value: Value) -> None:
    """Channels stand at places of one buffer's pixels, of their own elements."""
    where, channels = f"%{value.name}", value.type.shape[-1]
    _check_channels(value)
    if len({run.buffer for run in value.runs}) != 1:
        raise PlanError("the runs stand in several buffers", where=where)
    buffer = plan.buffers[value.runs[0].buffer]
    _check_elements(value, buffer)
    if plan.is_recut(value.name):
        _check_recut(plan, value, buffer)
        return
    places = np.concatenate([run.first + np.arange(run.channels) for run in value.runs])
    different = len(np.unique(places))
    if places.min() < 0 or places.max() >= buffer.pitch or different != channels:
        raise PlanError(
            f"two channels have one place, or leave the pixels of {buffer.name}",
            where=where,
            expected=f"different places, 0 to {buffer.pitch - 1}",
            found=f"{different} of {channels}, {places.min()} to {places.max()}",
        )
    _check_rows(value, buffer)


def _check_elements(value: Value, buffer: Buffer) -> None:
    """A buffer's elements are as long as its values', its runs start where granularity has it."""
    where = f"%{value.name}"
    if buffer.element_bytes != value.type.element.bytes:
        raise PlanError(
            f"the elements of {buffer.name} are of another size",
            where=where,
            expected=f"{value.type.element.bytes} bytes, of {value.type.dtype}",
            found=str(buffer.element_bytes),
        )
    if value.type.element.is_float:
        _check_plain(value, buffer, f"{value.type.dtype} stands")
    if buffer.granularity > 1 and any(run.first % buffer.granularity for run in value.runs):
        raise PlanError(
            f"runs of channels do not start at multiples of {buffer.granularity}", where=where
        )


def _check_plain(value: Value, buffer: Buffer, what: str) -> None:
    """Elements stand without a bias, at any place of a pixel."""
    if (buffer.bias, buffer.granularity) != (0, 1):
        raise PlanError(
            f"{what} without a bias, at any place",
            where=f"%{value.name}",
            expected="a bias of 0 and a granularity of 1",
            found=f"{buffer.bias} and {buffer.granularity}",
        )


def _check_recut(plan: Plan, value: Value, buffer: Buffer) -> None:
    """A reshape that cuts its elements anew shows all of a buffer, element after element.

    What shows channels of one has its pixels.
    """
    layout, pixels = plan.layout(value.name), value.type.elements // value.type.shape[-1]
    whole = pixels * layout.pitch * buffer.element_bytes == buffer.bytes and not buffer.margin
    itself = value.view is not None and value.view.op.view_of == "elements"
    places = layout.places()
    inside = places.max() < layout.pitch and len({*places.tolist()}) == len(places)
    if not (whole and inside) or (layout.pitch == len(places) and itself and not layout.is_dense):
        raise PlanError(
            f"the reshape does not show all of {buffer.name}",
            where=f"%{value.name}",
            expected=f"{buffer.bytes} bytes in one run",
            found=f"{value.type.bytes} bytes in {len(value.runs)} runs",
        )


def _check_rows(value: Value, buffer: Buffer) -> None:
    """Every row of a value fits into a slot of its buffer, with the margin before it.

    What has no rows has all pixels one after the other.
    """
    shape, where = value.type.shape, f"%{value.name}"
    width = shape[2] if is_image(shape) else value.type.elements // shape[-1]
    if not is_image(shape) and not buffer.margin:
        width -= (buffer.rows - 1) * buffer.row_pixels
    shift = value.slots.shift
    if not 0 <= shift <= buffer.margin or buffer.margin - shift + width > buffer.row_pixels:
        raise PlanError(
            f"the rows do not fit into the slots of {buffer.name}",
            where=where,
            expected=f"at most {buffer.row_pixels} pixels, {buffer.margin} of them before a row",
            found=f"{width} pixels, {shift} of them before a row's place",
        )
    if value.slots.step < 1 or not 0 <= value.slots.first < buffer.rows:
        raise PlanError(
            "the slots are none of the buffer's",
            where=where,
            expected=f"a step of at least 1, from slot 0 to {buffer.rows - 1}",
            found=f"a step of {value.slots.step} from slot {value.slots.first}",
        )


def _check_views(plan: Plan) -> None:
    """Views show values that stand before them, and have the type that their operator infers."""
    seen: set[str] = set()
    for value in plan.values.values():
        seen.add(value.name)
        if value.view is None:
            continue
        where = f"%{value.name}"
        if unknown := [name for name in value.view.operands if name not in seen - {value.name}]:
            raise PlanError(f"it views %{unknown[0]}, which is not before it", where=where)
        if value.view.op.view_of == "nothing":
            raise PlanError(f"{value.view.op.operator_name} is no view", where=where)
        types = [plan.values[name].type for name in value.view.operands]
        try:
            inferred = value.view.op.result_type(types)
        except GraphError as error:
            raise PlanError(str(error), where=where) from error
        if inferred != value.type:
            raise PlanError(
                "the view has the wrong type",
                where=where,
                expected=str(inferred),
                found=str(value.type),
            )


def _is_dense(plan: Plan, value: Value) -> bool:
    """Whether the pixels of a value's buffer hold its channels in order, and nothing else."""
    layout = plan.layout(value.name)
    return layout.is_dense and layout.channels == value.type.shape[-1]


def _check_step(plan: Plan, step: Step) -> None:
    """Operand types, result type and MACs are the operator's own."""
    where = f"step %{step.name}"
    types, result = checked_types(plan, step), plan.values[step.writes].type
    macs = step.op.macs(list(types.values()), result)
    if step.macs != macs:
        raise PlanError(
            "the step counts its work wrongly",
            where=where,
            expected=f"{macs} MACs",
            found=f"{step.macs} MACs",
        )
    for name in (*step.reads.values(), step.writes):
        if not find_kernel(step.kernel).any_layout and not _is_dense(plan, plan.values[name]):
            raise PlanError(f"{step.kernel} needs %{name} in one dense run", where=where)


def _check_callers(plan: Plan) -> None:
    """Outputs stand in the caller's memory, inputs there or in the arena, in one buffer each."""
    for name in (*plan.inputs, *plan.outputs):
        if not _is_dense(plan, plan.values[name]):
            raise PlanError("the caller's memory is not one dense run", where=f"%{name}")
        _check_plain(plan.values[name], plan.buffer_of(name), "the caller's elements stand")
    for kind, names in (("input", plan.inputs), ("output", plan.outputs)):
        # An input may stand in the arena instead: the caller writes it there, or pushes its rows.
        homes = [plan.buffer_of(name).name for name in names]
        homes = [home for home in homes if plan.buffers[home].kind == kind or kind == "output"]
        own = [buffer.name for buffer in plan.buffers.values() if buffer.kind == kind]
        if len(set(homes)) != len(homes) or set(homes) != set(own):
            raise PlanError(
                f"the {kind}s do not have one {kind} buffer each",
                where=f"plan of {plan.network}",
                expected=", ".join(own) or "none",
                found=", ".join(homes) or "none",
            )
    for step in plan.steps:
        buffer = plan.buffer_of(step.writes)
        if buffer.kind == "input":
            raise PlanError(f"writes into the input {buffer.name}", where=f"step %{step.name}")
