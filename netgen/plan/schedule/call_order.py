"""The order of the calls where the graph leaves a choice: what needs less memory at the worst step.

The graph orders its values by name where nothing else does, so that the same network gives the same
plan. What follows from names is no reason to compute a value long before anyone reads it: it takes
its memory from then on, and in a buffer that it shares with other values, all of their memory.
"""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph
from netgen.plan.schedule.channel_places import find_lives, pixel_places
from netgen.plan.schedule.views import Views


def order_calls(graph: Graph, views: Views) -> Views:
    """Move calls down to just before their first reader, one by one, as long as that saves memory.

    A move stays if the bytes alive are fewer at the worst step; where they are equal there, at the
    second worst, and so on.
    """
    best = _bytes_alive(graph, views)
    for call in reversed(views.calls):
        later = _moved_down(views, call.node.name)
        if later.calls != views.calls and (alive := _bytes_alive(graph, later)) < best:
            views, best = later, alive
    return views


def _moved_down(views: Views, name: str) -> Views:
    """The views with one call just before the first that reads its result, or the assignments.

    Those overwrite what others read.
    """
    if name in views.assigned:
        return views
    at = next(n for n, call in enumerate(views.calls) if call.node.name == name)
    before, call, after = views.calls[:at], views.calls[at], views.calls[at + 1 :]
    reader = next(
        (
            n
            for n, c in enumerate(after)
            if c.node.name in views.assigned
            or any(name in views.computed(v) for v in c.reads.values())
        ),
        0,
    )
    return replace(views, calls=(*before, *after[:reader], call, *after[reader:]))


def _bytes_alive(graph: Graph, views: Views) -> list[int]:
    """Bytes of the arena that are alive at each step, most first."""
    lives = find_lives(graph, views)
    lent = {node.name for node in graph.inputs}
    lent |= {value for output in graph.outputs for value in views.computed(output)}
    alive = [0] * len(views.calls)
    for group in views.together:
        if lent.isdisjoint(group):
            kind = graph[group[0]].type
            size = kind.bytes // kind.shape[-1] * pixel_places(lives, group)
            first = min(lives.birth[value] for value in group)
            last = max(int(lives.death[value].max()) for value in group)
            for step in range(first, last + 1):
                alive[step] += size
    return sorted(alive, reverse=True)
