"""Move activations to where they can be fused: before a channel map."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.passes.fold_channel_shuffle import fold_channel_shuffle
from netgen.passes.value_ranges import value_ranges


def move_activation(graph: Graph) -> Graph:
    """Activate the operands of a channel map instead of its result.

    %m = channel_map(%a, %b) {channels=C}         %y.a = relu(%a)
    %y = relu(%m)                                 %y.b = relu(%b)
                                           ->     %y   = channel_map(%y.a, %y.b) {channels=C}

    Only where nothing else reads %m, nor %a and %b, of which the map reads all channels: so nothing
    is computed twice, or for nothing. Operands that the activation would not change stay as they
    are, whoever reads them. Zeros must stay zeros. Codes move with the scale that they get.
    """
    while (moved := _move_first(graph)) is not None:
        # The map may be read by another one, which then gives an operand as it is.
        graph = _with_names_of_outputs(graph, fold_channel_shuffle(moved))
    return graph


def _with_names_of_outputs(before: Graph, after: Graph) -> Graph:
    """Call values that did not exist before, and are outputs now, as the outputs were called."""
    renames: dict[str, str] = {}
    for old, new in zip(before.outputs, after.outputs, strict=True):
        if new not in before:
            renames.setdefault(new, old)
    nodes = {old: replace(after[new], name=old) for new, old in renames.items()}
    return after.rewrite(nodes, renames=renames)


def _move_first(graph: Graph) -> Graph | None:
    """Move the first activation that may be moved; None if there is none."""
    ranges = value_ranges(graph)
    for node in graph.activations:
        if not isinstance(node.op, ElementwiseActivation):
            continue
        source = graph[node.operands[0]]
        if source.op.view_of != "channels" or graph.sole_user(source.name) is not node:
            continue
        changed = [x for x in source.operands if not node.op.leaves_alone(ranges[x])]
        if _movable(graph, node.op, source, changed):
            return _move(graph, node, source, changed)
    return None


def _movable(
    graph: Graph,
    activation: ElementwiseActivation,
    source: Node,
    changed: list[str],
) -> bool:
    """Whether to activate the `changed` operands costs no more than to activate the map."""
    read, channels = source.op.channel_sources(
        [graph[name].type.shape[-1] for name in source.operands]
    )
    if (read < 0).any() and not _keeps_zero(activation, source.type):
        return False
    for n, name in enumerate(source.operands):
        if name not in changed:
            continue
        whole = len(np.unique(channels[read == n])) == graph[name].type.shape[-1]
        if graph.is_const(name) or graph.sole_user(name) is not source or not whole:
            return False
    return True


def _keeps_zero(activation: ElementwiseActivation, kind: TensorType) -> bool:
    """Whether the activation of zero is zero, also as codes."""
    one = kind.with_shape((1,))
    result = activation.result_type([one])
    zero = np.full(1, kind.zero, kind.element.working)
    return bool(activation.reference([zero], Signature((one,), result))[0] == result.zero)


def _move(graph: Graph, node: Node, source: Node, changed: list[str]) -> Graph:
    nodes: dict[str, Node] = {}
    operands = {name: name for name in source.operands}
    for operand in changed:
        name = graph.fresh_name(f"{node.name}.{_within(node.name, operand)}")
        while name in nodes:
            name = graph.fresh_name(f"{name}_")
        kind = node.type.with_shape(graph[operand].type.shape)
        nodes[name] = replace(node, name=name, operands=(operand,), type=kind)
        operands[operand] = name
    moved = tuple(operands.values())
    nodes[node.name] = replace(source, name=node.name, operands=moved, type=node.type)
    return graph.rewrite(nodes)


def _within(name: str, operand: str) -> str:
    """The operand's name without the scopes that both names have in common."""
    parts = operand.split(".")
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(name.split("."), parts, strict=False))
    return ".".join(parts[min(len([*shared]), len(parts) - 1) :])
