"""The forms in which a plan's vectors make codes of sums: how many channels have a certificate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netgen.kernels import find_kernel
from netgen.kernels.i8.requantisation import AFFINE, EVEN, EXACT, SIGNED
from netgen.kernels.targets import find_target
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan
from netgen.plan.data.step_layer import step_layer
from netgen.plan.packing import PackedBytes


@dataclass(frozen=True)
class Requantised:
    """The channels of one step by form; those that are not exact have a certificate.

    Channels whose halves go to even are in the definition's own form of floats, or affine.
    """

    step: str
    affine: int
    signed: int
    exact: int
    even: int = 0

    @property
    def channels(self) -> int:
        """All of them."""
        return self.affine + self.signed + self.exact + self.even


def requantised(plan: Plan, packed: PackedBytes) -> list[Requantised]:
    """The steps whose kernels make codes in vectors, in order."""
    target = find_target(plan.target)
    found = []
    for step in plan.steps:
        if step.weights is None:
            continue
        kernel, place = find_kernel(step.kernel), step.weights
        words = packed[place.offset : place.offset + place.bytes]
        if kernel.weights_element != "i32":
            continue
        layer = step_layer(plan, step, operand_types(plan, step))
        forms: dict[int, int] = {}
        seen: set[int] = set()
        for channels, rows in kernel.requantised(layer, target, words.view("<i4")):
            own = {*channels[channels >= 0].tolist()} - seen
            seen |= own
            form = int(rows[0, 0])
            forms[form] = forms.get(form, 0) + len(own)
        if seen:
            numbers = (forms.get(form, 0) for form in (AFFINE, SIGNED, EXACT, EVEN))
            found.append(Requantised(step.name, *numbers))
    return found


def requantised_lines(steps: list[Requantised]) -> list[str]:
    """A line for all steps, and one for each that has channels without a certificate."""
    if not steps:
        return []
    total, exact = (int(np.sum([each.channels for each in steps])), sum(s.exact for s in steps))
    affine = sum(step.affine for step in steps)
    lines = [
        f"codes: {total - exact:,} of {total:,} channels in float32 by certificate "
        f"({affine:,} affine), {exact:,} in exact integers"
    ]
    return lines + [
        f"        %{step.step}: {step.exact:,} of {step.channels:,} in exact integers"
        for step in steps
        if step.exact
    ]
