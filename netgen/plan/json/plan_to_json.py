"""The JSON form of plans: `plan_to_json` and `plan_from_json` are each other's inverse.

Other programs may rely on the keys that DESIGN section 8 lists (`arena_bytes`, `bytes_moved`,
`segments`, ...). Those that only restate what steps and buffers say are recomputed when a plan is
read, and must agree.
"""

from __future__ import annotations

import dataclasses

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.kernels.layer import Instance, Json
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import (
    VERSION,
    Plan,
    PlannedState,
    Segment,
    Step,
    Value,
    View,
)

# Where these keys are missing there is one thread, and nothing lives between runs.
OPTIONAL = ("threads", "states")
# What `netgen plan --json` adds about the weights, which are no part of a plan.
ABOUT_WEIGHTS = "requantised"
DERIVED = ("bytes_moved", "caller_bytes", "mac_factor", "macs", "segments")
KEYS = (
    "version", "network", "target", "alignment", "arena_bytes", "lower_bound_bytes", "gap_bytes",
    "fast_bytes", "weights_bytes", "push_rows", *DERIVED, "inputs", "outputs", "values", "buffers",
    "rectangles", "overlaps", "instances", "steps",
)  # fmt: skip


def plan_to_json(plan: Plan) -> dict[str, Json]:
    """A plan as JSON can hold it, keys in a fixed order. Raises PlanError for an ill-typed plan."""
    return {
        "version": VERSION,
        "network": plan.network,
        "target": plan.target,
        "alignment": plan.alignment,
        "arena_bytes": plan.certificate.arena_bytes,
        "lower_bound_bytes": plan.certificate.lower_bound_bytes,
        "gap_bytes": plan.certificate.gap_bytes,
        "fast_bytes": plan.fast_bytes,
        "weights_bytes": plan.weights_bytes,
        "push_rows": plan.push_rows,
        **({"threads": plan.threads} if plan.threads > 1 else {}),
        **({"states": [_state_to_json(state) for state in plan.states]} if plan.states else {}),
        **derived_members(plan),
        "inputs": list(plan.inputs),
        "outputs": list(plan.outputs),
        "values": [_value_to_json(value) for value in plan.values.values()],
        "buffers": [dataclasses.asdict(buffer) for buffer in plan.buffers.values()],
        "rectangles": [
            {**dataclasses.asdict(rectangle), "buffers": list(rectangle.buffers)}
            for rectangle in plan.rectangles
        ],
        "overlaps": [dataclasses.asdict(overlap) for overlap in plan.overlaps],
        "instances": [_instance_to_json(instance) for instance in plan.instances],
        "steps": [_step_to_json(step) for step in plan.steps],
    }


def derived_members(plan: Plan) -> dict[str, Json]:
    """The keys of `DERIVED`, computed."""
    needed = 0
    for step in plan.steps:
        types = list(operand_types(plan, step).values())
        needed += step.op.macs(types, plan.values[step.writes].type)
    return {
        "bytes_moved": plan.bytes_moved,
        "caller_bytes": plan.caller_bytes(),
        "mac_factor": plan.macs / needed if needed else 1.0,
        "macs": plan.macs,
        "segments": [_segment_to_json(plan, segment) for segment in plan.segments],
    }


def _segment_to_json(plan: Plan, segment: Segment) -> dict[str, Json]:
    steps = range(segment.first, segment.last + 1)
    return {"steps": [*steps], "band_rows": [plan.steps[index].rows for index in steps]}


def type_to_json(kind: TensorType) -> dict[str, Json]:
    """Element type and shape, and of quantised values what codes stand for."""
    found: dict[str, Json] = {"dtype": kind.dtype, "shape": list(kind.shape)}
    if (q := kind.quantisation) is not None:
        along = {} if q.axis is None else {"axis": q.axis}
        scale = q.scale if isinstance(q.scale, str) else q.scale.hex()
        found["quantisation"] = {"scale": scale, "zero": q.zero, **along}
    return found


def _state_to_json(state: PlannedState) -> dict[str, Json]:
    initial = dataclasses.asdict(state.initial) if state.initial else None
    return {"value": state.value, "next": state.next, "initial": initial}


def _value_to_json(value: Value) -> dict[str, Json]:
    return {
        "name": value.name,
        "type": type_to_json(value.type),
        "runs": [dataclasses.asdict(run) for run in value.runs],
        "view": _view_to_json(value.view) if value.view else None,
        "slots": dataclasses.asdict(value.slots),
    }


def _view_to_json(view: View) -> dict[str, Json]:
    return {"op": _op_to_json(view.op), "operands": list(view.operands)}


def _op_to_json(op: Operator) -> dict[str, Json]:
    attributes: dict[str, Json] = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in op.attributes().items()
    }
    return {"name": op.operator_name, "attributes": attributes}


def _instance_to_json(instance: Instance) -> dict[str, Json]:
    return {
        "kernel": instance.kernel,
        "name": instance.name,
        "arguments": list(instance.arguments),
        "elements": dict(instance.elements),
        "has_weights": instance.has_weights,
        "parameters": dict(instance.parameters),
        **({} if instance.sizes is None else {"sizes": [*instance.sizes]}),
    }


def _step_to_json(step: Step) -> dict[str, Json]:
    return {
        "name": step.name,
        "op": _op_to_json(step.op),
        "kernel": step.kernel,
        "numeric_form": step.numeric_form,
        "instance": step.instance,
        "reads": dict(step.reads),
        "constants": {
            letter: {"name": constant.name, "type": type_to_json(constant.type)}
            for letter, constant in step.constants.items()
        },
        "writes": step.writes,
        "weights": dataclasses.asdict(step.weights) if step.weights else None,
        "macs": step.macs,
        "rows": step.rows,
        "scratch": step.scratch,
        # Only what was tuned has it, so that plans of kernels' own choices stay what they are.
        **({} if step.choice is None else {"choice": {**step.choice}}),
        **({"sizes": {**step.sizes}} if step.sizes else {}),
    }
