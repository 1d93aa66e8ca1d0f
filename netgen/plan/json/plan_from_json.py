"""Reading a plan's JSON form: strict, and every fault names its path."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from netgen.errors import GraphError, PlanError
from netgen.ir.attributes import AttributeValue
from netgen.ir.operator import Operator
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.kernels.layer import Instance
from netgen.plan.data.operand_types import checked_types
from netgen.plan.data.plan import (
    VERSION,
    Buffer,
    BufferRun,
    Certificate,
    Constant,
    Overlap,
    PackedWeights,
    Plan,
    PlannedState,
    Rectangle,
    Segment,
    Slots,
    Step,
    Value,
    View,
)
from netgen.plan.json.plan_to_json import ABOUT_WEIGHTS, KEYS, OPTIONAL, derived_members
from netgen.plan.json.strict_json import MOST_COUNT, Reader, shown

_Named = TypeVar("_Named", Value, Buffer)


def plan_from_json(document: object) -> Plan:
    """The plan of a JSON document (as `json.loads` gives it).

    Raises PlanError with the path of the fault for another version, an unknown or missing key, a
    wrong type, or a derived key that disagrees. Whether the plan is right is for `check_plan`.
    """
    top = Reader("$", document)
    plan = _read_plan(top)
    _require_derived(top, plan)
    return plan


def _read_plan(top: Reader) -> Plan:
    """The plan that the document states."""
    version = top.member("version").integer()
    if version != VERSION:
        raise PlanError(
            "this plan is of another version",
            where="$.version",
            expected=str(VERSION),
            found=str(version),
            hint="make the plan anew",
        )
    members = top.members()
    top.keys(*KEYS, *[key for key in (*OPTIONAL, ABOUT_WEIGHTS) if key in members])
    instances = tuple(_read_instance(item) for item in top.member("instances").items())
    steps = tuple(_read_step(item, len(instances)) for item in top.member("steps").items())
    segments = _read_segments(top.member("segments"), len(steps))
    lives = len(segments)
    arena, bound, gap = (
        top.member(key).integer() for key in ("arena_bytes", "lower_bound_bytes", "gap_bytes")
    )
    return Plan(
        network=top.member("network").text(),
        target=top.member("target").text(),
        alignment=top.member("alignment").integer(),
        inputs=top.member("inputs").texts(),
        outputs=top.member("outputs").texts(),
        values=_named([_read_value(item) for item in top.member("values").items()], "$.values"),
        buffers=_named(
            [_read_buffer(item, lives) for item in top.member("buffers").items()], "$.buffers"
        ),
        rectangles=tuple(_read_rectangle(item, lives) for item in top.member("rectangles").items()),
        overlaps=tuple(_read_overlap(item, lives) for item in top.member("overlaps").items()),
        instances=instances,
        steps=steps,
        certificate=Certificate(arena, bound, gap),
        fast_bytes=top.member("fast_bytes").integer(),
        segments=segments,
        push_rows=top.member("push_rows").truth(),
        weights_bytes=top.member("weights_bytes").integer(),
        threads=members["threads"].integer() if "threads" in members else 1,
        states=_read_states(members["states"]) if "states" in members else (),
    )


def _require_derived(top: Reader, plan: Plan) -> None:
    """Raise PlanError where the document states something else than follows from it."""
    for step in plan.steps:
        checked_types(plan, step)  # so much do multiply-adds and bytes presuppose
    expected = derived_members(plan)
    for key, derived in expected.items():
        found = top.member(key).value
        if found != derived or type(found) is not type(derived):
            raise PlanError(
                "this does not follow from the plan's steps and buffers",
                where=f"$.{key}",
                expected=shown(derived),
                found=shown(found),
            )


def _named(items: list[_Named], path: str) -> dict[str, _Named]:
    named: dict[str, _Named] = {}
    for index, item in enumerate(items):
        if item.name in named:
            raise PlanError(f"the name '{item.name}' stands twice", where=f"{path}[{index}].name")
        named[item.name] = item
    return named


def _read_states(at: Reader) -> tuple[PlannedState, ...]:
    found = []
    for item in at.items():
        item.keys("value", "next", "initial")
        initial = _read_weights(item.member("initial"))
        found.append(PlannedState(item.member("value").text(), item.member("next").text(), initial))
    return tuple(found)


def _read_weights(at: Reader) -> PackedWeights | None:
    if at.value is None:
        return None
    at.keys("offset", "bytes")
    return PackedWeights(*(at.member(key).integer() for key in ("offset", "bytes")))


def _read_value(at: Reader) -> Value:
    at.keys("name", "type", "runs", "view", "slots")
    kind = _read_type(at.member("type"))
    runs = []
    for run in at.member("runs").items():
        keys = ("first", "channels", "at", "step")
        run.keys("buffer", *keys)
        runs.append(
            BufferRun(run.member("buffer").text(), *(run.member(k).integer() for k in keys))
        )
    view = None if at.member("view").value is None else _read_view(at.member("view"))
    slots = at.member("slots")
    slots.keys("step", "first", "shift")
    numbers = (slots.member(key).integer() for key in ("step", "first", "shift"))
    return Value(at.member("name").text(), kind, tuple(runs), view, Slots(*numbers))


def _read_type(at: Reader) -> TensorType:
    known = "quantisation" in at.members()
    at.keys("dtype", "shape", *(["quantisation"] if known else []))
    shape = tuple(item.integer() for item in at.member("shape").items())
    if not shape:
        raise PlanError("a shape without dimensions", where=f"{at.path}.shape")
    try:
        quantisation = _read_quantisation(at.member("quantisation")) if known else None
        return TensorType(at.member("dtype").text(), shape, quantisation)
    except GraphError as error:
        raise PlanError(str(error), where=at.path) from error


def _read_quantisation(at: Reader) -> Quantisation:
    """A scale is C's hexadecimal float, or with an axis the name of an array."""
    along = "axis" in at.members()
    at.keys("scale", "zero", *(["axis"] if along else []))
    scale, zero = at.member("scale").text(), at.member("zero").signed()
    if along:
        return Quantisation(scale, zero, at.member("axis").integer())
    try:
        return Quantisation(float.fromhex(scale), zero)
    except (ValueError, OverflowError):
        raise PlanError(
            "this is no scale", where=at.path, expected="0x1.8p-6, say", found=shown(scale)
        ) from None


def _read_constant(at: Reader) -> Constant:
    at.keys("name", "type")
    return Constant(at.member("name").text(), _read_type(at.member("type")))


def _read_view(at: Reader) -> View:
    at.keys("op", "operands")
    return View(_read_operator(at.member("op")), at.member("operands").texts())


def _read_buffer(at: Reader, segments: int) -> Buffer:
    numbers = tuple(f.name for f in dataclasses.fields(Buffer) if f.name not in {"name", "kind"})
    at.keys("name", "kind", *numbers)
    name, kind = at.member("name").text(), at.member("kind").text()
    return Buffer(name, kind, *_with_life(at, numbers, segments))


def _with_life(at: Reader, numbers: tuple[str, ...], segments: int) -> list[int]:
    """Numbers by key, of which `first` and `last` are segments."""
    return [
        at.member(key).index(segments) if key in {"first", "last"} else at.member(key).integer()
        for key in numbers
    ]


def _read_rectangle(at: Reader, segments: int) -> Rectangle:
    numbers = ("bytes", "first", "last", "offset")
    at.keys("buffers", *numbers)
    buffers = at.member("buffers").texts()
    return Rectangle(buffers, *_with_life(at, numbers, segments))


def _read_overlap(at: Reader, segments: int) -> Overlap:
    at.keys("segment", "operand", "result", "distance")
    segment, distance = at.member("segment").index(segments), at.member("distance").integer()
    return Overlap(segment, at.member("operand").text(), at.member("result").text(), distance)


def _read_segments(at: Reader, steps: int) -> tuple[Segment, ...]:
    """Consecutive steps; the height of their bands is derived, and compared."""
    segments: list[Segment] = []
    for item in at.items():
        item.keys("steps", "band_rows")
        numbers = [step.integer() for step in item.member("steps").items()]
        first = segments[-1].last + 1 if segments else 0
        if not numbers or numbers != [*range(first, first + len(numbers))]:
            raise PlanError("the steps are not consecutive", where=item.path)
        segments.append(Segment(first, first + len(numbers) - 1))
    if not segments or segments[-1].last != steps - 1:
        raise PlanError("the segments do not hold every step", where=at.path)
    return tuple(segments)


def _read_instance(at: Reader) -> Instance:
    shared = "sizes" in at.members()
    keys = ("kernel", "name", "arguments", "elements", "has_weights", "parameters")
    at.keys(*keys, *(["sizes"] if shared else []))
    return Instance(
        kernel=at.member("kernel").text(),
        name=at.member("name").text(),
        arguments=at.member("arguments").texts(),
        elements={key: item.text() for key, item in at.member("elements").members().items()},
        has_weights=at.member("has_weights").truth(),
        parameters=at.member("parameters").free_object(),
        sizes=at.member("sizes").texts() if shared else None,
    )


def _read_step(at: Reader, instances: int) -> Step:
    chosen, passed = at.members().get("choice"), at.members().get("sizes")
    at.keys(
        "name", "op", "kernel", "numeric_form", "instance", "reads", "constants", "writes",
        "weights", "macs", "rows", "scratch", *([] if chosen is None else ["choice"]),
        *([] if passed is None else ["sizes"]),
    )  # fmt: skip
    choice = None if chosen is None else _numbers(chosen)
    return Step(
        name=at.member("name").text(),
        op=_read_operator(at.member("op")),
        kernel=at.member("kernel").text(),
        numeric_form=at.member("numeric_form").text(),
        instance=at.member("instance").index(instances),
        reads={key: item.text() for key, item in at.member("reads").members().items()},
        constants={
            key: _read_constant(item) for key, item in at.member("constants").members().items()
        },
        writes=at.member("writes").text(),
        weights=_read_weights(at.member("weights")),
        macs=at.member("macs").integer(most=MOST_COUNT),
        rows=at.member("rows").integer(),
        scratch=at.member("scratch").text() if at.member("scratch").value is not None else None,
        choice=choice,
        sizes={} if passed is None else _numbers(passed),
    )


def _numbers(at: Reader) -> dict[str, int]:
    return {key: item.signed() for key, item in at.members().items()}


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
    return at.signed() if isinstance(default, int) else at.text()
