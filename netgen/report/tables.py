"""Tables for the terminal, and the same facts for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.table import Column, Table

from netgen.dsl.network import Network
from netgen.ir.graph import Graph
from netgen.ir.text import print_attributes
from netgen.plan.pareto import Point, slower
from netgen.runtime.compare import Comparison
from netgen.runtime.top import Photo


def network_facts(networks: Iterable[Network]) -> list[dict[str, object]]:
    """Name, parameters with their defaults, MACs and number of weights with those defaults."""
    facts: list[dict[str, object]] = []
    for network in networks:
        graph = network.build()
        facts.append(
            {
                "name": network.name,
                "summary": network.summary,
                "parameters": {p.name: p.default for p in network.parameters},
                "macs": graph.macs(),
                "weights": graph.parameters(),
                "weight_files": [table.title for table in network.tables],
            }
        )
    return facts


def network_table(networks: Iterable[Network]) -> Table:
    """The table that `netgen list` prints."""
    table = _table("model", "parameters (-p name=value)", "MACs", "weights", "reads weights of")
    for network, facts in zip(networks, network_facts(networks), strict=True):
        parameters = "\n".join(
            f"{p.name}={p.default}" + (f" ({'|'.join(p.choices)})" if p.choices else "")
            for p in network.parameters
        )
        files = "\n".join([*(t.title for t in network.tables), "netgen's own names"])
        row = (network.name, parameters, f"{facts['macs']:,}", f"{facts['weights']:,}", files)
        table.add_row(*row, end_section=True)
    table.caption = "MACs and weights with the default parameters"
    return table


def graph_table(graph: Graph) -> Table:
    """One line per value: operator, attributes, type, MACs, weights."""
    table = _table("value", "operator", "type")
    table.title = graph.name
    table.add_column("MACs", justify="right")
    table.add_column("weights", justify="right")
    for node in (*graph.inputs, *graph.states, *graph.activations):
        macs = node.op.macs(graph.operand_types(node), node.type) if node.operands else 0
        weights = sum(graph[n].type.elements for n in node.operands if graph.is_const(n))
        definition = node.op.operator_name + print_attributes(node.op)
        cells = (f"{macs:,}" if macs else "", f"{weights:,}" if weights else "")
        table.add_row(node.name, definition, str(node.type), *cells)
    table.add_section()
    table.add_row("", "", "", f"{graph.macs():,}", f"{graph.parameters():,}")
    return table


def pareto_table(points: Sequence[Point]) -> Table:
    """One line per plan; times are estimated, relative to the fastest plan."""
    table = Table()
    for heading in ("plan", "arena", "caller's bytes", "MACs", "estimated Mcycles", "time"):
        table.add_column(heading, justify="right")
    table.add_column("how the network is cut", overflow="fold")
    for index, (point, percent) in enumerate(zip(points, slower(points), strict=True)):
        table.add_row(
            str(index),
            f"{point.arena_bytes:,}",
            f"{point.caller_bytes:,}",
            f"x{point.mac_factor:.2f}",
            f"{point.cycles / 1e6:,.2f}",
            f"+{percent:.1f} %",
            point.cut,
        )
    table.caption = "--ram with a plan's bytes of the arena gives that plan; 0 is without --ram"
    return table


def comparison_table(comparison: Comparison) -> Table:
    """One line per layer."""
    table = _table("layer")
    table.add_column("worst error, relative to the largest value", justify="right")
    coded = comparison.codes is not None
    if coded:
        table.add_column("codes that differ", justify="right")
    for layer in comparison.layers:
        codes = "" if layer.codes is None else str(layer.codes)
        table.add_row(layer.name, f"{layer.max_relative_error:.1e}", *([codes] if coded else []))
    return table


def photo_table(photos: Sequence[Photo]) -> Table:
    """The best classes of each photo."""
    table = _table("photo", "class", "label")
    table.add_column("score", justify="right")
    for photo in photos:
        for position, hit in enumerate(photo.top):
            name = Path(photo.file).name if position == 0 else ""
            last = position == len(photo.top) - 1
            table.add_row(name, str(hit.index), hit.label, f"{hit.score:.3f}", end_section=last)
    return table


def _table(*headings: str) -> Table:
    """A table whose cells are folded, never cut, where the terminal is narrow."""
    return Table(*(Column(heading, overflow="fold") for heading in headings))
