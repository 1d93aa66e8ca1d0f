"""Random graphs of channel maps, and of operators that go channel by channel or mix channels."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.channel_map import channel_map_op
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.mul import Mul
from netgen.ops.relu import Relu
from netgen.ops.reshape import Reshape
from netgen.ops.softmax import Softmax
from netgen.weights.seeded import seeded_weights


class _Maps:
    """A graph being drawn, value by value."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        size = draw(st.sampled_from([(4, 3), (6, 4), (5, 5)]))
        image = TensorType("f32", (1, *size, draw(st.integers(1, 6))))
        self.nodes = {"image": Node("image", Input(), (), image)}
        self.images = ["image"]
        # Of a map's channels the channels of computed values that they are; -1 for zeros.
        self.shows: dict[str, list[tuple[str, int]]] = {}

    def constant(self, *shape: int) -> str:
        name = f"k{len(self.nodes)}"
        self.nodes[name] = Node(name, Const(name), (), TensorType("f32", shape))
        return name

    def apply(self, op: Operator, *operands: str) -> str:
        name = f"v{len(self.nodes)}"
        kind = op.result_type([self.nodes[operand].type for operand in operands])
        self.nodes[name] = Node(name, op, operands, kind)
        return name

    def image(self, op: Operator, *operands: str) -> None:
        self.images.append(self.apply(op, *operands))

    def shape(self, x: str) -> tuple[int, ...]:
        return self.nodes[x].type.shape

    def pointwise(self, x: str) -> None:
        outputs = self.draw(st.integers(1, 6))
        self.image(Conv2d(), x, self.constant(outputs, 1, 1, self.shape(x)[3]))

    def depthwise(self, x: str) -> None:
        stride, channels = self.draw(st.sampled_from([1, 1, 1, 2])), self.shape(x)[3]
        op = DepthwiseConv2d((stride, stride), (1, 1, 1, 1))
        self.image(op, x, self.constant(channels, 3, 3, 1), self.constant(channels))

    def pool(self, x: str) -> None:
        self.image(MaxPool2d((3, 3), (1, 1), (1, 1, 1, 1)), x)

    def activation(self, x: str) -> None:
        self.image(Relu(), x)

    def add(self, x: str) -> None:
        fitting = [v for v in self.images if self.nodes[v].type == self.nodes[x].type]
        self.image(Add(), x, self.draw(st.sampled_from(fitting)))

    def gate(self, x: str) -> None:
        """Squeeze and excite without the squeeze: an operand that is read whole."""
        self.image(Mul(), x, self.apply(HardSigmoid(), self.apply(GlobalAvgPool(), x)))

    def reshape(self, x: str) -> None:
        _, height, width, channels = self.shape(x)
        shapes = [(1, width, height, channels), (1, height, channels, width)]
        self.image(Reshape(self.draw(st.sampled_from(shapes))), x)

    def order(self, x: str, kinds: tuple[str, ...] = ("order", "slice")) -> None:
        """Channels of some values of one size: in any order, a part of them, zeros, repeated."""
        fitting = [v for v in self.images if self.shape(v)[:3] == self.shape(x)[:3]]
        operands = self.draw(st.lists(st.sampled_from(fitting), max_size=2, unique=True))
        operands = list(dict.fromkeys([x, *operands]))
        channels = [(n, c) for n, v in enumerate(operands) for c in range(self.shape(v)[3])]
        if "repeat" not in kinds:
            distinct = {self.shown(operands[n])[c]: (n, c) for n, c in reversed(channels)}
            channels = sorted(distinct.values())
        kind = self.draw(st.sampled_from(kinds))
        if kind == "slice":
            first = self.draw(st.integers(0, len(channels) - 1))
            channels = channels[first : self.draw(st.integers(first + 1, len(channels)))]
        elif self.draw(st.booleans()):
            channels = list(self.draw(st.permutations(channels)))
        if kind in {"zeros", "repeat"}:
            more = (-1, 0) if kind == "zeros" else channels[0]
            channels.insert(self.draw(st.integers(0, len(channels))), more)
        read = sorted({n for n, _ in channels if n >= 0})
        named = [(read.index(n) if n >= 0 else -1, c) for n, c in channels]
        self.image(channel_map_op(named), *(operands[n] for n in read))
        self.shows[self.images[-1]] = [
            self.shown(operands[n])[c] if n >= 0 else ("", -1) for n, c in channels
        ]

    def shown(self, x: str) -> list[tuple[str, int]]:
        return self.shows.get(x) or [(x, c) for c in range(self.shape(x)[3])]

    def map(self, x: str) -> None:
        self.order(x, ("order", "order", "order", "slice", "zeros", "repeat"))


@st.composite
def mapped(draw: st.DrawFn) -> Graph:
    """A graph with maps of maps, of inputs, outputs, reshapes; some values nobody reads."""
    maps = _Maps(draw)
    kinds = (
        maps.pointwise, maps.pointwise, maps.depthwise, maps.depthwise, maps.activation, maps.pool,
        maps.add, maps.gate, maps.reshape, maps.map, maps.map, maps.map, maps.map,
    )  # fmt: skip
    maps.pointwise("image")
    for _ in range(draw(st.integers(2, 10))):
        x = maps.images[-1] if draw(st.integers(0, 2)) else draw(st.sampled_from(maps.images))
        draw(st.sampled_from(kinds))(x)
    outputs = [maps.images[-1], *draw(st.lists(st.sampled_from(maps.images), max_size=2))]
    if draw(st.booleans()):
        last = maps.apply(Reshape((1, maps.nodes[outputs[0]].type.elements)), outputs[0])
        outputs[0] = maps.apply(Softmax(), last)
    return _graph(maps, outputs)


@st.composite
def movable(draw: st.DrawFn) -> Graph:
    """A graph none of whose maps needs to move anything: the caller's images are not in them."""
    maps = _Maps(draw)
    kinds: tuple[Callable[[str], None], ...] = (
        maps.pointwise, maps.depthwise, maps.activation, maps.pool, maps.add, maps.gate,
        maps.order, maps.order, maps.order,
    )  # fmt: skip
    maps.pointwise("image")
    maps.images = maps.images[1:]
    for _ in range(draw(st.integers(2, 12))):
        x = maps.images[-1] if draw(st.integers(0, 2)) else draw(st.sampled_from(maps.images))
        draw(st.sampled_from(kinds))(x)
    maps.pointwise(maps.images[-1])
    return _graph(maps, [maps.images[-1]])


def _graph(maps: _Maps, outputs: list[str]) -> Graph:
    graph = Graph("mapped", maps.nodes.values(), outputs).rewrite({})
    return graph.with_constants(seeded_weights(graph))
