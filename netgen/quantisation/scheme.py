"""The scheme of a network: which nodes compute on codes, and which values share their meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from netgen.errors import GraphError, UsageError
from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.linear import Linear
from netgen.ops.pad import Pad
from netgen.ops.pooling import Pooling
from netgen.ops.rescaled import Rescaled
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.softmax import Softmax
from netgen.ops.tanh import Tanh
from netgen.ops.weighted import Weighted

# Results whose codes TensorFlow Lite fixes.
_FIXED: Mapping[type[Operator], Quantisation] = {
    Softmax: Quantisation(2.0**-8, -128),
    Sigmoid: Quantisation(2.0**-8, -128),
    Tanh: Quantisation(2.0**-7, 0),
}
# Any scale does to ask an operator whether it has a form in codes.
_SOME = Quantisation(2.0**-5, 0)


@dataclass(frozen=True)
class Scheme:
    """The nodes that are `coded`; the `group` of every value; codes that are `fixed`, by group.

    A group are values whose codes have one scale and one zero point, since some operator moves
    elements between them. It has the name of its first value.
    """

    coded: frozenset[str]
    group: Mapping[str, str]
    fixed: Mapping[str, Quantisation]


def scheme_of(graph: Graph, keep_float: Iterable[str]) -> Scheme:
    """Give codes to all that has a form in them, but for layers that are kept in floats.

    Raises UsageError for a name to keep that no layer has.
    """
    kept = _kept(graph, keep_float)
    coded = {n.name for n in graph.activations if n.name not in kept and _has_form(graph, n)}
    coded = _without_idle_moves(graph, coded)
    while True:
        group = _groups(graph, coded)
        fixed = {n: q for n in coded if (q := _FIXED.get(type(graph[n].op))) is not None}
        clash = {n for n in fixed if _has_other_maker(graph, coded, group, n)}
        if not clash:
            return Scheme(frozenset(coded), group, {group[n]: q for n, q in fixed.items()})
        coded = _without_idle_moves(graph, coded - clash)


def shares_codes(op: Operator) -> bool:
    """Whether codes of the result are those of its operands."""
    return op.moves_only or isinstance(op, Pooling)


def coded_op(op: Operator, quantisation: Quantisation) -> Operator:
    """The operator for codes whose result has this meaning."""
    if isinstance(op, Rescaled):
        assert isinstance(quantisation.scale, float)
        op = replace(op, scale=quantisation.scale, zero=quantisation.zero)
    # As LiteRT rounds them.
    return replace(op, rounding="real") if isinstance(op, Linear) else op


def coded_types(graph: Graph, node: Node, meaning: Mapping[str, Quantisation]) -> list[TensorType]:
    """Types of the operands of a coded node; `meaning` is that of its operands by name."""
    shapes = [kind.shape for kind in graph.operand_types(node)]
    if not isinstance(node.op, Weighted):
        return [
            TensorType("i8", shape, meaning[name])
            for name, shape in zip(node.operands, shapes, strict=True)
        ]
    weights = Quantisation(f"{node.name}.w.scale", 0, 0)
    return [
        TensorType("i8", shapes[0], meaning[node.operands[0]]),
        TensorType("i8", shapes[1], weights),
        TensorType("i32", (shapes[1][0],)),
    ]


def _kept(graph: Graph, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    known = [node.name for node in graph.activations]
    for name in names:
        layers = {layer for layer in known if layer == name or layer.startswith(f"{name}.")}
        if not layers:
            scopes = {
                layer.rsplit(".", n)[0] for layer in known for n in range(layer.count(".") + 1)
            }
            close = get_close_matches(name, sorted(scopes), 3, 0.4)
            raise UsageError(
                f"there is no layer '{name}' to keep in floats",
                hint=f"did you mean {' or '.join(close)}?" if close else "see netgen show MODEL",
            )
        found |= layers
    return found


def _has_form(graph: Graph, node: Node) -> bool:
    """Whether an operator has a form of codes."""
    op = node.op
    if isinstance(op, Pad) and op.value != 0.0:
        return False
    if isinstance(op, Weighted):
        rest = node.operands[1:]
        if len(rest) > 2 or not all(graph.is_const(name) for name in rest):
            return False
    elif all(graph.is_const(name) for name in node.operands):
        return False
    fixed = _FIXED.get(type(op), _SOME)
    try:
        types = coded_types(graph, node, dict.fromkeys(node.operands, _SOME))
        coded_op(op, fixed).result_type(types)
    except GraphError:
        return False
    return True


def _without_idle_moves(graph: Graph, coded: set[str]) -> set[str]:
    """Leave in floats what moves elements between nodes of floats alone.

    Several moves one after the other stay in codes if the first reads what is computed in them, or
    something that computes in them reads the last.
    """
    useful = {name for name in coded if not shares_codes(graph[name].op)}
    while True:
        grown = {
            name
            for name in coded - useful
            if not useful.isdisjoint(graph[name].operands)
            or not useful.isdisjoint(user.name for user in graph.users(name))
        }
        if not grown:
            return useful
        useful |= grown


def _groups(graph: Graph, coded: set[str]) -> dict[str, str]:
    first = {node.name: node.name for node in graph.nodes}
    place = {name: at for at, name in enumerate(first)}

    def root(name: str) -> str:
        while first[name] != name:
            name = first[name]
        return name

    for node in graph.activations:
        if node.name in coded and shares_codes(node.op):
            for operand in node.operands:
                a, b = sorted((root(node.name), root(operand)), key=place.__getitem__)
                first[b] = a
    return {name: root(name) for name in first}


def _has_other_maker(graph: Graph, coded: set[str], group: Mapping[str, str], fixed: str) -> bool:
    """Whether another value than the fixed one is computed with codes of its group."""
    others = [name for name, of in group.items() if of == group[fixed] and name != fixed]
    return any(name not in coded or not shares_codes(graph[name].op) for name in others)
