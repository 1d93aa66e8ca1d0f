"""The first half of planning: which steps there are, and in which buffers their values stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netgen.errors import GraphError, PlanError
from netgen.ir.graph import Graph, Node
from netgen.kernels import select_kernel
from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.identity import Identity
from netgen.ops.reshape import Reshape
from netgen.plan.plan import Buffer, Run, Value


@dataclass(frozen=True)
class Call:
    """A step before buffers have offsets and kernels are specialised."""

    node: Node
    layer: Layer
    kernel: Kernel
    reads: Mapping[str, str]
    constants: Mapping[str, str]


@dataclass(frozen=True)
class Schedule:
    """Calls in order; the graph's values and the buffers that hold them, without offsets."""

    graph: Graph
    calls: tuple[Call, ...]
    values: Mapping[str, Value]
    buffers: Mapping[str, Buffer]


def schedule(graph: Graph, target: Target) -> Schedule:
    """Order the calls as the graph orders its values, and give every value a buffer.

    A reshape moves nothing: its value shares the buffer of its operand. Outputs are written
    straight into the caller's memory; an output whose buffer is taken already is copied.
    """
    _check_interface(graph)
    graph = _copy_shared_outputs(graph)
    calls = [
        _call(graph, node, target) for node in graph.activations if not isinstance(node.op, Reshape)
    ]
    home = _homes(graph)
    values = {
        node.name: Value(node.name, node.type, (Run(home[node.name], 0, node.type.shape[-1]),))
        for node in (*graph.inputs, *graph.activations)
    }
    return Schedule(graph, tuple(calls), values, _buffers(graph, calls, home))


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
    for node in (*graph.inputs, *graph.activations):
        reshape = isinstance(node.op, Reshape)
        home[node.name] = home[node.operands[0]] if reshape else node.name
    return home


def _copy_shared_outputs(graph: Graph) -> Graph:
    """Give every output a buffer of its own: copy those that are inputs, constants or aliases."""
    home = _homes(graph)
    taken: set[str] = {node.name for node in graph.inputs}
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
    return Graph(
        graph.name, (*graph.nodes, *copies.values()), outputs, graph.constants, graph.origin
    )


def _call(graph: Graph, node: Node, target: Target) -> Call:
    """The kernel for a node, its operands by letter. Raises PlanError where none fits."""
    letters = dict(zip(node.op.letters(len(node.operands)), node.operands, strict=False))
    types = {letter: graph[name].type for letter, name in letters.items()}
    constant = frozenset(letter for letter, name in letters.items() if graph.is_const(name))
    layer = Layer(node.op, types, node.type, constant)
    kernel = select_kernel(layer, target)
    if unpacked := sorted(constant - set(kernel.constants)):
        raise PlanError(
            f"the operand {unpacked[0]} of {node.op.operator_name} is a constant",
            where=f"%{node.name}",
            expected="an activation",
            hint="compute this value before and declare the result as a constant",
        )
    constants = {a: name for a, name in letters.items() if a in kernel.constants}
    reads = {a: name for a, name in letters.items() if a not in kernel.constants}
    return Call(node, layer, kernel, reads, constants)


def _buffers(graph: Graph, calls: list[Call], home: Mapping[str, str]) -> dict[str, Buffer]:
    """Size, kind and life of every buffer; an output's stays the caller's to the last step."""
    outputs = {home[name] for name in graph.outputs}
    inputs = {node.name for node in graph.inputs}
    first = {home[call.node.name]: index for index, call in enumerate(calls)}
    last = {name: len(calls) - 1 if name in outputs else index for name, index in first.items()}
    for index, call in enumerate(calls):
        for value in call.reads.values():
            last[home[value]] = max(last.get(home[value], 0), index)
    buffers = {}
    for name in dict.fromkeys(home.values()):
        kind = "input" if name in inputs else "output" if name in outputs else "arena"
        size, pitch = graph[name].type.bytes, graph[name].type.shape[-1]
        begin = first.get(name, 0)
        buffers[name] = Buffer(name, kind, size, pitch, begin, last.get(name, begin), 0)
    return buffers
