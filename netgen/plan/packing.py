"""The packed constants of a plan: what its kernels read, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.ir.graph import Graph
from netgen.kernels import find_kernel
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.targets import Target, find_target
from netgen.plan.check.check_panels import check_panels
from netgen.plan.check.check_requantisation import check_layer
from netgen.plan.check.check_transforms import check_transforms
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.states import initial_elements
from netgen.plan.data.step_layer import step_layer

PackedBytes: TypeAlias = npt.NDArray[np.uint8]


def pack_weights(plan: Plan, graph: Graph) -> PackedBytes:
    """The packed constants of all steps, little-endian; the gaps of alignment are zero.

    Raises PlanError where one of their certificates is wrong, or products would saturate.
    """
    target = find_target(plan.target)
    packed = np.zeros(plan.weights_bytes, np.uint8)
    for step in plan.steps:
        if step.weights is None:
            continue
        arrays = {letter: graph.constant(each.name) for letter, each in step.constants.items()}
        arrays |= _scales_of(step, graph)
        layer = step_layer(plan, step, operand_types(plan, step))
        content = _packed(step, layer, target, arrays)
        kernel, where = find_kernel(step.kernel), f"step %{step.name}"
        if vectors := kernel.requantised(layer, target, content):
            check_layer(where, layer, arrays, vectors)
        if panels := kernel.panels(layer, target, content):
            check_panels(where, layer, arrays, panels)
        if transforms := kernel.transforms(layer, target, content):
            check_transforms(where, layer, arrays, transforms)
        place = step.weights
        # Where kernels run is little-endian, as the blob is.
        stored = content.astype(content.dtype.newbyteorder("<"), copy=False)
        packed[place.offset : place.offset + place.bytes] = stored.view(np.uint8)
    for state in plan.states:
        if state.initial is not None:
            first = state.initial.offset
            content = initial_elements(plan, graph, state).view(np.uint8)
            packed[first : first + content.size] = content
    return packed


def _scales_of(step: Step, graph: Graph) -> dict[str, Packed]:
    """Scales along an axis of constants, by their letter: `w.scale` are those of w."""
    found: dict[str, Packed] = {}
    for letter, each in step.constants.items():
        for scales in graph.scales([each.type]).values():
            found[f"{letter}.scale"] = scales
    return found


def _packed(step: Step, layer: Layer, target: Target, arrays: Mapping[str, Packed]) -> Packed:
    """Constants of one step in the order in which its kernel reads them. Raises WeightsError."""
    try:
        # What overflows is found below, and said there.
        with np.errstate(over="ignore"):
            content = find_kernel(step.kernel).pack(layer, target, arrays)
    except WeightsError as error:
        where, hint = f"%{step.name}", error.hint or None
        raise WeightsError(error.message, where=where, hint=hint) from error
    if not np.isfinite(content).all():
        raise WeightsError(
            "the weights of this layer do not fit into float32 once they are folded",
            where=f"%{step.name}",
            hint="check the file they come from",
        )
    return content
