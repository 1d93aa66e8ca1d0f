"""The reference interpreter: executes a graph in NumPy, floats in float64, codes in int64.

It is the meaning of a graph. Passes must keep its results, and the generated C is judged by it, so
it shares nothing with kernels or templates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy.typing as npt

from netgen.ir.graph import Graph
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
        operands = [
            graph.constant(name).astype(graph[name].type.element.working)
            if graph.is_const(name)
            else values[name]
            for name in node.operands
        ]
        values[node.name] = node.op.reference(operands, graph.signature(node))
    return values
