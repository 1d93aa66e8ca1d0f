"""A plan file of any content is a right plan or a PlanError: no other error, no warning."""

from __future__ import annotations

import copy
import json
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netgen.errors import PlanError
from netgen.ir.tensor_type import TensorType
from netgen.plan.check.check_plan import check_plan
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from tests.plan.check.spoiled import rectangle, step, value
from tests.plan.json.fuzzed_plans import KINDS, document, plan_of
from tests.plan.json.mutations import Mutator, places, restate
from tests.tools import require_linux

MUTATIONS = 400  # of each plan; those of other seeds were tried by the ten thousands
# The plans need a hundredth; what a file could ask for is a thousand times as much.
MOST_ALLOCATED = 1 << 28


def judged(found: object) -> str:
    """The outcome of a document: `accepted`, or who refused it; the reason must be one line."""
    says, outcome = "", "refused when read"
    try:
        plan = plan_from_json(found)
        outcome = "refused by the checker"
        check_plan(plan)
        outcome = "accepted"
    except PlanError as error:
        says = str(error)
    assert "\n" not in says
    return outcome


@pytest.fixture
def bounded_memory() -> Iterator[None]:
    """Bound the memory that a test may ask for beyond what it has: more is a MemoryError."""
    size = Path("/proc/self/statm")
    require_linux()  # which tells in /proc how much memory a process has
    pages = int(size.read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MOST_ALLOCATED
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.heavy
@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("kind", KINDS)
def test_mutated_plans_are_right_or_refused(kind: str) -> None:
    outcomes = [judged(Mutator(document(kind), seed).mutated()) for seed in range(MUTATIONS)]
    # Otherwise the mutations would not get to where faults might be.
    assert outcomes.count("refused by the checker") > MUTATIONS // 5
    assert outcomes.count("accepted") < MUTATIONS // 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_plans_themselves_are_right(kind: str) -> None:
    assert judged(json.loads(json.dumps(document(kind)))) == "accepted"


def edited(edit: Callable[[Any], object], kind: str = "layers") -> dict[str, Any]:
    """A document with one change, whose derived keys agree with it."""
    found = copy.deepcopy(document(kind))
    edit(found)
    restate(found)
    return found


def deep(levels: int) -> object:
    value: object = 0
    for _ in range(levels):
        value = [value]
    return value


# What once was another error than a PlanError, or would have been.
ONCE: dict[str, tuple[Callable[[Any], object], str]] = {
    "a_rectangle_that_outlives_the_plan": (
        lambda d: d["rectangles"][0].update(last=len(d["segments"])),
        r"\$\.rectangles\[0\]\.last: .*from 0 to 9, found 10",
    ),
    "a_buffer_that_outlives_the_plan": (
        lambda d: d["buffers"][1].update(last=1000), r"\$\.buffers\[1\]\.last: .*from 0 to 9"
    ),
    "an_overlap_behind_the_plan": (
        lambda d: d["overlaps"][0].update(segment=10), r"\$\.overlaps\[0\]\.segment: .*0 to 9"
    ),
    "an_instance_behind_the_last": (
        lambda d: d["steps"][0].update(instance=2**40), r"\$\.steps\[0\]\.instance: .*from 0 to"
    ),
    "slots_beyond_a_long": (
        lambda d: d["values"][1]["slots"].update(step=2**63), r"\.slots\.step: .*to 2147483647"
    ),
    "slots_beyond_an_int": (
        lambda d: d["values"][1]["slots"].update(step=2**31), r"\.slots\.step: .*to 2147483647"
    ),
    "a_window_of_any_size": (
        lambda d: d["steps"][0]["constants"]["w"]["type"]["shape"].__setitem__(1, 10**30),
        r"\.shape\[1\]: .*to 2147483647",
    ),
    "more_work_than_64_bits_count": (
        lambda d: d["steps"][0].update(macs=2**63), r"\[0\]\.macs: .*to 9223372036854775807"
    ),
    "a_parameter_of_many_digits": (
        lambda d: d["instances"][0]["parameters"].update(pixels=10**400),
        r"\.parameters\.pixels: .*found 1000+\.\.\.$",
    ),
    "a_parameter_that_is_no_number": (
        lambda d: d["instances"][0]["parameters"].update(pixels=float("nan")),
        r"\.parameters\.pixels: .*a finite number, found nan",
    ),
    "parameters_in_parameters": (
        lambda d: d["instances"][0]["parameters"].update(pixels=deep(900)),
        "at most 40 levels of objects and lists",
    ),
    "a_name_that_cannot_be_printed": (
        lambda d: d.update(network="\ud800"), r"\$\.network: .*text in one line"
    ),
    "a_name_of_two_lines": (lambda d: d.update(network="a\nb"), r"\$\.network: .*text in one line"),
    "a_key_that_cannot_be_printed": (
        lambda d: d["steps"][0]["reads"].update({"\ud800": "image"}), r"keys are text in one line"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONCE)
def test_what_once_failed_is_refused(name: str) -> None:
    edit, message = ONCE[name]
    with pytest.raises(PlanError, match=message) as caught:
        check_plan(plan_from_json(edited(edit)))
    assert "\n" not in str(caught.value)


def test_the_checker_trusts_no_index() -> None:
    """Plans that were not read from a file have no bounds."""
    plan = plan_of("layers")
    with pytest.raises(PlanError, match="the rectangle's life is none of the plan"):
        check_plan(rectangle(plan, -1, last=len(plan.segments)))
    with pytest.raises(PlanError, match="there is no kernel instance 99"):
        check_plan(step(plan, 1, instance=99))


@pytest.mark.usefixtures("bounded_memory")
def test_channels_that_nobody_could_list() -> None:
    """So many numbers are possible in memory, but not one by one in Python."""
    plan = plan_of("layers")
    runs = (replace(plan.values["r"].runs[0], channels=1 << 28),)
    with pytest.raises(PlanError, match="so many channels have no places"):
        check_plan(value(plan, "r", type=TensorType("f32", (1, 1 << 28)), runs=runs))


def test_zero_points_may_be_negative() -> None:
    document = plan_to_json(plan_of("codes"))
    assert '"zero": -3' in json.dumps(document)
    assert plan_from_json(json.loads(json.dumps(document))) == plan_of("codes")


def test_a_seed_gives_one_mutation() -> None:
    first, second = (Mutator(document("moves"), 7).mutated() for _ in range(2))
    assert repr(first) == repr(second) != repr(document("moves"))


def test_every_part_of_a_document_is_a_place() -> None:
    found = [place.path for place in places({"a": [1, {"b": 2}]})]
    assert found == [("a",), ("a", 0), ("a", 1), ("a", 1, "b")]
