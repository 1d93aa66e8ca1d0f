"""The reference interpreter: executes a graph in NumPy, floats in float64, codes in int64.

It is the meaning of a graph. Passes must keep its results, and the generated C is judged by it, so
it shares nothing with kernels or templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node
from netgen.ir.inputs import input_array
from netgen.ir.operator import Const, Input, State
from netgen.ir.tensor_type import Array

# What the states of a graph are, by name.
States: TypeAlias = Mapping[str, Array]


def initial_states(graph: Graph) -> dict[str, Array]:
    """The states before the first run. Raises GraphError where the graph has no data for one.

    Zero, of codes the zero point, where they name no array.
    """
    found: dict[str, Array] = {}
    for node in graph.states:
        kind, data = node.type, node.op.data if isinstance(node.op, State) else ""
        if data and data not in graph.constants:
            raise GraphError(f"the graph has no data for @{data}", where=f"%{node.name}")
        found[node.name] = (
            graph.constants[data] if data else np.full(kind.shape, kind.zero, kind.element.storage)
        )
    return found


def next_states(graph: Graph, values: Mapping[str, Array]) -> dict[str, Array]:
    """The states after a run that gave these values, as they are stored."""
    return {
        state: graph[state].type.element.store(values[value])
        for state, value in graph.next_values.items()
    }


def interpret(
    graph: Graph, inputs: Mapping[str, npt.ArrayLike], states: States | None = None
) -> dict[str, Array]:
    """All activations of one run by name, inputs and states included, as references compute.

    `inputs` maps each input's name to an array of exactly its shape, `states` likewise; without
    them the run is the first. Raises InputError otherwise, and GraphError where the graph has no
    data for a constant.
    """
    values: dict[str, Array] = {}
    given = {**inputs, **(initial_states(graph) if states is None else states)}
    for node in graph.nodes:
        if isinstance(node.op, Const):
            continue
        if isinstance(node.op, Input | State):
            array = input_array(node.name, node.type, given)
            values[node.name] = array.astype(node.type.element.working)
            continue
        values[node.name] = _apply(graph, node, values)
    return values


def interpret_measured(
    graph: Graph,
    inputs: Mapping[str, npt.ArrayLike],
    measured: Mapping[str, Array],
    states: States | None = None,
) -> dict[str, Array]:
    """All activations by name, codes as they follow from operands as somebody else has them.

    `measured` holds values of the same run elsewhere, by name, as they are stored. A code is
    computed from measured operands, a float from measured codes and from floats that are computed.
    A value that was not measured is computed from measured operands. So a last bit of a float,
    which moves a number across the border between two codes, makes no difference to what follows.
    Raises what `interpret` raises.
    """
    values: dict[str, Array] = {}
    held: dict[str, Array] = {}
    given = {**inputs, **(initial_states(graph) if states is None else states)}
    for node in graph.nodes:
        if isinstance(node.op, Const):
            continue
        if isinstance(node.op, Input | State):
            array = input_array(node.name, node.type, given)
            values[node.name] = held[node.name] = array.astype(node.type.element.working)
            continue
        following = _apply(graph, node, held)
        found = measured.get(node.name)
        held[node.name] = following if found is None else found.astype(node.type.element.working)
        if not node.type.element.is_float:
            values[node.name] = following
            continue
        codes = {name for name in node.operands if not graph[name].type.element.is_float}
        values[node.name] = _apply(graph, node, values | {n: held[n] for n in codes if n in held})
    return values


def rounded_values(graph: Graph) -> frozenset[str]:
    """Values that depend on codes of floats that were computed: the next bit may be another code.

    Floats of inputs are the same for everyone, as they are and wherever they are moved. So are
    states, unless what they become is not.
    """
    leaves = {node.name for node in graph.nodes if not node.operands}
    computed: set[str] = set()
    states: set[str] = set()
    while True:
        same, rounded = _same_and_rounded(graph, leaves - computed, states)
        before = len(computed) + len(states)
        computed |= {state for state, value in graph.next_values.items() if value not in same}
        states |= {state for state, value in graph.next_values.items() if value in rounded}
        if len(computed) + len(states) == before:
            return frozenset(rounded - states)


def _same_and_rounded(
    graph: Graph, leaves: AbstractSet[str], states: AbstractSet[str]
) -> tuple[set[str], set[str]]:
    """Values that are the same for everyone, as the leaves are; those that are rounded, as states.

    That is, as `states` are.
    """
    same, rounded = set(leaves), set(states)
    for node in graph.activations:
        codes = not node.type.element.is_float
        if same.issuperset(node.operands) and (codes or node.op.moves_only):
            same.add(node.name)
        elif codes or not rounded.isdisjoint(node.operands):
            rounded.add(node.name)
    return same, rounded


def _apply(graph: Graph, node: Node, values: Mapping[str, Array]) -> Array:
    """The reference of a node, of operands among these values and constants."""
    operands = [
        graph.constant(name).astype(graph[name].type.element.working)
        if graph.is_const(name)
        else values[name]
        for name in node.operands
    ]
    return node.op.reference(operands, graph.signature(node))
