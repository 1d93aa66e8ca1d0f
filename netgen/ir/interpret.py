"""The reference interpreter: executes a graph in NumPy, floats in float64, codes in int64.

It is the meaning of a graph. Passes must keep its results, and the generated C is judged by it, so
it shares nothing with kernels or templates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netgen.errors import InputError
from netgen.ir.graph import Graph, Node
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
            values[node.name] = _input(node, inputs)
            continue
        operands = [
            graph.constant(name).astype(graph[name].type.element.working)
            if graph.is_const(name)
            else values[name]
            for name in node.operands
        ]
        values[node.name] = node.op.reference(operands, graph.signature(node))
    return values


def _input(node: Node, inputs: Mapping[str, npt.ArrayLike]) -> Array:
    """The caller's array for an input, as references compute with it."""
    if node.name not in inputs:
        raise InputError(f"no array for the input %{node.name}")
    given, element = np.asarray(inputs[node.name]), node.type.element
    if given.shape != node.type.shape:
        raise InputError(
            f"the array for the input %{node.name} has the wrong shape",
            expected=str(list(node.type.shape)),
            found=str(list(given.shape)),
        )
    if not element.is_float and given.dtype != element.storage:
        raise InputError(
            f"the array for the input %{node.name} has the wrong element type",
            expected=f"{element.storage} as {node.type}",
            found=str(given.dtype),
        )
    return given.astype(element.working)
