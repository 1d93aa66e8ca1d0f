"""Tuning files: what they change in a plan, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import NetgenError, NetgenNote, PlanError, UsageError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.kernels.layer import Choice, Layer
from netgen.kernels.layout import dense_layout, layout_of
from netgen.kernels.moves.copy import CopyKernel
from netgen.kernels.targets import find_target
from netgen.ops.identity import Identity
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.data.plan import MOST_BYTES, Plan
from netgen.plan.data.tuning import Tuning, layer_key
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.json.tuning_file import read_tuning, tuning_to_json
from netgen.plan.packing import pack_weights
from netgen.plan.show import plan_table
from netgen.tune.search import case_of, distinct_cases
from tests.cases import heavy
from tests.plan.small_graphs import built

TARGET = find_target("x86-64-v4")
KEY = "pointwise_f32 pointwise_256x8x48_relu6"


def graph() -> Graph:
    return built("mobilenet_v2", alpha=0.35, input_size=32, classes=10)


def test_a_layer_s_key_names_the_places_of_channels_only_where_they_are_not_dense() -> None:
    kernel, codes = CopyKernel(), TensorType("i8", (1, 2, 3, 4), Quantisation(0.5, zero=7))
    dense, wide = dense_layout(4, border=7), layout_of(6, range(4))
    layer = Layer(Identity(), {"x": codes}, codes, layouts={"x": dense, "y": wide})
    assert layer_key(kernel, layer) == f"copy {kernel.title(layer)} y 6/1"


def planned(tuning: Tuning | None = None, ram: int | None = None, image: Image = "caller") -> Plan:
    return untuned(ram, image) if tuning is None else build(tuning, ram, image)


@cache
def untuned(ram: int | None, image: Image) -> Plan:
    return build(None, ram, image)


def build(tuning: Tuning | None, ram: int | None, image: Image) -> Plan:
    return build_plan(graph(), TARGET, PlanOptions(ram, image, accept_gap=True, tuning=tuning))


def last_choices(plan: Plan) -> dict[str, Choice]:
    """The choice that the kernel ranks last, for each layer that has alternatives."""
    cases = {key: case_of(plan, steps[0]) for key, steps in distinct_cases(plan, TARGET).items()}
    return {key: case.kernel.choices(case.layer, TARGET)[-1] for key, case in cases.items()}


@pytest.mark.parametrize(
    ("ram", "image"), [heavy(None, "caller"), heavy(None, "rows"), (20_000, "caller")]
)
def test_a_tuned_plan_differs_in_choices_alone(ram: int | None, image: Image) -> None:
    own = planned(None, ram, image)
    choices = last_choices(own)
    assert len(choices) > 15
    tuned = planned(Tuning(TARGET.name, choices), ram, image)
    check_plan(tuned)
    assert sum(step.choice is not None for step in tuned.steps) >= len(choices)
    assert (tuned.buffers, tuned.segments, tuned.rectangles, tuned.certificate) == (
        own.buffers, own.segments, own.rectangles, own.certificate
    )  # fmt: skip
    text = json.dumps(plan_to_json(tuned))
    assert plan_from_json(json.loads(text)) == tuned
    # The plan's meaning in NumPy, by the weights as they are packed.
    inputs = {"image": np.random.default_rng(0).standard_normal((1, 32, 32, 3))}
    inputs = {node.name: inputs["image"].astype(np.float32) for node in graph().inputs}
    for found, expected in zip(
        execute(tuned, graph(), inputs).values(),
        execute(own, graph(), inputs).values(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    assert np.sort(pack_weights(tuned, graph())[:100]).size == 100


def test_a_kernel_s_own_choices_and_other_models_layers_change_nothing() -> None:
    own = planned()
    cases = {key: case_of(own, steps[0]) for key, steps in distinct_cases(own, TARGET).items()}
    choices = {key: c.kernel.choices(c.layer, TARGET)[0] for key, c in cases.items()}
    assert KEY in choices
    tuned = planned(Tuning(TARGET.name, choices | {"pointwise_f32 of another model": {"rows": 99}}))
    assert tuned == own
    assert plan_to_json(tuned) == plan_to_json(own)


def test_what_was_tuned_is_shown() -> None:
    choice = last_choices(planned())[KEY]
    lines = plan_table(planned(Tuning(TARGET.name, {KEY: choice})))
    shown = " ".join(f"{name} {number}" for name, number in choice.items())
    assert [line.strip() for line in lines if "tuned" in line] == [f"tuned: {shown}"]
    assert not [line for line in plan_table(planned()) if "tuned" in line]


def test_a_choice_that_is_not_offered_is_refused() -> None:
    with pytest.raises(PlanError, match="pointwise_f32 offers no such choice") as caught:
        planned(Tuning(TARGET.name, {KEY: {"rows": 15, "vectors": 2, "block": 1, "prefetch": 0}}))
    assert KEY in str(caught.value)
    assert "tune or plan anew" in str(caught.value)


def test_python_is_told_what_a_tuning_is_good_for(tmp_path: Path) -> None:
    other = {"pointwise_f32 of another model": {"rows": 99}}
    own = {KEY: last_choices(planned())[KEY]}
    for choices, said in (
        (own | other, "mobilenet_v2 has 1 of the 2"),
        ({}, "no layer was faster"),
    ):
        with pytest.warns(NetgenNote, match=f"a/t.json: {said}") as told:
            netgen.emit(
                graph(),
                tmp_path / "m.c",
                target=TARGET.name,
                tuning=Tuning(TARGET.name, choices, "a/t.json"),
            )
        assert [warning.filename for warning in told] == [__file__]
    netgen.emit(graph(), tmp_path / "m.c", target=TARGET.name, tuning=Tuning(TARGET.name, own))
    with pytest.raises(UsageError, match="none of the 1 tuned layers"):
        netgen.emit(
            graph(), tmp_path / "m.c", target=TARGET.name, tuning=Tuning(TARGET.name, other)
        )


def test_another_target_is_refused() -> None:
    with pytest.raises(UsageError, match="another target"):
        planned(Tuning("aarch64", {}))


@pytest.mark.parametrize(
    "choice", [{"rows": 15, "vectors": 2, "block": 1, "prefetch": 0}, {"rows": 1}, {"unroll": 4}]
)
def test_the_checker_refuses_choices_of_its_own_accord(choice: Choice) -> None:
    plan = planned(Tuning(TARGET.name, {KEY: last_choices(planned())[KEY]}))
    index = next(n for n, step in enumerate(plan.steps) if step.choice is not None)
    steps = [*plan.steps]
    steps[index] = replace(steps[index], choice=choice)
    with pytest.raises(PlanError):
        check_plan(replace(plan, steps=tuple(steps)))
    # Nor may a step forget what its instance was made with.
    steps[index] = replace(steps[index], choice=None)
    with pytest.raises(PlanError, match="wrong"):
        check_plan(replace(plan, steps=tuple(steps)))


def document(**changes: object) -> dict[str, object]:
    tuning = Tuning(TARGET.name, {KEY: {"rows": 4, "vectors": 3, "block": 64, "prefetch": 0}})
    return {**tuning_to_json(tuning, "0", "gcc"), **changes}


def test_files_are_read_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(document()))
    found = read_tuning(file)
    assert (found.target, found.name, found.path) == (TARGET.name, "one.json", str(file))
    assert tuning_to_json(found, "0", "gcc") == document()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", r"\$: this tuning file is malformed"),
        (json.dumps({**document(), "more": 1}), r"\$: this tuning file is malformed"),
        (json.dumps(document(version=2)), r"\$.version"),
        (json.dumps(document(target=3)), r"\$.target"),
        (json.dumps(document(target="z80")), "unknown target"),
        (json.dumps(document(layers=[])), r"\$.layers"),
        (json.dumps(document(layers={"a b": 3})), r"\$.layers.a b"),
        (json.dumps(document(layers={"a b": {}})), r"\$.layers.a b"),
        (json.dumps(document(layers={"a b": {"rows": 1.5}})), r"\$.layers.a b"),
        (json.dumps(document(layers={"a b": {"rows": True}})), r"\$.layers.a b"),
        (json.dumps(document(layers={"a b": {"rows": -1}})), r"\$.layers.a b"),
        (json.dumps(document(layers={"a b": {"rows": MOST_BYTES + 1}})), r"\$.layers.a b"),
    ],
)
def test_other_files_are_refused(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(NetgenError, match=says):
        read_tuning(file)
    with pytest.raises(PlanError, match="cannot be read"):
        read_tuning(tmp_path / "none.json")
