"""The order of a band's pixels in a step whose result meets x."""

from __future__ import annotations

from netgen.kernels import find_kernel
from netgen.kernels.pixel_order import PixelOrder
from netgen.plan.data.plan import Plan, Step


def pixel_order(plan: Plan, step: Step) -> PixelOrder:
    """The order of a step's kernel, as its parameters say that the template prints it."""
    return find_kernel(step.kernel).pixel_order(plan.instances[step.instance].parameters)
