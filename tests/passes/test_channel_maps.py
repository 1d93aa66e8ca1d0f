"""Channel maps on random graphs of everything that moves channels, and on whole networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.dsl.tensor import Tensor, apply, constructing, finish, image
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Input, Operator
from netgen.ir.tensor_type import TensorType
from netgen.ir.text import parse_graph, print_graph
from netgen.ir.verify import verify
from netgen.models import NETWORKS
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.channel_map import ChannelMap
from netgen.ops.channel_pad import ChannelPad, channel_pad
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.hard_swish import HardSwish
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.sigmoid import Sigmoid
from netgen.passes import run_pipeline
from netgen.passes.drop_repeated_relu import drop_repeated_relu
from netgen.passes.fold_channel_shuffle import fold_channel_shuffle
from netgen.passes.move_activation import move_activation
from netgen.weights.seeded import seeded_weights, uniform
from tests.cases import examples
from tests.ir.random_graphs import Sketch
from tests.meaning import meaning

MOVING = (ChannelPad, ChannelShuffle, ChannelSlice, Concat)
Step = Callable[[Sketch, str], str]


def shuffle(sketch: Sketch, x: str) -> str:
    channels = sketch.shape(x)[3]
    groups = [n for n in range(1, channels + 1) if channels % n == 0]
    return sketch.apply(ChannelShuffle(sketch.draw(st.sampled_from(groups))), x)


def concat(sketch: Sketch, x: str) -> str:
    others = sketch.draw(st.lists(st.sampled_from(sketch.values), max_size=2))
    parts: list[str] = []
    for part in (x, *others):
        if not parts or sum(sketch.shape(p)[3] for p in (*parts, part)) <= 24:
            parts.append(part)
    return sketch.apply(Concat(), *sketch.draw(st.permutations(parts)))


def slice_(sketch: Sketch, x: str) -> str:
    channels = sketch.shape(x)[3]
    first = sketch.draw(st.integers(0, channels - 1))
    step = sketch.draw(st.integers(1, 3))
    length = sketch.draw(st.integers(1, (channels - first - 1) // step + 1))
    return sketch.apply(ChannelSlice(first, length, step), x)


def halve(sketch: Sketch, x: str) -> str:
    """One half moved on, the other computed: a unit of ShuffleNet v2."""
    half = sketch.shape(x)[3] // 2
    if not half:
        return x
    left, right = (sketch.apply(ChannelSlice(first, half), x) for first in (0, half))
    joined = sketch.apply(Concat(), left, convolve(sketch, right, half))
    return sketch.apply(ChannelShuffle(2), joined)


def pad(sketch: Sketch, x: str) -> str:
    front, back = sketch.draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    return sketch.apply(ChannelPad(front, back), x)


def convolve(sketch: Sketch, x: str, outputs: int | None = None) -> str:
    outputs = outputs or sketch.draw(st.integers(1, 6))
    w, b = sketch.constant((outputs, 1, 1, sketch.shape(x)[3])), sketch.constant((outputs,))
    return sketch.apply(Conv2d(), x, w, b)


def filter_or_pool(sketch: Sketch, x: str) -> str:
    kernel, pad = (3, 3), (1, 1, 1, 1)
    if sketch.draw(st.booleans()):
        return sketch.apply(
            sketch.draw(st.sampled_from([MaxPool2d, AvgPool2d]))(kernel, pad=pad), x
        )
    act = sketch.draw(st.sampled_from(["none", "relu"]))
    w = sketch.constant((sketch.shape(x)[3], 3, 3, 1))
    return sketch.apply(DepthwiseConv2d(pad=pad, act=act), x, w)


def activate(sketch: Sketch, x: str) -> str:
    kinds = [Relu(), Relu(), Relu6(), HardSwish(), Sigmoid()]
    return sketch.apply(sketch.draw(st.sampled_from(kinds)), x)


def add(sketch: Sketch, x: str) -> str:
    return sketch.apply(Add(), x, sketch.draw(st.sampled_from(sketch.like(sketch.shape(x)))))


STEPS: list[Step] = [
    shuffle, concat, concat, slice_, halve, pad, convolve, filter_or_pool, activate, activate, add,
]  # fmt: skip


@st.composite
def moving_graphs(draw: st.DrawFn) -> Graph:
    """A graph in which most operators move channels; any values are outputs."""
    sketch = Sketch(draw)
    for name in ("a", "b")[: draw(st.integers(1, 2))]:
        shape = (1, 2, 3, draw(st.integers(1, 6)))
        sketch.nodes[name] = Node(name, Input(), (), TensorType("f32", shape))
        sketch.values.append(name)
    x = sketch.values[-1]
    for _ in range(draw(st.integers(1, 12))):
        if draw(st.integers(0, 3)) == 0:
            x = draw(st.sampled_from(sketch.values))
        x = draw(st.sampled_from(STEPS))(sketch, x)
    outputs = [x, *draw(st.lists(st.sampled_from(sketch.values), max_size=3))]
    return Graph("net", sketch.nodes.values(), dict.fromkeys(outputs)).rewrite({})


def inputs(graph: Graph) -> dict[str, np.ndarray]:
    return {node.name: 2.0 * uniform(node.name, node.type.shape) for node in graph.inputs}


def assert_same_values(before: Graph, after: Graph) -> None:
    """Outputs have names that were declared; whatever kept its name kept its value."""
    expected, found = (interpret(graph, inputs(before)) for graph in (before, after))
    largest = max(1.0, *(float(np.abs(value).max()) for value in expected.values()))
    for old, new in zip(before.outputs, after.outputs, strict=True):
        assert new in expected
        np.testing.assert_allclose(found[new], expected[old], rtol=0, atol=1e-6 * largest)
    for name in found.keys() & expected.keys():
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-6 * largest)


def maps_of(graph: Graph) -> list[tuple[Node, ChannelMap]]:
    return [(node, node.op) for node in graph.activations if isinstance(node.op, ChannelMap)]


def assert_folded(graph: Graph) -> None:
    """Only maps move channels, each of values that none computes, none of them for nothing."""
    assert not any(isinstance(node.op, MOVING) for node in graph.activations)
    for node, op in maps_of(graph):
        assert not any(isinstance(graph[name].op, ChannelMap) for name in node.operands)
        assert len(set(node.operands)) == len(node.operands)
        first = graph[node.operands[0]].type.shape[3]
        assert op.channels != f"x0[0:{first}]"
        assert op.named() == tuple(range(len(op.named())))


def activated(graph: Graph) -> int:
    """The number of elements that go through activations."""
    return sum(
        node.type.elements
        for node in graph.activations
        if isinstance(node.op, ElementwiseActivation)
    )


@given(moving_graphs())
@examples(150)
def test_random_graphs(graph: Graph) -> None:
    graph = verify(graph.with_constants(seeded_weights(graph)))
    folded = verify(fold_channel_shuffle(graph))
    assert_folded(folded)
    assert_same_values(graph, folded)
    assert activated(folded) <= activated(graph)
    moved = verify(move_activation(folded))
    assert_folded(moved)
    assert_same_values(folded, moved)
    assert activated(moved) <= activated(folded)
    dropped = verify(drop_repeated_relu(graph))
    assert_same_values(graph, dropped)
    for rewrite, after in (
        (fold_channel_shuffle, folded),
        (move_activation, moved),
        (drop_repeated_relu, dropped),
    ):
        assert print_graph(rewrite(after)) == print_graph(after)
    text = print_graph(moved)
    assert print_graph(parse_graph(text)[0]) == text


@given(moving_graphs())
@examples(100)
def test_the_whole_pipeline(graph: Graph) -> None:
    graph = verify(graph.with_constants(seeded_weights(graph)))
    after = run_pipeline(graph)
    assert_folded(after)
    assert_same_values(graph, after)


# Maps in the units of the paper's tables: v1 shuffles in each of its 16 units but for one group,
# and joins in three; of v2 every unit but three has a right half, and each stage an end.
NETWORKS_WITH_MAPS = [
    ("shufflenet_v1", {"groups": 1}, 3),
    *[("shufflenet_v1", {"groups": groups}, 16 + 3) for groups in (2, 3, 4, 8)],
    *[("shufflenet_v2", {"scale": scale}, 16 - 3 + 3) for scale in (0.5, 1.0, 2.0)],
    ("squeezenet", {}, 8),
    ("resnet20", {}, 2),
]


BY_DEFAULT: tuple[object, ...] = ({"groups": 3}, {"scale": 0.5})


@pytest.mark.parametrize(
    ("name", "parameters", "maps"),
    [
        # One number of groups, one scale; the others in CI.
        pytest.param(*case, marks=[pytest.mark.heavy] * (case[1] not in ({}, *BY_DEFAULT)))
        for case in NETWORKS_WITH_MAPS
    ],
)
def test_networks(name: str, parameters: dict[str, object], maps: int) -> None:
    size = 16 if name == "resnet20" else 40
    graph = NETWORKS[name].build(input_size=size, classes=3, **parameters)
    graph = graph.with_constants(seeded_weights(graph))
    after = run_pipeline(graph)
    assert_folded(after)
    assert_same_values(graph, after)
    assert len(maps_of(after)) == maps
    # Every activation is fused into a layer that computes.
    assert activated(after) == 0
    assert max(len(op.channels) for _, op in maps_of(after)) < 100


def built(body: Callable[[Tensor], Tensor]) -> Graph:
    with constructing() as construction:
        return finish(construction, "case", (body(image(2, 2, 4)),))


@pytest.mark.parametrize("op", [Relu(), Relu6(), Sigmoid(), HardSwish()])
def test_what_zeros_become(op: Operator) -> None:
    def body(x: Tensor) -> Tensor:
        return apply(op, channel_pad(x + x, 1, 1))

    graph = built(body)
    after = move_activation(fold_channel_shuffle(graph))
    moved = isinstance(after[after.outputs[0]].op, ChannelMap)
    assert moved == (meaning(op, [np.zeros(1)])[0] == 0.0)
    assert_same_values(graph, after)
