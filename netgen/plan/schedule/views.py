"""Views: values that only show channels of values that are computed into memory of their own.

A channel map moves nothing if its operands can stand together in one buffer: its value is then a
view of their channels. A reshape is a view as well; passes have merged reshapes of reshapes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from netgen.ir.graph import Graph, Node
from netgen.ir.rows import recuts, rows_of
from netgen.kernels.compressed import PLAIN_WEIGHTS
from netgen.kernels.targets import Target
from netgen.ops.assign import Assign
from netgen.plan.schedule.calls import Call, find_call
from netgen.plan.schedule.joined_states import Joins, find_joins

# Where each channel of a value comes from: the value that was computed, and its channel there.
Sources = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Views:
    """Calls in order, and the sources of every value; sources are values that some call computes.

    `together` are groups of computed values that share one buffer, because a view joins them.
    `dense` are computed values that stand in logical order in a buffer of their own, `pinned`
    groups that make up an output: by output. `aliases` are reshapes that cut elements into other
    pixels or rows, with the computed values that they show: all of one buffer, in logical order.
    `assigned` are values that are written to the places of a state, with that state: it becomes
    them. `blocked` are operands of maps, by map, that had to be copied for the others, states among
    them, to be joined where they stand.
    """

    calls: tuple[Call, ...]
    sources: Mapping[str, Sources]
    together: tuple[tuple[str, ...], ...]
    dense: frozenset[str]
    pinned: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, tuple[str, ...]]
    assigned: Mapping[str, str] = field(default_factory=dict)
    blocked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def computed(self, value: str) -> tuple[str, ...]:
        """The computed values that a value shows: itself, unless it is a view."""
        found: dict[str, None] = {}
        for source in (value,) if value in self.aliases else dict(self.sources[value]):
            found |= dict.fromkeys(self.aliases.get(source, (source,)))
        return tuple(found)

    def is_recut(self, value: str) -> bool:
        """Whether a value, or what it views, is one of the aliases."""
        if not self.aliases:
            return False
        return value in self.aliases or any(name in self.aliases for name, _ in self.sources[value])


def find_views(
    graph: Graph,
    target: Target,
    *,
    copies: bool = False,
    winograd: bool = True,
    small: bool = False,
    weights: str = PLAIN_WEIGHTS,
) -> Views:
    """Decide for every channel map whether it is a view; with `copies` none is.

    `winograd` is whether kernels may take that numeric form, `small` whether none is unrolled,
    `weights` in which element type weights of floats are stored.
    """

    def found(node: Node) -> Call:
        return find_call(graph, node, target, winograd=winograd, small=small, weights=weights)

    return _Finder(graph, found, copies=copies).views()


class _Finder:
    """Walks the graph in order, once for what must be dense and once for the views."""

    def __init__(self, graph: Graph, find: Callable[[Node], Call], *, copies: bool) -> None:
        self.graph = graph
        self.copies = copies
        self.find = find
        self.calls = {
            node.name: find(node) for node in graph.activations if node.op.view_of == "nothing"
        }
        self.dense = self._dense_values()
        self.sources: dict[str, Sources] = {}
        self.group: dict[str, list[str]] = {}
        self.pinned: dict[str, list[str]] = {}
        self.aliases: dict[str, tuple[str, ...]] = {}
        self.joins = Joins() if copies else find_joins(graph, self.dense)

    def _dense_values(self) -> set[str]:
        """Values that kernels or callers need in logical order, without gaps."""
        graph = self.graph
        dense = {node.name for node in graph.inputs} | set(graph.outputs)
        for name, call in self.calls.items():
            if not call.kernel.any_layout:
                dense |= {name, *call.reads.values()}
        for node in reversed(graph.activations):
            if node.op.view_of == "elements" and (node.name in dense or self._recuts(node)):
                dense.add(node.operands[0])
        return dense

    def views(self) -> Views:
        graph = self.graph
        for node in (*graph.inputs, *graph.states):
            self._compute(node)
        for node in graph.activations:
            if node.op.view_of == "elements":
                self._reshape(node)
            elif node.op.view_of == "channels":
                self._map(node)
            else:
                self._compute(node)
        assigned = {
            name: state
            for state, name in graph.next_values.items()
            if isinstance(graph[name].op, Assign)
        }
        for name, state in assigned.items():
            self._unite([self.group[state], self.group[name]])
        ordered = sorted(graph.activations, key=lambda node: node.name in assigned)
        calls = tuple(self.calls[node.name] for node in ordered if node.name in self.calls)
        groups = {id(group): tuple(group) for group in self.group.values()}
        return Views(
            calls,
            self.sources,
            tuple(groups.values()),
            frozenset(self.dense & set(self.group)),
            {name: tuple(group) for name, group in self.pinned.items()},
            self.aliases,
            assigned,
            self.joins.blocked,
        )

    def _compute(self, node: Node) -> None:
        self.sources[node.name] = tuple((node.name, c) for c in range(_channels(node)))
        self.group[node.name] = [node.name]

    def _reshape(self, node: Node) -> None:
        (operand,) = node.operands
        if self._recuts(node):
            names = dict(self.sources[operand])
            self.aliases[node.name] = tuple(
                dict.fromkeys(n for name in names for n in self.aliases.get(name, (name,)))
            )
            self.sources[node.name] = tuple((node.name, c) for c in range(_channels(node)))
        else:
            self.sources[node.name] = self.sources[operand]

    def _map(self, node: Node) -> None:
        """Make the map a view if its operands can stand together; else it is computed: a copy."""
        found = self._viewed(node)
        if self.copies or found is None or not self._join(node, found):
            self.calls[node.name] = self.find(node)
            self._compute(node)
        else:
            self.sources[node.name] = found

    def _viewed(self, node: Node) -> Sources | None:
        """The sources of a map, or None where channels of it are zeros, constants, or equal."""
        counts = [_channels(self.graph[name]) for name in node.operands]
        operands, channels = node.op.channel_sources(counts)
        if (operands < 0).any() or any(operand not in self.sources for operand in node.operands):
            return None
        names = [self.sources[operand] for operand in node.operands]
        found = tuple(
            names[n][c] for n, c in zip(operands.tolist(), channels.tolist(), strict=True)
        )
        return found if len(set(found)) == len(found) else None

    def _join(self, node: Node, found: Sources) -> bool:
        """Put the computed values of a view into one buffer, if they may be."""
        values = list(dict.fromkeys(name for name, _ in found))
        if any(value not in self.group for value in values):
            # A reshape's own pixels: channels of them are shown, but none are joined to them.
            return len(values) == 1 and node.name not in self.dense
        if any(self._grid(value) != self._grid(node.name) for value in values):
            return False  # pixels of the same number, but in other rows
        if node.name in self.joins.maps:
            self.pinned[node.name] = self._unite([self.group[value] for value in values])
            return True
        if any(value in self.joins.of for value in values):
            # What stands before or behind a state stays there.
            alike = len({self.joins.of.get(value) for value in values}) == 1
            return node.name not in self.dense and alike
        if node.name in self.dense:
            return self._pin(node, found, values)
        return len(values) == 1 or self._united(values)

    def _united(self, values: Sequence[str]) -> bool:
        """Put values into one buffer, unless their places are given."""
        groups = [self.group[value] for value in values]
        fixed = [g for g in self.pinned.values() if any(g is group for group in groups)]
        other = fixed and any(group is not groups[0] for group in groups)
        dense = any(value in self.dense for group in groups for value in group)
        if other or dense:
            return False
        self._unite(groups)
        return True

    def _pin(self, node: Node, found: Sources, values: Sequence[str]) -> bool:
        """An output that is a view: its operands are written straight to their places in it."""
        taken = [value for group in self.pinned.values() for value in group]
        free = not any(v in self.dense or v in taken or len(self.group[v]) > 1 for v in values)
        whole = len(set(found)) == len(found) == sum(len(self.sources[v]) for v in values)
        if node.name not in self.graph.outputs or not free or not whole:
            return False
        self.pinned[node.name] = self._unite([self.group[value] for value in values])
        return True

    def _recuts(self, reshape: Node) -> bool:
        return recuts(self.graph[reshape.operands[0]].type.shape, reshape.type.shape)

    def _grid(self, value: str) -> tuple[int, int]:
        """Rows of a value, and its pixels."""
        kind = self.graph[value].type
        return rows_of(kind.shape), kind.elements // kind.shape[-1]

    def _unite(self, groups: Sequence[list[str]]) -> list[str]:
        first, *rest = {id(group): group for group in groups}.values()
        for group in rest:
            first += group
            for value in group:
                self.group[value] = first
        return first


def _channels(node: Node) -> int:
    return node.type.shape[-1] if node.type.shape else 1
