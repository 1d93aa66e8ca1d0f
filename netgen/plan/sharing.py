"""C functions that layers of several sizes share, after all else is decided: for `--small`.

Steps whose kernels state equal forms call one instance, if there are at least two different ones.
What is the same for all of them stays a constant; the rest are the instance's `sizes`, whose values
each step passes. A call that is divided between threads keeps its function, which has its bounds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance, Json, Shared
from netgen.kernels.targets import Target
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.step_layer import step_layer


def share_functions(plan: Plan, target: Target) -> Plan:
    """The plan with fewer kernel instances."""
    forms = {
        step.instance: _form(plan, step, target)
        for step in plan.steps
        if plan.instances[step.instance].parameters.get("split") is None
    }
    alike: dict[str, list[int]] = {}
    for number, instance in enumerate(plan.instances):
        form = forms.get(number)
        key = str(number)
        if form is not None:
            words = [instance.kernel, instance.arguments, dict(instance.elements)]
            key = json.dumps([*words, form.name, dict(form.parameters)], sort_keys=True)
        alike.setdefault(key, []).append(number)
    instances: list[Instance] = []
    places: dict[int, int] = {}
    for numbers in alike.values():
        places |= dict.fromkeys(numbers, len(instances))
        instance = plan.instances[numbers[0]]
        found = [form for number in numbers if (form := forms.get(number)) is not None]
        if len(numbers) > 1:
            aliased = [plan.instances[number].parameters["aliased"] for number in numbers]
            instance = _shared(instance, found, aliased)
        instances.append(replace(instance, name=_unused(instance.name, instances)))
    steps = tuple(_calling(step, instances, places, forms) for step in plan.steps)
    return replace(plan, instances=tuple(instances), steps=steps)


def _form(plan: Plan, step: Step, target: Target) -> Shared | None:
    layer = step_layer(plan, step, operand_types(plan, step))
    return find_kernel(step.kernel).shared(layer, target)


def _shared(instance: Instance, forms: Sequence[Shared], aliased: Sequence[Json]) -> Instance:
    """One function for all forms; it may write over whatever one of the layers does."""
    first, letters = forms[0], [a for found in aliased if isinstance(found, list) for a in found]
    sizes = [name for name in first.sizes if len({form.sizes[name] for form in forms}) > 1]
    over = [letter for letter in instance.arguments if letter in letters]
    constants = {name: size for name, size in first.sizes.items() if name not in sizes}
    parameters: dict[str, Json] = {**first.parameters, **constants, "aliased": [*over]}
    if "split" in instance.parameters:
        parameters["split"] = None
    return replace(instance, name=first.name, parameters=parameters, sizes=tuple(sizes))


def _unused(name: str, instances: Sequence[Instance]) -> str:
    """The name, with a number if another instance has it."""
    names, candidate, count = {instance.name for instance in instances}, name, 1
    while candidate in names:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


def _calling(
    step: Step,
    instances: Sequence[Instance],
    places: Mapping[int, int],
    forms: Mapping[int, Shared | None],
) -> Step:
    form, place = forms.get(step.instance), places[step.instance]
    sizes = instances[place].sizes
    passed = {} if form is None or sizes is None else {name: form.sizes[name] for name in sizes}
    return replace(step, instance=place, sizes=passed)
