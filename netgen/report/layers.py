"""Costs of each step of a plan: the facts of the report's table of layers."""

from __future__ import annotations

from dataclasses import dataclass

from netgen.ir.text import print_attributes
from netgen.kernels import find_kernel
from netgen.kernels.targets import find_target
from netgen.plan.data.execution_order import height
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.step_layer import step_layer
from netgen.plan.segments.fastest_cut import layer_cycles


@dataclass(frozen=True)
class LayerFacts:
    """One step: `bands` calls of a C function, `activation_bytes` read and written in all.

    `weight_bytes` are those of its packed constants, which equal layers share. `cycles` are
    estimated, of one core.
    """

    name: str
    operator: str
    reads: tuple[str, ...]
    writes: str
    macs: int
    weight_bytes: int
    activation_bytes: int
    function: str
    bands: int
    cycles: float


def layer_facts(plan: Plan) -> list[LayerFacts]:
    """The facts of all steps, in their order."""
    return [_facts(plan, step) for step in plan.steps]


def _facts(plan: Plan, step: Step) -> LayerFacts:
    types = operand_types(plan, step)
    layer, bands = step_layer(plan, step, types), height(plan, step) // step.rows
    read = dict.fromkeys(step.reads.values())
    return LayerFacts(
        name=step.name,
        operator=step.op.operator_name + print_attributes(step.op),
        reads=tuple(_shape(plan, value) for value in read),
        writes=_shape(plan, step.writes),
        macs=step.macs,
        weight_bytes=step.weights.bytes if step.weights is not None else 0,
        activation_bytes=sum(plan.values[value].type.bytes for value in (*read, step.writes)),
        function=plan.instances[step.instance].name,
        bands=bands,
        cycles=layer_cycles(find_kernel(step.kernel), layer, bands, find_target(plan.target)),
    )


def _shape(plan: Plan, value: str) -> str:
    shape = plan.values[value].type.shape
    return "×".join(map(str, shape[1:] if len(shape) > 1 else shape))
