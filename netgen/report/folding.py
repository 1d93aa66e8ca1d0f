"""Folds: the declared network compared with what the passes left to compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from netgen.ir.graph import Graph, Node

# What becomes of whatever only says which channel goes where.
_MOVED = "moves of channels, now channel maps"


@dataclass(frozen=True)
class Fold:
    """Values that are left, of which the last keeps its name, and the declared ones they compute.

    Of `parts` those that are `gone` have no operator of their own any more.
    """

    values: tuple[Node, ...]
    parts: tuple[Node, ...]
    gone: frozenset[str]


def find_folds(source: Graph, fused: Graph) -> list[Fold]:
    """Values in `fused` that compute more, or other things, than their namesakes in `source`."""
    homes = _homes(source, fused)
    parts: dict[str, list[Node]] = {}
    for node in source.activations:
        for home in homes[node.name]:
            parts.setdefault(home, []).append(node)
    folds = []
    for home, members in parts.items():
        values = (*_new_values(source, fused, fused[home]), fused[home])
        gone = _gone(members, values)
        if gone:
            folds.append(Fold(values, tuple(members), gone))
    return folds


def fates(source: Graph, fused: Graph) -> dict[str, int]:
    """The number of declared operators that are gone, by their fate; the most frequent first."""
    parts = [(part, fold) for fold in find_folds(source, fused) for part in fold.parts]
    kept = {part.name for part, fold in parts if part.name not in fold.gone}
    gone = {part.name: part for part, _ in parts if part.name not in kept}
    homeless = [source[name] for name, homes in _homes(source, fused).items() if not homes]
    counts = Counter(_fate(node) for node in (*gone.values(), *homeless))
    return dict(counts.most_common())


def _fate(node: Node) -> str:
    return _MOVED if node.op.view_of == "channels" else node.op.fate


def _homes(source: Graph, fused: Graph) -> Mapping[str, tuple[str, ...]]:
    """The values that are left of each declared value: itself, or the nearest behind it."""
    homes: dict[str, tuple[str, ...]] = {}
    for node in reversed(source.activations):
        if node.name in fused:
            homes[node.name] = (node.name,)
        else:
            users = (homes[user.name] for user in source.users(node.name))
            homes[node.name] = tuple(dict.fromkeys(home for user in users for home in user))
    return homes


def _new_values(source: Graph, fused: Graph, node: Node) -> list[Node]:
    """The values that only passes made, as far as they lead to a value."""
    found: list[Node] = []
    for operand in node.operands:
        made = fused[operand]
        if operand not in source and not fused.is_const(operand):
            found += [*_new_values(source, fused, made), made]
    return found


def _gone(parts: list[Node], values: tuple[Node, ...]) -> frozenset[str]:
    """Parts for whose operators there is none among the values; the last parts keep theirs."""
    left = Counter(node.op.operator_name for node in values)
    gone = set()
    for part in reversed(parts):
        if left[part.op.operator_name] > 0:
            left[part.op.operator_name] -= 1
        else:
            gone.add(part.name)
    return frozenset(gone)
