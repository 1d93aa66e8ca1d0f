"""The JSON form of plans: `plan_to_json` and `plan_from_json` are each other's inverse.

Other programs may rely on the keys that DESIGN section 8 lists (`arena_bytes`, `bytes_moved`,
`segments`, ...). Those that only restate what steps and buffers say are recomputed when a plan is
read, and must agree.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from netgen.errors import GraphError, PlanError
from netgen.ir.operator import REGISTRY, AttributeValue, Operator
from netgen.ir.tensor_type import TensorType
from netgen.kernels.layer import Instance, Json
from netgen.ops.identity import Identity
from netgen.ops.pad import Pad
from netgen.plan.json_reader import Reader
from netgen.plan.operand_types import operand_types
from netgen.plan.plan import (
    VERSION,
    Buffer,
    Certificate,
    Overlap,
    PackedWeights,
    Plan,
    Rectangle,
    Run,
    Step,
    Value,
)

_Named = TypeVar("_Named", Value, Buffer)

_DERIVED = ("bytes_moved", "caller_bytes", "mac_factor", "macs", "push_rows", "segments")
_KEYS = (
    "version", "network", "target", "alignment", "arena_bytes", "lower_bound_bytes", "gap_bytes",
    "weights_bytes", *_DERIVED, "inputs", "outputs", "values", "buffers", "rectangles", "overlaps",
    "instances", "steps",
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
        "weights_bytes": plan.weights_bytes,
        **_derived(plan),
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


def plan_from_json(document: object) -> Plan:
    """The plan of a JSON document (as `json.loads` gives it).

    Raises PlanError with the path of the fault for another version, an unknown or missing key, a
    wrong type, or a derived key that disagrees. Whether the plan is right is for `check_plan`.
    """
    top = Reader("$", document)
    version = top.member("version").integer()
    if version != VERSION:
        raise PlanError(
            "this plan is of another version",
            where="$.version",
            expected=str(VERSION),
            found=str(version),
            hint="make the plan anew",
        )
    top.keys(*_KEYS)
    arena, bound, gap = (
        top.member(key).integer() for key in ("arena_bytes", "lower_bound_bytes", "gap_bytes")
    )
    plan = Plan(
        network=top.member("network").text(),
        target=top.member("target").text(),
        alignment=top.member("alignment").integer(),
        inputs=top.member("inputs").texts(),
        outputs=top.member("outputs").texts(),
        values=_named([_read_value(item) for item in top.member("values").items()], "$.values"),
        buffers=_named([_read_buffer(item) for item in top.member("buffers").items()], "$.buffers"),
        rectangles=tuple(_read_rectangle(item) for item in top.member("rectangles").items()),
        overlaps=tuple(_read_overlap(item) for item in top.member("overlaps").items()),
        instances=tuple(_read_instance(item) for item in top.member("instances").items()),
        steps=tuple(_read_step(item) for item in top.member("steps").items()),
        certificate=Certificate(arena, bound, gap),
        weights_bytes=top.member("weights_bytes").integer(),
    )
    for key, derived in _derived(plan).items():
        found = top.member(key).value
        if found != derived or type(found) is not type(derived):
            raise PlanError(
                "this does not follow from the plan's steps and buffers",
                where=f"$.{key}",
                expected=str(derived),
                found=str(found),
            )
    return plan


def _derived(plan: Plan) -> dict[str, Json]:
    """The keys of `_DERIVED`, computed."""
    needed = 0
    for step in plan.steps:
        types = list(operand_types(plan, step).values())
        needed += step.op.macs(types, plan.values[step.writes].type)
    moved = sum(
        plan.values[step.writes].type.bytes
        for step in plan.steps
        if step.numeric_form == "copy" or isinstance(step.op, Identity | Pad)
    )
    return {
        "bytes_moved": moved,
        "caller_bytes": plan.caller_bytes(),
        "mac_factor": plan.macs / needed if needed else 1.0,
        "macs": plan.macs,
        # No segment starts at the input yet: the whole image is in memory.
        "push_rows": False,
        "segments": [
            {"steps": [index], "band_rows": step.rows} for index, step in enumerate(plan.steps)
        ],
    }


def _value_to_json(value: Value) -> dict[str, Json]:
    return {
        "name": value.name,
        "dtype": value.type.dtype,
        "shape": list(value.type.shape),
        "runs": [dataclasses.asdict(run) for run in value.runs],
    }


def _instance_to_json(instance: Instance) -> dict[str, Json]:
    return {
        "kernel": instance.kernel,
        "name": instance.name,
        "arguments": list(instance.arguments),
        "has_weights": instance.has_weights,
        "parameters": dict(instance.parameters),
    }


def _step_to_json(step: Step) -> dict[str, Json]:
    attributes: dict[str, Json] = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in step.op.attributes().items()
    }
    return {
        "name": step.name,
        "op": {"name": step.op.operator_name, "attributes": attributes},
        "kernel": step.kernel,
        "numeric_form": step.numeric_form,
        "instance": step.instance,
        "reads": dict(step.reads),
        "constants": dict(step.constants),
        "writes": step.writes,
        "weights": dataclasses.asdict(step.weights) if step.weights else None,
        "macs": step.macs,
        "rows": step.rows,
    }


def _named(items: list[_Named], path: str) -> dict[str, _Named]:
    named: dict[str, _Named] = {}
    for index, item in enumerate(items):
        if item.name in named:
            raise PlanError(f"the name '{item.name}' stands twice", where=f"{path}[{index}].name")
        named[item.name] = item
    return named


def _read_value(at: Reader) -> Value:
    at.keys("name", "dtype", "shape", "runs")
    shape = tuple(item.integer() for item in at.member("shape").items())
    try:
        kind = TensorType(at.member("dtype").text(), shape)
    except GraphError as error:
        raise PlanError(str(error), where=at.path) from error
    runs = []
    for run in at.member("runs").items():
        run.keys("buffer", "first", "channels")
        first, channels = (run.member(key).integer() for key in ("first", "channels"))
        runs.append(Run(run.member("buffer").text(), first, channels))
    return Value(at.member("name").text(), kind, tuple(runs))


def _read_buffer(at: Reader) -> Buffer:
    numbers = ("bytes", "pitch", "first", "last", "offset")
    at.keys("name", "kind", *numbers)
    name, kind = at.member("name").text(), at.member("kind").text()
    return Buffer(name, kind, *(at.member(key).integer() for key in numbers))


def _read_rectangle(at: Reader) -> Rectangle:
    numbers = ("bytes", "first", "last", "offset")
    at.keys("buffers", *numbers)
    buffers = at.member("buffers").texts()
    return Rectangle(buffers, *(at.member(key).integer() for key in numbers))


def _read_overlap(at: Reader) -> Overlap:
    at.keys("step", "letter", "distance")
    step, letter = at.member("step").integer(), at.member("letter").text()
    return Overlap(step, letter, at.member("distance").integer())


def _read_instance(at: Reader) -> Instance:
    at.keys("kernel", "name", "arguments", "has_weights", "parameters")
    return Instance(
        kernel=at.member("kernel").text(),
        name=at.member("name").text(),
        arguments=at.member("arguments").texts(),
        has_weights=at.member("has_weights").truth(),
        parameters=at.member("parameters").free_object(),
    )


def _read_step(at: Reader) -> Step:
    at.keys(
        "name", "op", "kernel", "numeric_form", "instance", "reads", "constants", "writes",
        "weights", "macs", "rows",
    )  # fmt: skip
    weights: PackedWeights | None = None
    packed = at.member("weights")
    if packed.value is not None:
        packed.keys("offset", "elements")
        offset, elements = (packed.member(key).integer() for key in ("offset", "elements"))
        weights = PackedWeights(offset, elements)
    return Step(
        name=at.member("name").text(),
        op=_read_operator(at.member("op")),
        kernel=at.member("kernel").text(),
        numeric_form=at.member("numeric_form").text(),
        instance=at.member("instance").integer(),
        reads={key: item.text() for key, item in at.member("reads").members().items()},
        constants={key: item.text() for key, item in at.member("constants").members().items()},
        writes=at.member("writes").text(),
        weights=weights,
        macs=at.member("macs").integer(),
        rows=at.member("rows").integer(),
    )


def _read_operator(at: Reader) -> Operator:
    at.keys("name", "attributes")
    name, members = at.member("name").text(), at.member("attributes").members()
    defaults: dict[str, object] = {
        field.name: field.default
        for operator in REGISTRY
        if operator.operator_name == name
        for field in dataclasses.fields(operator)
    }
    try:
        attributes: dict[str, AttributeValue] = {
            # The registry names what it does not know; of what type that is does not matter.
            key: _read_attribute(item, defaults[key]) if key in defaults else ""
            for key, item in members.items()
        }
        return REGISTRY.make(name, attributes)
    except GraphError as error:
        raise PlanError(str(error), where=at.path) from error


def _read_attribute(at: Reader, default: object) -> AttributeValue:
    """An attribute, which has the type of its default."""
    if isinstance(default, tuple):
        return tuple(item.integer() for item in at.items())
    if isinstance(default, float):
        return at.number()
    return at.integer() if isinstance(default, int) else at.text()
