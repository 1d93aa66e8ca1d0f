"""The network that a plan computes: its graph with weights as rounding for storage leaves them."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const
from netgen.ir.tensor_type import Array
from netgen.kernels.compressed import PLAIN_WEIGHTS, restored
from netgen.plan.data.plan import Plan
from netgen.plan.data.step_layer import stored_weights


def restored_graph(plan: Plan, graph: Graph) -> Graph:
    """The graph, which has been through the passes, with the numbers that packed weights stand for.

    A rounded constant has a name of its own, since other steps may read it as it is.
    """
    nodes: dict[str, Node] = {}
    constants: dict[str, Array] = {}
    for step in plan.steps:
        weights = stored_weights(plan, step)
        if weights == PLAIN_WEIGHTS:
            continue
        source = step.constants["w"].name
        name = f"{source}.{weights}"
        while name in graph:
            name += "_"
        nodes[name] = replace(graph[source], name=name, op=Const(data=name))
        constants[name] = restored(weights, graph.constant(source))
        operands = graph[step.name].operands
        rounded = tuple(name if operand == source else operand for operand in operands)
        nodes[step.name] = replace(graph[step.name], operands=rounded)
    return graph.rewrite(nodes, constants)
