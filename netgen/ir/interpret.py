"""The reference interpreter: executes a graph in NumPy, floats in float64, codes in int64.

It is the meaning of a graph. Passes must keep its results, and the generated C is judged by it, so
it shares nothing with kernels or templates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy.typing as npt

from netgen.ir.graph import Graph, Node
from netgen.ir.inputs import input_array
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import Array


def interpret(graph: Graph, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    """All activations of one inference by name, inputs included, as references compute.

    `inputs` maps each input's name to an array of exactly its shape. Raises InputError otherwise,
    and GraphError where the graph has no data for a constant.
    """
    values: dict[str, Array] = {}
    for node in graph.nodes:
        if isinstance(node.op, Const):
            continue
        if isinstance(node.op, Input):
            given = input_array(node.name, node.type, inputs)
            values[node.name] = given.astype(node.type.element.working)
            continue
        values[node.name] = _apply(graph, node, values)
    return values


def interpret_measured(
    graph: Graph, inputs: Mapping[str, npt.ArrayLike], measured: Mapping[str, Array]
) -> dict[str, Array]:
    """All activations by name, codes as they follow from operands as somebody else has them.

    `measured` holds values of the same inference elsewhere, by name, as they are stored. A code is
    computed from measured operands, a float from measured codes and from floats that are computed.
    A value that was not measured is computed from measured operands. So a last bit of a float,
    which moves a number across the border between two codes, makes no difference to what follows.
    Raises what `interpret` raises.
    """
    values: dict[str, Array] = {}
    held: dict[str, Array] = {}
    for node in graph.nodes:
        if isinstance(node.op, Const):
            continue
        if isinstance(node.op, Input):
            given = input_array(node.name, node.type, inputs)
            values[node.name] = held[node.name] = given.astype(node.type.element.working)
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

    Floats of inputs are the same for everyone, as they are and wherever they are moved.
    """
    rounded: set[str] = set()
    same = {node.name for node in graph.nodes if not node.operands}
    for node in graph.activations:
        codes = not node.type.element.is_float
        if same.issuperset(node.operands) and (codes or node.op.moves_only):
            same.add(node.name)
        elif codes or not rounded.isdisjoint(node.operands):
            rounded.add(node.name)
    return frozenset(rounded)


def _apply(graph: Graph, node: Node, values: Mapping[str, Array]) -> Array:
    """The reference of a node, of operands among these values and constants."""
    operands = [
        graph.constant(name).astype(graph[name].type.element.working)
        if graph.is_const(name)
        else values[name]
        for name in node.operands
    ]
    return node.op.reference(operands, graph.signature(node))
