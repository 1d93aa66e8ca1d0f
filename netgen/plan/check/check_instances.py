"""Checks that steps call the right kernels, and that their weights are where nothing else is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from netgen.errors import PlanError
from netgen.ir.tensor_type import ELEMENTS
from netgen.kernels import find_kernel
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.layout import Layout
from netgen.kernels.targets import Target
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import MOST_BYTES, WEIGHTS_ELEMENT, Plan, PlannedState, Step
from netgen.plan.data.step_layer import step_layer
from netgen.plan.data.tuning import require_offered


def check_instances(plan: Plan, target: Target) -> None:
    """Every step's instance is its kernel, specialised to its shapes, with its aliased operand."""
    names = [instance.name for instance in plan.instances]
    if len(set(names)) != len(names):
        raise PlanError("two kernel instances have one name", where=f"plan of {plan.network}")
    for name in names:
        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise PlanError(
                "a kernel instance whose name is not part of a C identifier",
                where=f"plan of {plan.network}",
                expected="letters, digits and _",
                found=repr(name),
            )
    if {step.instance for step in plan.steps} != set(range(len(names))):
        raise PlanError("steps and kernel instances do not match", where=f"plan of {plan.network}")
    for step in plan.steps:
        instance = plan.instances[step.instance]
        kernel = _kernel(step, instance.kernel)
        layer = step_layer(plan, step, operand_types(plan, step))
        if not (kernel.computes(layer) and kernel.accepts(layer)):
            raise PlanError(f"{kernel.name} cannot compute this layer", where=f"step %{step.name}")
        _check_codes(step, kernel, layer.layouts)
        if step.choice is not None:
            offered = kernel.choices(layer, target)
            require_offered(kernel, step.choice, offered, f"step %{step.name}")
        divided = instance.parameters.get("split") is not None
        size = kernel.scratch(layer, target)
        # What is divided in the end may be less than what was thought of.
        needed = {plan.threads * size} if divided else {size, plan.threads * size}
        _check_scratch(plan, step, {size} if kernel.keeps_scratch else needed)
        parameters = _expected_parameters(plan, step, kernel, layer, target)
        if plan.threads > 1:  # any division is accepted that `check_threads` finds right
            parameters["split"] = instance.parameters.get("split")
        _agree(step, "arguments", tuple(step.reads), instance.arguments)
        elements = {a: plan.values[value].type.dtype for a, value in step.reads.items()}
        elements["y"] = plan.values[step.writes].type.dtype
        _agree(step, "elements", elements, {**instance.elements})
        _agree(step, "has_weights", bool(kernel.constants), instance.has_weights)
        _agree(step, "parameters", sorted(parameters), sorted(instance.parameters))
        for key, value in parameters.items():
            _agree(step, key, value, instance.parameters[key])


def _expected_parameters(
    plan: Plan, step: Step, kernel: Kernel, layer: Layer, target: Target
) -> dict[str, Json]:
    """The parameters of an instance for this layer alone, or for all layers of its form.

    A shared function may overwrite what one of the layers does. Its sizes are passed by the step,
    in any choice of what is passed and what is constant.
    """
    instance = plan.instances[step.instance]
    if instance.sizes is None:
        _agree(step, "sizes", {}, {**step.sizes})
        return {**kernel.parameters(layer, target), "aliased": [*_aliased(plan, step)]}
    form = kernel.shared(layer, target)
    if form is None or not set(instance.sizes) <= set(form.sizes):
        raise PlanError(
            f"{kernel.name} shares no function of these sizes",
            where=f"step %{step.name}",
            expected=", ".join(form.sizes) if form else "an instance for this layer alone",
            found=", ".join(instance.sizes),
        )
    _agree(step, "sizes", {name: form.sizes[name] for name in instance.sizes}, {**step.sizes})
    callers = [other for other in plan.steps if other.instance == step.instance]
    over = {letter for other in callers for letter in _aliased(plan, other)}
    constants = {name: size for name, size in form.sizes.items() if name not in instance.sizes}
    aliased: list[Json] = [letter for letter in instance.arguments if letter in over]
    return {**form.parameters, **constants, "aliased": aliased}


def _check_codes(step: Step, kernel: Kernel, layouts: Mapping[str, Layout]) -> None:
    """Codes stand with the bias, and their runs with the granularity, that the kernel expects."""
    for letter, layout in layouts.items():
        expected = kernel.bias.get(letter, 0), kernel.granularity.get(letter, 1)
        if (layout.bias, layout.granularity) != expected:
            raise PlanError(
                f"{kernel.name} does not expect the elements of {letter} so",
                where=f"step %{step.name}",
                expected="a bias of {} and a granularity of {}".format(*expected),
                found=f"{layout.bias} and {layout.granularity}",
            )


def _check_scratch(plan: Plan, step: Step, needed: set[int]) -> None:
    """A step has a buffer of its own, of as many bytes as its kernel needs; or none.

    Each part of a divided call needs its own, but where it keeps what bands find there.
    """
    where = f"step %{step.name}"
    found = plan.buffers[step.scratch].bytes if step.scratch is not None else 0
    if found not in needed:
        raise PlanError(
            "the scratch of the step has the wrong size",
            where=where,
            expected=f"{min(needed)} bytes",
            found=str(found),
        )
    if step.scratch is None:
        return
    homes = {run.buffer for value in plan.values.values() for run in value.runs}
    others = [other.name for other in plan.steps if other.scratch == step.scratch]
    if step.scratch in homes or len(others) > 1 or plan.buffers[step.scratch].kind != "arena":
        raise PlanError("the scratch is not the step's own, in the arena", where=where)
    element = ELEMENTS[find_kernel(step.kernel).scratch_element].bytes
    scratch = plan.buffers[step.scratch]
    if scratch.element_bytes != element:
        raise PlanError(
            "the elements of the step's scratch are of another size",
            where=where,
            expected=f"{element} bytes",
            found=str(scratch.element_bytes),
        )
    if (scratch.bias, scratch.granularity) != (0, 1):
        raise PlanError("the scratch has a bias or a granularity", where=where)


def _aliased(plan: Plan, step: Step) -> list[str]:
    """Operands in the buffer of the result, or on whose memory it stands by an overlap."""
    home = plan.buffer_of(step.writes).name
    under = {home} | {
        plan.buffer_of(overlap.operand).name
        for overlap in plan.overlaps
        if plan.buffer_of(overlap.result).name == home
    }
    return [letter for letter, value in step.reads.items() if plan.buffer_of(value).name in under]


def _agree(step: Step, what: str, expected: object, found: object) -> None:
    if expected != found:
        raise PlanError(
            f"the kernel instance has the wrong {what}",
            where=f"step %{step.name}",
            expected=repr(expected),
            found=repr(found),
        )


def _kernel(step: Step, name: str) -> Kernel:
    """The kernel of a step; its numeric form and constants must be those that the step states."""
    kernel = find_kernel(step.kernel)
    if name != step.kernel or not isinstance(step.op, kernel.operators):
        raise PlanError(
            f"{step.op.operator_name} is computed by {name}",
            where=f"step %{step.name}",
            expected=step.kernel,
        )
    if kernel.numeric_form != step.numeric_form:
        raise PlanError(
            f"{name} has another numeric form",
            where=f"step %{step.name}",
            expected=kernel.numeric_form,
            found=step.numeric_form,
        )
    packed = set(kernel.constants)
    if not set(step.constants) <= packed or packed & set(step.reads):
        raise PlanError(
            f"{name} packs other operands",
            where=f"step %{step.name}",
            expected=", ".join(kernel.constants) or "none",
            found=", ".join(step.constants) or "none",
        )
    return kernel


def check_weights(plan: Plan, target: Target) -> None:
    """Packed weights are as long as the kernel packs them, aligned, and disjoint unless shared."""
    places: dict[tuple[int, int], object] = {}
    for step in plan.steps:
        place = _place_of_weights(plan, step, target)
        content = (step.instance, step.sizes, step.constants, _orders(plan, step))
        if place is not None and places.setdefault(place, content) != content:
            raise PlanError(
                "two steps share the place of their weights", where=f"step %{step.name}"
            )
    if plan.weights_bytes % ELEMENTS[WEIGHTS_ELEMENT].bytes:
        raise PlanError(
            "the weights are no whole number of elements", found=str(plan.weights_bytes)
        )
    if plan.weights_bytes > MOST_BYTES:
        raise PlanError(
            "the weights are too large",
            expected=f"at most {MOST_BYTES} bytes",
            found=str(plan.weights_bytes),
        )
    initial = [place for state in plan.states if (place := _place_of_initial(plan, state))]
    ordered = sorted([*places, *initial])
    used = max((end for _, end in ordered), default=0)
    if plan.weights_bytes - used >= plan.alignment:
        raise PlanError(
            "the weights are longer than what is packed",
            expected=f"{used} bytes, aligned",
            found=str(plan.weights_bytes),
        )
    for (_, end), (begin, _) in pairwise(ordered):
        if begin < end:
            raise PlanError(
                "packed weights overlap",
                where=f"weights at byte {begin}",
                expected=f"nothing before byte {end}",
            )


def _orders(plan: Plan, step: Step) -> dict[str, list[int]]:
    """The channels of what a step reads and writes by their places, unless they are in order."""
    found = {}
    for letter, layout in plan.layouts(step).items():
        runs = sorted(layout.runs, key=lambda run: run.first)
        order = [run.at + run.step * n for run in runs for n in range(run.channels)]
        if order != sorted(order):
            found[letter] = order
    return found


def _place_of_weights(plan: Plan, step: Step, target: Target) -> tuple[int, int] | None:
    """The first byte of a step's packed weights and the one behind them, if it has any."""
    size = _packed_bytes(plan, step, target)
    found = step.weights.bytes if step.weights else 0
    if found != size:
        raise PlanError(
            "the packed weights have the wrong length",
            where=f"step %{step.name}",
            expected=f"{size} bytes",
            found=str(found),
        )
    if step.weights is None:
        return None
    begin, end = step.weights.offset, step.weights.offset + size
    if begin < 0 or begin % plan.alignment or end > plan.weights_bytes:
        raise PlanError(
            "the packed weights are misaligned or leave the weights",
            where=f"step %{step.name}",
            expected=f"a multiple of {plan.alignment}, ending by {plan.weights_bytes}",
            found=f"{begin} to {end}",
        )
    return begin, end


def _place_of_initial(plan: Plan, state: PlannedState) -> tuple[int, int] | None:
    """The first byte of a state's initial elements and the one behind them, if they are kept."""
    kind = plan.values[state.value].type
    if state.initial is None:
        if kind.zero and kind.element.bytes > 1:
            raise PlanError("its zero is no number of equal bytes", where=f"%{state.value}")
        return None
    begin, end = state.initial.offset, state.initial.offset + state.initial.bytes
    wrong = begin < 0 or begin % plan.alignment or end > plan.weights_bytes
    if wrong or state.initial.bytes != kind.bytes:
        raise PlanError(
            "what the state begins with is misaligned, of the wrong length, or leaves the weights",
            where=f"%{state.value}",
            expected=f"{kind.bytes} bytes, aligned to {plan.alignment}, by {plan.weights_bytes}",
            found=f"{begin} to {end}",
        )
    return begin, end


def _packed_bytes(plan: Plan, step: Step, target: Target) -> int:
    """The number of bytes that the kernel packs for constants of these shapes."""
    kernel = find_kernel(step.kernel)
    if not kernel.constants:
        return 0
    return kernel.packed_bytes(step_layer(plan, step, operand_types(plan, step)), target)
