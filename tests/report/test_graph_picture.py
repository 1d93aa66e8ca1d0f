from __future__ import annotations

import netgen
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.text import parse_graph
from netgen.ops import conv2d, relu
from netgen.report.graph_picture import graph_dot, graph_svg
from tests.pictures import parse


@network
def shortcut() -> Tensor:
    x = image(4, 4, 3)
    y = relu(conv2d(x, 3, 3, pad=1))
    return x + relu(y + y)


def test_dot_has_every_edge() -> None:
    text = graph_dot(netgen.load(shortcut))
    assert '  "image" [label="input\\nimage : f32[1,4,4,3]"];' in text
    edges = [line.strip(" ;") for line in text.splitlines() if "->" in line]
    assert edges == [
        '"image" -> "conv2d"',
        '"conv2d" -> "relu"',
        '"relu" -> "add"',
        '"relu" -> "add"',
        '"add" -> "relu_2"',
        '"image" -> "add_2"',
        '"relu_2" -> "add_2"',
    ]


def test_texts_in_quotes_are_escaped_in_dot() -> None:
    graph = parse_graph(
        """netgen 1
graph net {
  %x : f32[1,2,2,4] = input
  %y : f32[1,2,2,4] = channel_map(%x) {channels="x0[2:4]+x0[0:2]"}
  return %y
}"""
    )[0]
    label = r"channel_map channels=\"x0[2:4]+x0[0:2]\"\ny : f32[1,2,2,4]"
    assert f'  "y" [label="{label}"];' in graph_dot(graph).splitlines()


def test_svg_has_every_value_and_edge_inside_its_frame() -> None:
    root = parse(graph_svg(netgen.load(shortcut)))
    svg = "{http://www.w3.org/2000/svg}"
    height = float(root.attrib["height"])
    boxes = [r for r in root.iter(f"{svg}rect") if "rx" in r.attrib]
    assert len(boxes) == 6
    assert max(float(b.attrib["y"]) + float(b.attrib["height"]) for b in boxes) <= height
    edges = [p for p in root.iter(f"{svg}path") if "marker-end" in p.attrib]
    assert len(edges) == 7
    arcs = [p for p in edges if " C" in p.attrib["d"]]
    assert len(arcs) == 1  # from the image to the last sum; all others are neighbours
