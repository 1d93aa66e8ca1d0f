"""Plans with states made wrong in one place: overwritten early, read late, moved elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netgen.errors import PlanError
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_contents import check_contents
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import PackedWeights, Plan, PlannedState, Slots
from tests.plan.check.spoiled import Corruption, at, buffer, rectangle, state, value
from tests.plan.stateful_graphs import BODIES, stateful


def plan_of(name: str) -> Plan:
    plan = build_plan(run_pipeline(stateful(name)), find_target("generic"), PlanOptions())
    check_plan(plan)
    return plan


def moved(plan: Plan, name: str, places: int) -> Plan:
    """A value that stands so many places further on."""
    runs = tuple(replace(run, first=run.first + places) for run in plan.values[name].runs)
    return value(plan, name, runs=runs)


def swapped(plan: Plan, index: int) -> Plan:
    """Two neighbouring steps in the other order."""
    steps = list(plan.steps)
    steps[index : index + 2] = reversed(steps[index : index + 2])
    return replace(plan, steps=tuple(steps))


def before(plan: Plan, name: str, other: str) -> Plan:
    """The step that writes `name` before the one that writes `other`, which it follows now."""
    first, last = at(plan, other), at(plan, name)
    steps = list(plan.steps)
    steps.insert(first, steps.pop(last))
    return replace(plan, steps=tuple(steps))


CORRUPTIONS: dict[str, tuple[str, Corruption, str]] = {
    "never assigned": (
        "chain",
        lambda p: state(p, 0, next="a"),
        "end of the plan, for the next run: %a is read, but its element",
    ),
    "becomes another value": (
        "bands", lambda p: state(p, 0, next="t"), "it becomes %t, of another type"
    ),
    "becomes a value elsewhere": (
        "bands", lambda p: state(p, 0, next="h1"), "it becomes %h1, which stands at other places"
    ),
    "becomes a view": ("rings", lambda p: state(p, 0, next="an.flat"), "no places of its own"),
    "becomes nothing": ("chain", lambda p: state(p, 0, next="q"), "the plan has no value %q"),
    "is nothing": ("chain", lambda p: state(p, 0, value="q"), "the plan has no value %q"),
    "is what a step writes": (
        "bands", lambda p: state(p, 0, value="s"), "a state is what the run before left"
    ),
    "is an input": ("chain", lambda p: state(p, 0, value="x"), "is what the run before left"),
    "is listed twice": (
        "chain", lambda p: replace(p, states=(*p.states, p.states[0])), "a state is listed twice"
    ),
    "is forgotten": (
        "chain",
        lambda p: replace(p, states=p.states[:1]),
        "a buffer lives between runs if and only if it holds a state",
    ),
    "stands further on": (
        "bands", lambda p: moved(p, "h", 4), "it becomes %t, which stands at other places"
    ),
    "lives too short": (
        "bands",
        lambda p: buffer(p, "a", last=len(p.segments) - 2),
        "the buffer's life is not that of its values",
    ),
    "is born late": (
        "bands", lambda p: buffer(p, "a", first=1), "the buffer's life is not that of its values"
    ),
    "is a plain buffer": (
        "bands", lambda p: buffer(p, "a", kind="arena"), "if and only if it holds a state"
    ),
    "a plain buffer is a state's": (
        "bands", lambda p: buffer(p, "h0", kind="state"), "if and only if it holds a state"
    ),
    "has an unknown kind": ("bands", lambda p: buffer(p, "h0", kind="stat"), "unknown kind"),
    "stands behind others": (
        "bands",
        lambda p: buffer(buffer(p, "a", offset=544), "h0", offset=0),
        "buffer h0: it stands among the states",
    ),
    "stands where others do": (
        "bands", lambda p: buffer(p, "h2", offset=256), "buffer h2: it stands among the states"
    ),
    "stands where another one does": (
        "bands",
        lambda p: rectangle(buffer(p, "h", offset=480), 1, offset=480),
        "they share memory while both are alive",
    ),
    "stands behind the fast region": (
        "bands",
        lambda p: replace(p, fast_bytes=256),
        "states stand behind the fast region of RAM",
    ),
    "has slots of another order": (
        "bands",
        lambda p: value(p, "a", slots=Slots(1, 1)),
        "4 rows of %a do not stand one after the other",
    ),
    "begins with too few bytes": (
        "bands",
        lambda p: state(p, 0, initial=PackedWeights(first(p).offset, 64)),
        "what the state begins with is misaligned, of the wrong length",
    ),
    "begins beyond the weights": (
        "bands",
        lambda p: state(p, 0, initial=PackedWeights(p.weights_bytes, 512)),
        "what the state begins with is misaligned, of the wrong length",
    ),
    "begins where weights stand": (
        "bands",
        lambda p: replace(
            state(p, 0, initial=PackedWeights(0, 512)), weights_bytes=first(p).offset
        ),
        "packed weights overlap",
    ),
    "a zero of several bytes": (
        "codes", lambda p: state(p, 1, initial=None), "its zero is no number of equal bytes"
    ),
}  # fmt: skip


def first(plan: Plan) -> PackedWeights:
    found = plan.states[0].initial
    assert found is not None
    return found


# Orders in which a state is overwritten early, or read late: contents alone show it.
ORDERS: dict[str, tuple[str, Corruption, str]] = {
    "chain": ("chain", lambda p: before(p, "a.next", "b.next"), "step %b.next: %a is read"),
    "late reader": ("chain", lambda p: swapped(p, 0), "step %y: %b is read, but its element"),
    "rows": ("rings", lambda p: before(p, "a.next", "e"), "step %e: %ci is read, but its element"),
    "circle": ("circle", lambda p: before(p, "a.next", "c.next"), "step %c.next: %a is read"),
}


@pytest.mark.parametrize("name", ORDERS)
def test_wrong_orders_are_refused(name: str) -> None:
    network, corrupt, message = ORDERS[name]
    plan = plan_of(network)
    check_contents(plan)
    with pytest.raises(PlanError, match=message):
        check_contents(corrupt(plan))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_wrong_plans_are_refused(name: str) -> None:
    network, corrupt, message = CORRUPTIONS[name]
    plan = plan_of(network)
    with pytest.raises(PlanError, match=message) as caught:
        check_plan(corrupt(plan))
    assert "\n" not in str(caught.value)


def test_a_block_may_move_over_itself_only_as_one() -> None:
    """Rows that are moved by one row overlap; channels of every pixel must be copied before."""
    rows, channels = plan_of("rings"), plan_of("channels")
    (step,) = [step for step in rows.steps if step.writes == "a.next"]
    assert rows.instances[step.instance].parameters["aliased"] == ["x"]
    (step,) = [step for step in channels.steps if step.writes == "a.next"]
    assert step.reads == {"x": "a.copy"}
    straight = replace(step, reads={"x": "n"})
    steps = tuple(straight if each is step else each for each in channels.steps)
    with pytest.raises(PlanError, match="elements that do not follow each other are moved one by"):
        check_contents(replace(channels, steps=steps))


@pytest.mark.parametrize("name", BODIES)
def test_every_order_that_is_accepted_is_right(name: str) -> None:
    """The checker says of two steps that trade places what the plan interpreter finds."""
    from tests.plan.execute.test_states import run_all

    graph, plan = stateful(name), plan_of(name)
    fused = run_pipeline(graph)
    for index in range(len(plan.steps) - 1):
        other = swapped(plan, index)
        try:
            check_plan(other)
        except PlanError:
            continue
        run_all(graph, fused, other, count=3)


def test_states_are_in_the_json() -> None:
    states = plan_of("codes").states
    assert states[0] == PlannedState("s", "s.next")
    assert states[1].initial is not None
