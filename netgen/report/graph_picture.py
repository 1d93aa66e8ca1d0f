"""Graphs as Graphviz text and as SVG.

The SVG needs no layout engine: values stand in one column in the order of execution, neighbours are
joined by arrows, and longer edges (shortcuts, branches) run as arcs at the side.
"""

from __future__ import annotations

from html import escape

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Input, State
from netgen.ir.text import print_attributes

_ROW, _BOX, _WIDTH, _LEFT = 46, 30, 460, 12


def graph_dot(graph: Graph) -> str:
    """Graphviz text: a box for each value, constants left out."""
    lines = [f'digraph "{graph.name}" {{', "  node [shape=box, fontname=monospace];"]
    nodes = (*graph.inputs, *graph.states, *graph.activations)
    for node in nodes:
        title = _title(node).replace('"', r"\"")
        lines.append(f'  "{node.name}" [label="{title}\\n{_detail(node)}"];')
    for node in graph.activations:
        lines += [f'  "{operand}" -> "{node.name}";' for operand in _operands(graph, node)]
    for state, value in graph.next_values.items():
        lines.append(f'  "{value}" -> "{state}" [style=dashed, constraint=false];')
    return "\n".join([*lines, "}"]) + "\n"


def graph_svg(graph: Graph) -> str:
    """One self-contained SVG."""
    nodes = (*graph.inputs, *graph.states, *graph.activations)
    place = {node.name: index for index, node in enumerate(nodes)}
    shapes: list[str] = []
    reach = 0
    for node in graph.activations:
        for operand in _operands(graph, node):
            shapes.append(_edge(place[operand], place[node.name]))
            reach = max(reach, place[node.name] - place[operand])
    for node in nodes:
        shapes += _box(place[node.name], node)
    width, height = _LEFT + _WIDTH + 40 + min(12 * reach, 240), _ROW * len(nodes) + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="monospace" font-size="11">'
    )
    arrow = (
        '<defs><marker id="a" markerWidth="7" markerHeight="7" refX="6" refY="3" orient="auto">'
        '<path d="M0 0 L6 3 L0 6 z" fill="#555"/></marker></defs>'
    )
    paper = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, arrow, paper, *shapes, "</svg>"]) + "\n"


def _operands(graph: Graph, node: Node) -> list[str]:
    return [operand for operand in node.operands if not graph.is_const(operand)]


def _title(node: Node) -> str:
    attributes = print_attributes(node.op).strip(" {}")
    return f"{node.op.operator_name} {attributes}".strip()


def _detail(node: Node) -> str:
    return f"{node.name} : {node.type}"


def _box(row: int, node: Node) -> list[str]:
    y = 8 + row * _ROW
    fill = "#e8eef7" if isinstance(node.op, Input | State) else "#f4f4f4"
    return [
        f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH}" height="{_BOX}" rx="3" fill="{fill}" '
        'stroke="#888"/>',
        f'<text x="{_LEFT + 8}" y="{y + 12}" font-weight="bold">{escape(_title(node))}</text>',
        f'<text x="{_LEFT + 8}" y="{y + 25}" fill="#555">{escape(_detail(node))}</text>',
    ]


def _edge(start: int, end: int) -> str:
    line = 'fill="none" stroke="#555" marker-end="url(#a)"'
    if end == start + 1:
        x = _LEFT + _WIDTH // 2
        return f'<path d="M{x} {8 + start * _ROW + _BOX} V{8 + end * _ROW}" {line}/>'
    x, bend = _LEFT + _WIDTH, min(12 * (end - start), 240)
    top, bottom = 8 + start * _ROW + _BOX // 2, 8 + end * _ROW + _BOX // 2
    return f'<path d="M{x} {top} C{x + bend} {top} {x + bend} {bottom} {x} {bottom}" {line}/>'
