"""Next values of states are moved to their places: by steps of their own, or by what computes them.

A state is overwritten once nobody reads it any more in this run, and as early as that: what it
becomes is then needed no longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import State
from netgen.kernels.layout import Places
from netgen.ops.assign import Assign
from netgen.ops.identity import Identity
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.channel_places import Home
from netgen.plan.schedule.views import Views


def assign_states(graph: Graph, copied: Collection[str]) -> Graph:
    """Compute what every state becomes by an assignment, unless it stays what it is.

    next %s = %y     ->     %s.next = assign(%y)
                            next %s = %s.next

    For the states `copied`, and where two of them take each other's places, %y is copied before.
    """
    copied = {*copied, *_in_circles(graph, copied)}
    nodes: dict[str, Node] = {}
    following: dict[str, str] = {}
    for state, value in graph.next_values.items():
        if value == state:
            continue
        node = graph[value]
        if state in copied:
            name = graph.fresh_name(f"{state}.copy")
            node = nodes[name] = Node(name, Identity(), (value,), node.type, node.source)
        name = graph.fresh_name(f"{state}.next")
        nodes[name] = Node(name, Assign(), (node.name,), node.type, node.source)
        following[state] = name
    return graph.rewrite(nodes, next_values=following)


def copy_operands(graph: Graph, blocked: Mapping[str, tuple[str, ...]]) -> Graph:
    """Let maps read copies of those operands, which can be written to where the maps want them.

    So do other maps that read both such an operand and a state that is joined to it.
    """
    nodes: dict[str, Node] = {}
    for name, operands in blocked.items():
        states = {x for x in graph[name].operands if x not in operands}
        copies = {x: graph.fresh_name(f"{x}.copy") for x in operands}
        for x, copy in copies.items():
            nodes[copy] = Node(copy, Identity(), (x,), graph[x].type, graph[x].source)
        for node in graph.activations:
            if node.op.view_of == "channels" and not states.isdisjoint(node.operands):
                read = nodes.get(node.name, node).operands
                nodes[node.name] = replace(node, operands=tuple(copies.get(x, x) for x in read))
    return graph.rewrite(nodes)


def _in_circles(graph: Graph, copied: Collection[str]) -> set[str]:
    """States of which enough must be copied that none must be overwritten before itself."""
    found: set[str] = set()
    while True:
        # In a fixed order: which circle is found first must not depend on hashes.
        seen = {
            state: sorted({other for other in _shown(graph, value) if other != state})
            for state, value in sorted(graph.next_values.items())
            if state not in {*copied, *found}
        }
        try:
            TopologicalSorter(seen).prepare()
        except CycleError as error:
            found.add(min(error.args[1]))
        else:
            return found


def _shown(graph: Graph, value: str) -> Iterator[str]:
    """The states of which a value may be a view."""
    node = graph[value]
    if isinstance(node.op, State):
        yield value
    elif node.op.view_of != "nothing":
        for operand in node.operands:
            yield from _shown(graph, operand)


def place_assignments(views: Views, *, late: bool) -> Views:
    """Move assignments up to where the last reader of their state is done; `late` leaves them last.

    Between each other they follow who reads whose state.
    """
    others = [call for call in views.calls if call.node.name not in views.assigned]
    calls = {call.node.name: call for call in views.calls if call.node.name in views.assigned}
    after = {call.node.name: n + 1 for n, call in enumerate(others)}
    place = {
        name: len(others) if late else _earliest(views, others, after, call)
        for name, call in calls.items()
    }
    states = {state: name for name, state in views.assigned.items()}
    before: dict[str, set[str]] = {name: set() for name in calls}
    for name, call in calls.items():
        for value in views.computed(call.reads["x"]):
            if value in states and states[value] != name:
                before[states[value]].add(name)
    follows = {name: sorted(before[name]) for name in sorted(calls)}
    order = [*TopologicalSorter(follows).static_order()]
    for name in order:
        place[name] = max([place[name], *(place[other] for other in before[name])])
    placed: list[Call] = []
    for n in range(len(others) + 1):
        placed += [calls[name] for name in order if place[name] == n]
        placed += others[n : n + 1]
    return replace(views, calls=tuple(placed))


def _earliest(views: Views, others: list[Call], after: Mapping[str, int], call: Call) -> int:
    """The number of calls before an assignment: those that compute what it reads, and readers."""
    state = views.assigned[call.node.name]
    made = [after.get(value, 0) for value in views.computed(call.reads["x"])]
    readers = [
        n + 1
        for n, other in enumerate(others)
        if any(state in views.computed(value) for value in other.reads.values())
    ]
    return max([0, *made, *readers])


def drop_assignments(graph: Graph, views: Views) -> tuple[Graph, Views]:
    """Write what a state becomes straight to the state's places, where nobody reads these then.

    An elementwise operator may read the state itself, element by element.
    """
    groups = {value: group for group in views.together for value in group}
    dropped: dict[str, str] = {}
    for call in views.calls:
        name = call.node.name
        if name not in views.assigned:
            continue
        value, state = call.reads["x"], views.assigned[name]
        given = {shown for output in graph.outputs for shown in views.computed(output)}
        called = any(other.node.name == value for other in views.calls)
        taken = value in {*dropped.values(), *given} or groups.get(value) != (value,)
        alone = len(groups[state]) == 2 or value not in views.dense
        if called and not taken and alone and _may_take_place(views, value, state, name):
            dropped[name] = value
    if not dropped:
        return graph, views
    together = tuple(
        tuple(dropped.get(value, value) for value in group)
        for group in views.together
        if group[0] not in dropped.values()
    )
    following = {views.assigned[name]: value for name, value in dropped.items()}
    found = replace(
        views,
        calls=tuple(call for call in views.calls if call.node.name not in dropped),
        together=together,
        pinned={
            output: tuple(dropped.get(value, value) for value in group)
            for output, group in views.pinned.items()
        },
        assigned={dropped.get(name, name): state for name, state in views.assigned.items()},
        sources={name: found for name, found in views.sources.items() if name not in dropped},
    )
    return graph.rewrite({}, next_values=following), found


def _may_take_place(views: Views, value: str, state: str, assignment: str) -> bool:
    """Whether a computed value may be written over a state: all others have read that before."""
    at = next(n for n, call in enumerate(views.calls) if call.node.name == value)
    for call in views.calls[at:]:
        letters = [a for a, read in call.reads.items() if state in views.computed(read)]
        if call.node.name == value:
            same = call.node.op.same_place
            places = [read for a, read in call.reads.items() if a in letters]
            if not set(letters) <= same or any(read != state for read in places):
                return False
            if not set(letters) <= set(call.kernel.overlap(call.layer)):
                return False
        elif letters and call.node.name != assignment:
            return False
    return True


def wrong_moves(graph: Graph, homes: Mapping[str, Home], assigned: Mapping[str, str]) -> set[str]:
    """States whose assignment would overwrite what it still has to read.

    It moves elements that follow each other as one block. Others must stand apart.
    """
    found = set()
    for name, state in assigned.items():
        if not isinstance(graph[name].op, Assign):
            continue
        (value,) = graph[name].operands
        if homes[value].buffer != homes[name].buffer:
            continue
        read, written = (_elements(graph, each, homes[each]) for each in (value, name))
        blocks = all((np.diff(places) == 1).all() for places in (read, written))
        if not blocks and np.isin(read, written).any():
            found.add(state)
    return found


def _elements(graph: Graph, value: str, home: Home) -> Places:
    """The places of all elements of a value in its buffer, in their order."""
    kind = graph[value].type
    pixels = np.arange(kind.elements // kind.shape[-1])
    return (pixels[:, None] * home.layout.pitch + home.layout.places()).ravel()
