"""Division of a plan's calls between threads, after all else is decided.

Of memory only scratch knows of it beforehand: each thread has its own where `may_divide` says so.

The threads meet after each divided call, so a call is divided only where that saves more than the
meeting takes; all others, and whatever must be done in order, are part 0's alone.
"""

from __future__ import annotations

from dataclasses import replace

from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance, Json
from netgen.kernels.targets import Target
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.step_layer import step_layer
from netgen.plan.schedule.division import division_pays


def split_steps(plan: Plan, target: Target, threads: int) -> Plan:
    """The plan with its kernel instances divided into so many parts, where that pays."""
    if threads == 1:
        return plan
    steps: dict[int, list[Step]] = {}
    for step in plan.steps:
        steps.setdefault(step.instance, []).append(step)
    instances = tuple(
        _split_instance(plan, instance, steps[number], target, threads)
        for number, instance in enumerate(plan.instances)
    )
    return replace(plan, instances=instances, threads=threads)


def _split_instance(
    plan: Plan, instance: Instance, steps: list[Step], target: Target, threads: int
) -> Instance:
    """All steps of an instance have one layer; what one of them overwrites, all may."""
    kernel, step = find_kernel(instance.kernel), steps[0]
    layer = step_layer(plan, step, operand_types(plan, step))
    overwritten = frozenset(letter for each in steps for letter in _overwritten(plan, each))
    found = None
    if all(_by_channels(plan, each, letter) for each in steps for letter in overwritten):
        found = kernel.split(layer, target, threads, overwritten)
    described: Json = None
    if found and division_pays(kernel, layer, target, found):
        described = {"by": found.by, "bounds": [[*row] for row in found.bounds]}
    return replace(instance, parameters={**instance.parameters, "split": described})


def _overwritten(plan: Plan, step: Step) -> list[str]:
    """The letters of operands whose memory the result may stand on, wholly or in part."""
    result = plan.buffer_of(step.writes)
    found = []
    for letter, value in step.reads.items():
        buffer = plan.buffer_of(value)
        if buffer.kind != result.kind and not (buffer.in_arena and result.in_arena):
            continue
        if buffer is result:
            recut = plan.is_recut(value) or plan.is_recut(step.writes)
            places = {*plan.layout(value).places().tolist()}
            met = recut or not places.isdisjoint(plan.layout(step.writes).places().tolist())
        else:
            begin = max(buffer.offset, result.offset)
            met = begin < min(buffer.offset + buffer.bytes, result.offset + result.bytes)
        if met and buffer.in_arena:
            found.append(letter)
    return found


def _by_channels(plan: Plan, step: Step, letter: str) -> bool:
    """Whether a channel of the result can meet no channel of an operand but its own."""
    operand, result = plan.buffer_of(step.reads[letter]), plan.buffer_of(step.writes)
    x, y = plan.layout(step.reads[letter]), plan.layout(step.writes)
    whole = (operand.offset - result.offset) % (result.element_bytes * result.pitch) == 0
    alike = x.pitch == y.pitch and x.places().tolist() == y.places().tolist()
    same = (operand.pitch, operand.element_bytes) == (result.pitch, result.element_bytes)
    return same and whole and alike
