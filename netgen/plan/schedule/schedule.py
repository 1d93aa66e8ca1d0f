"""The first half of planning: which steps there are, and in which buffers their values stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node
from netgen.ir.rows import Reach, rows_of
from netgen.kernels.compressed import PLAIN_WEIGHTS
from netgen.kernels.layout import ChannelRun, Layout, Places
from netgen.kernels.targets import Target
from netgen.ops.identity import Identity
from netgen.plan.data.options import Image
from netgen.plan.data.plan import Buffer, BufferRun, Value, View
from netgen.plan.data.tuning import Tuning
from netgen.plan.schedule.assignments import (
    assign_states,
    copy_operands,
    drop_assignments,
    place_assignments,
    wrong_moves,
)
from netgen.plan.schedule.call_order import order_calls
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.channel_places import Home, find_lives, lay_out
from netgen.plan.schedule.views import Views, find_views


@dataclass(frozen=True)
class Schedule:
    """Calls in order; the graph's values and the buffers that hold them, without offsets.

    It is for a `target` and some `threads`, each of which has scratch of its own where they share a
    call. `tuning` holds choices for the layers that calls become once the schedule is cut.
    """

    graph: Graph
    target: Target
    threads: int
    calls: tuple[Call, ...]
    values: Mapping[str, Value]
    buffers: Mapping[str, Buffer]
    views: Views
    tuning: Tuning | None = None

    def sources(self, value: str) -> tuple[str, ...]:
        """The computed values whose channels a value shows: itself, unless it is a view."""
        return self.views.computed(value)

    def reach(self, call: Call, letter: str) -> Reach | None:
        """The rows of an operand that a row of a call's result needs; None if it needs all."""
        if self.views.is_recut(call.reads[letter]):
            return None
        return call.node.op.row_reach(letter, call.layer.operands, call.layer.result)

    def home(self, value: str) -> Buffer:
        """The buffer in which a value stands."""
        return self.buffers[self.values[value].runs[0].buffer]

    def places(self, value: str) -> Places:
        """The places of a value's channels in the pixels of its buffer."""
        runs = self.values[value].runs
        held = [ChannelRun(run.first, run.channels, run.at, run.step) for run in runs]
        return Layout(self.home(value).pitch, tuple(held)).places()


def schedule(
    graph: Graph,
    target: Target,
    *,
    image: Image = "caller",
    copies: bool = False,
    winograd: bool = True,
    small: bool = False,
    threads: int = 1,
    weights: str = PLAIN_WEIGHTS,
) -> Schedule:
    """Order the calls, and give every value its home.

    Channel maps and reshapes move nothing: their values are views of what stands in some buffer,
    unless `copies` asks for channel maps that are executed. Outputs are written straight into the
    caller's memory; an output whose buffer is taken already is copied.
    """
    _check_interface(graph)
    ways = _Ways(target, image, copies, winograd, small, weights)
    graph, views, homes = _settle(_copy_shared_outputs(graph), ways)
    calls = [_with_layouts(call, homes) for call in views.calls]
    kept = (*graph.inputs, *graph.states)
    computed = {node.name for node in kept} | {call.node.name for call in calls}
    values = {
        node.name: Value(
            node.name,
            node.type,
            _runs(homes[node.name]),
            None if node.name in computed else View(node.op, node.operands),
        )
        for node in (*kept, *graph.activations)
    }
    buffers = _buffers(graph, views, homes, image)
    return Schedule(graph, target, threads, tuple(calls), values, buffers, views)


@dataclass(frozen=True)
class _Ways:
    """The options of a schedule; see `schedule`."""

    target: Target
    image: Image
    copies: bool
    winograd: bool
    small: bool
    weights: str

    def views(self, graph: Graph) -> Views:
        """The views of a graph, with its calls in their order but for assignments."""
        found = find_views(
            graph,
            self.target,
            copies=self.copies,
            winograd=self.winograd,
            small=self.small,
            weights=self.weights,
        )
        return order_calls(graph, found)


def _settle(graph: Graph, ways: _Ways) -> tuple[Graph, Views, dict[str, Home]]:
    """The graph with all that must be copied, its views, and the home of every value."""
    if not graph.states:
        views = ways.views(graph)
        return graph, views, lay_out(graph, views)
    copied: set[str] = set()
    while True:
        assigned = assign_states(graph, copied)
        views = ways.views(assigned)
        if views.blocked:
            graph = copy_operands(graph, views.blocked)
            continue
        late = ways.image == "rows"
        views = place_assignments(views, late=late)
        if not late:
            assigned, views = drop_assignments(assigned, views)
        homes = lay_out(assigned, views)
        wrong = wrong_moves(assigned, homes, views.assigned)
        if not wrong:
            return assigned, views, homes
        copied |= wrong


def _runs(home: Home) -> tuple[BufferRun, ...]:
    return tuple(
        BufferRun(home.buffer, run.first, run.channels, run.at, run.step)
        for run in home.layout.runs
    )


def _check_interface(graph: Graph) -> None:
    """Raise GraphError unless the caller hands in, and gets back, one image at a time."""
    for node in (*graph.inputs, *(graph[name] for name in graph.outputs)):
        if len(node.type.shape) < 2 or node.type.shape[0] != 1:
            raise GraphError(
                "inputs and outputs need a batch dimension of 1, then at least one more",
                where=f"{node.source}: %{node.name}" if node.source else f"%{node.name}",
                found=str(node.type),
                hint="reshape it to [1, ...]",
            )


def _homes(graph: Graph) -> dict[str, str]:
    """The buffer of every value, named after the value that first fills it."""
    home: dict[str, str] = {}
    for node in (*graph.inputs, *graph.states, *graph.activations):
        reshape = node.op.view_of == "elements"
        home[node.name] = home[node.operands[0]] if reshape else node.name
    return home


def _copy_shared_outputs(graph: Graph) -> Graph:
    """Give every output a buffer of its own: copy those that are inputs, states or aliases."""
    home = _homes(graph)
    taken: set[str] = {node.name for node in (*graph.inputs, *graph.states)}
    copies: dict[str, Node] = {}
    outputs = []
    for output in graph.outputs:
        if home[output] not in taken:
            taken.add(home[output])
            outputs.append(output)
            continue
        name = f"{output}.copy"
        while name in graph or name in copies:
            name += "_"
        copies[name] = replace(graph[output], name=name, op=Identity(), operands=(output,))
        outputs.append(name)
    if not copies:
        return graph
    nodes = (*graph.nodes, *copies.values())
    return Graph(
        graph.name, nodes, outputs, graph.constants, graph.origin, next_values=graph.next_values
    )


def _with_layouts(call: Call, homes: Mapping[str, Home]) -> Call:
    """The call, whose kernel is told where its operands and its result stand."""
    places = {letter: homes[value].layout for letter, value in call.reads.items()}
    places["y"] = homes[call.node.name].layout
    kinds = {**call.layer.operands, "y": call.layer.result}
    layouts = {
        letter: replace(layout, border=kinds[letter].zero) for letter, layout in places.items()
    }
    return replace(call, layer=replace(call.layer, layouts=layouts))


def _buffers(
    graph: Graph, views: Views, homes: Mapping[str, Home], image: Image
) -> dict[str, Buffer]:
    """Size, kind and life of every buffer; an output's stays the caller's to the last step."""
    lives = find_lives(graph, views)
    outputs = {homes[name].buffer for name in graph.outputs}
    inputs = {node.name for node in graph.inputs}
    states = {homes[node.name].buffer for node in graph.states}
    buffers: dict[str, Buffer] = {}
    for value, death in lives.death.items():
        name, pitch = homes[value].buffer, homes[value].layout.pitch
        kind = (
            "state"
            if name in states
            else "arena"
            if name in inputs and image == "arena"
            else "input"
            if name in inputs
            else "output"
            if name in outputs
            else "arena"
        )
        kept = buffers.get(name)
        first = lives.birth[value] if kept is None else min(kept.first, lives.birth[value])
        last = max(0 if kept is None else kept.last, int(death.max(initial=first)))
        shape = graph[value].type.shape
        rows = rows_of(shape)
        pixels = graph[value].type.elements // shape[-1]
        element = graph[value].type.element.bytes
        buffers[name] = Buffer(
            name,
            kind,
            element * pixels * pitch,
            element,
            pitch,
            first,
            last,
            offset=0,
            rows=rows,
            row_pixels=pixels // rows,
        )
    return buffers
