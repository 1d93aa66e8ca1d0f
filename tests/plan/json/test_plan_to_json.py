from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.plan.build import build_plan
from netgen.plan.data.options import Image
from netgen.plan.data.plan import VERSION, Plan
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from tests.cases import examples, heavy
from tests.plan.schedule.map_graphs import mapped
from tests.plan.segments.cuts import random_plan
from tests.plan.small_graphs import BODIES, built, layered, read

# What the design promises to other programs.
STABLE = {
    "arena_bytes", "lower_bound_bytes", "gap_bytes", "bytes_moved", "mac_factor", "push_rows",
    "segments", "buffers",
}  # fmt: skip


def small_document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(small_text())
    return found


@cache
def small_text() -> str:
    graph = built("mobilenet_v2", alpha=0.35, input_size=32)
    return json.dumps(plan_to_json(build_plan(graph, find_target("generic"))))


def round_trips(plan: Plan) -> None:
    text = json.dumps(plan_to_json(plan))
    assert plan_from_json(json.loads(text)) == plan
    assert json.dumps(plan_to_json(plan_from_json(json.loads(text)))) == text
    # Another program may sort the keys of objects.
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan), sort_keys=True))) == plan


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("network", ["mobilenet_v1", heavy("mobilenet_v2")])
def test_networks_round_trip(network: str, target: Target) -> None:
    round_trips(build_plan(built(network, alpha=0.5, input_size=33, classes=10), target))


@pytest.mark.parametrize("body", BODIES)
def test_small_graphs_round_trip(body: str) -> None:
    round_trips(build_plan(read(BODIES[body]), TARGETS[0]))


@given(layered())
@examples(20)
def test_random_graphs_round_trip(graph: Graph) -> None:
    round_trips(build_plan(graph, TARGETS[-1]))


@given(mapped(), st.sampled_from(["caller", "arena", "rows"]), st.integers(0, 1000))
@examples(30)
def test_plans_with_views_and_bands_round_trip(graph: Graph, image: Image, seed: int) -> None:
    plan = random_plan(graph, TARGETS[0], image, np.random.default_rng(seed), high=True)
    if plan is not None:
        round_trips(plan)


def test_golden(golden: Callable[[str, str], None]) -> None:
    document = small_document()
    lines = []
    for key, part in document.items():
        if isinstance(part, list) and part:
            items = ",\n".join("  " + json.dumps(item) for item in part)
            lines.append(f"{json.dumps(key)}: [\n{items}\n]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(part)}")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    assert json.loads(text) == document
    golden("plan/mobilenet_v2_0.35_32_generic.json", text)


def test_stable_keys() -> None:
    document = small_document()
    assert set(document) >= STABLE
    assert document["version"] == VERSION
    assert document["bytes_moved"] == 0
    assert document["mac_factor"] == 1.0
    assert document["push_rows"] is False
    assert document["gap_bytes"] == document["arena_bytes"] - document["lower_bound_bytes"] == 0
    assert document["caller_bytes"] == 4 * (32 * 32 * 3 + 1000)
    assert [segment["steps"] for segment in document["segments"]] == [
        [index] for index in range(len(document["steps"]))
    ]
    assert document["segments"][0]["band_rows"] == [16]
    assert set(document["buffers"][0]) == {
        "name", "kind", "bytes", "element_bytes", "pitch", "offset", "first", "last", "rows",
        "row_pixels", "margin", "granularity", "bias",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "moved"),
    [
        ("output_is_input", 4 * 120),
        ("unfoldable_pad", 4 * 9 * 8 * 4),
        ("output_is_reshape", 0),
        ("one_output_twice", 2 * 4 * 120),
    ],
)
def test_moved_bytes(body: str, moved: int) -> None:
    document = plan_to_json(build_plan(read(BODIES[body]), TARGETS[0]))
    assert document["bytes_moved"] == moved


FAULTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "version": (lambda d: d.update(version=99), r"\$\.version: .*expected 3, found 99; make the"),
    "no_version": (lambda d: d.pop("version"), r"\$\.version: the plan lacks this key"),
    "version_is_text": (lambda d: d.update(version="1"), r"\$\.version: .* whole number"),
    "unknown_key": (lambda d: d.update(colour=1), r"\$\.colour: the plan has an unknown key"),
    "missing_key": (lambda d: d.pop("steps"), r"\$\.steps: the plan lacks this key"),
    "text_for_number": (lambda d: d.update(alignment="4"), r"\$\.alignment: .*found '4'"),
    "truth_for_number": (lambda d: d.update(alignment=True), r"\$\.alignment: .*found True"),
    "float_for_number": (lambda d: d["buffers"][2].update(offset=0.5), r"\$\.buffers\[2\]\.offset"),
    "negative": (lambda d: d["buffers"][2].update(first=-1), r"\$\.buffers\[2\]\.first"),
    "number_for_text": (lambda d: d["steps"][3].update(writes=3), r"\$\.steps\[3\]\.writes"),
    "number_for_name": (lambda d: d["steps"][3]["reads"].update(x=3), r"\$\.steps\[3\]\.reads\.x"),
    "object_for_list": (lambda d: d.update(buffers={}), r"\$\.buffers: .*a list, found an object"),
    "list_for_object": (lambda d: d["steps"].insert(0, []), r"\$\.steps\[0\]: .*found a list"),
    "null_for_object": (lambda d: d["steps"][1].update(op=None), r"\$\.steps\[1\]\.op: .*null"),
    "key_of_a_run": (lambda d: d["values"][1]["runs"][0].pop("first"), r"values\[1\]\.runs\[0\]\."),
    "key_of_weights": (lambda d: d["steps"][0]["weights"].update(a=1), r"\[0\]\.weights\.a: .*unk"),
    "element_type": (
        lambda d: d["values"][1]["type"].update(dtype="f8"), r"values\[1\]\.type: unknown ele"
    ),
    "empty_dimension": (
        lambda d: d["values"][1]["type"].update(shape=[0]), r"values\[1\]\.type: the shape"
    ),
    "name_twice": (lambda d: d["values"].append(d["values"][0]), r"values\[\d+\]\.name: .*twice"),
    "buffer_twice": (lambda d: d["buffers"].append(d["buffers"][0]), r"buffers\[\d+\]\.name: .*tw"),
    "operator": (lambda d: d["steps"][0]["op"].update(name="conv3d"), r"unknown operator 'conv3d'"),
    "attribute": (
        lambda d: d["steps"][0]["op"]["attributes"].update(size="big"),
        r"\$\.steps\[0\]\.op: conv2d has no attribute 'size'",
    ),
    "unknown_attribute_of_any_type": (
        lambda d: d["steps"][0]["op"]["attributes"].update(size=[1]),
        r"\$\.steps\[0\]\.op: conv2d has no attribute 'size'",
    ),
    "type_of_attribute": (
        lambda d: d["steps"][0]["op"]["attributes"].update(stride=2),
        r"\$\.steps\[0\]\.op\.attributes\.stride: .*expected a list, found 2",
    ),
    "shape_without_dimensions": (
        lambda d: d["values"][1]["type"].update(shape=[]), r"\$\.values\[1\]\.type\.shape: "
    ),
    "value_of_attribute": (
        lambda d: d["steps"][0]["op"]["attributes"].update(act="gelo"),
        r"\$\.steps\[0\]\.op: unknown activation 'gelo'",
    ),
    "length_of_attribute": (
        lambda d: d["steps"][0]["op"]["attributes"].update(stride=[1]),
        r"\$\.steps\[0\]\.op: stride",
    ),
    "truth": (lambda d: d["instances"][0].update(has_weights=1), r"instances\[0\]\.has_weights"),
    "derived_bytes": (lambda d: d.update(bytes_moved=4), r"\$\.bytes_moved: this does not follow"),
    "derived_factor": (lambda d: d.update(mac_factor=1.5), r"\$\.mac_factor: this does not follow"),
    "derived_factor_type": (lambda d: d.update(mac_factor=1), r"\$\.mac_factor: this does not"),
    "derived_caller": (lambda d: d.update(caller_bytes=1), r"\$\.caller_bytes: this does not"),
    "derived_macs": (lambda d: d.update(macs=1), r"\$\.macs: this does not follow"),
    "number_for_truth": (lambda d: d.update(push_rows=1), r"\$\.push_rows"),
    "segment_lost": (lambda d: d["segments"].pop(), r"\$\.segments: .*do not hold every step"),
    "segments_swapped": (lambda d: d["segments"].reverse(), r"\$\.segments"),
    "segment_of_strange_steps": (
        lambda d: d["segments"][0].update(steps=[0, 2]), r"\$\.segments\[0\]: .*not consec"
    ),
    "segment_of_no_steps": (lambda d: d["segments"][0].update(steps=[]), r"\$\.segments\[0\]"),
    "derived_band_rows": (
        lambda d: d["segments"][0].update(band_rows=[8]), r"\$\.segments: this does not follow"
    ),
    "key_of_slots": (lambda d: d["values"][1]["slots"].pop("shift"), r"values\[1\]\.slots\.shift"),
    "negative_step": (lambda d: d["values"][1]["slots"].update(step=-1), r"\.slots\.step"),
    "view_of_no_operator": (
        lambda d: d["values"][1].update(view={"op": None, "operands": []}), r"values\[1\]\.view\.op"
    ),
    "overlap_by_letter": (lambda d: d["overlaps"][0].update(letter="x"), r"overlaps\[0\]\.letter"),
    "macs_of_a_step": (lambda d: d["steps"][0].update(macs=1), r"\$\.mac_factor: this does not"),
    "unknown_value": (lambda d: d["steps"][0]["reads"].update(x="z"), r"has no value %z"),
    "scale_of_floats": (
        lambda d: d["values"][1]["type"].update(quantisation={"scale": "0x1p-7", "zero": 0}),
        r"values\[1\]\.type: f32 has no scale",
    ),
    "scale_is_no_number": (
        lambda d: d["values"][1]["type"].update(quantisation={"scale": "z", "zero": 0}),
        r"values\[1\]\.type\.quantisation: this is no scale",
    ),
    "key_of_a_constant": (
        lambda d: d["steps"][0]["constants"]["w"].pop("type"), r"constants\.w\.type: .*lacks"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named_with_their_path(name: str) -> None:
    edit, message = FAULTS[name]
    document = small_document()
    edit(document)
    with pytest.raises(PlanError, match=message) as caught:
        plan_from_json(document)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("document", [None, [], 3, "plan", {1: 2}])
def test_what_is_no_object_is_no_plan(document: object) -> None:
    with pytest.raises(PlanError, match=r"\$: this part of the plan is malformed"):
        plan_from_json(document)


def test_parameters_hold_only_what_json_holds() -> None:
    document = small_document()
    document["instances"][0]["parameters"]["tiles"] = [(1, 2)]
    with pytest.raises(PlanError, match=r"\$\.instances\[0\]\.parameters\.tiles\[0\]: "):
        plan_from_json(document)
