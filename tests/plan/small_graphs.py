"""Small networks for the planner's tests: written by hand, in text, and drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from hypothesis import strategies as st

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import TensorType
from netgen.ir.text import parse_graph
from netgen.models import NETWORKS
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.hard_swish import HardSwish
from netgen.ops.pad import Pad
from netgen.ops.relu import Relu
from netgen.ops.reshape import Reshape
from netgen.passes import run_pipeline
from netgen.weights.seeded import seeded_weights, uniform

_NETWORK = """netgen 1
graph g {
  %image : f32[1,6,5,4] = input
  %w     : f32[4,1,1,4] = const {data=@w}
  %v     : f32[4,3,3,1] = const {data=@v}
  %b     : f32[4]       = const {data=@b}
  %c     : f32[4]       = const {data=@c}
BODY
}
"""

# What each is about: the statements after the inputs and constants of _NETWORK.
BODIES = {
    "branch": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %l : f32[1,6,5,4] = depthwise_conv2d(%a, %v) {pad=1}
      %r : f32[1,6,5,4] = conv2d(%a, %w)
      %y : f32[1,6,5,4] = add(%l, %r)
      return %y""",
    "branch_of_activations": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %l : f32[1,6,5,4] = relu(%a)
      %r : f32[1,6,5,4] = hard_swish(%a)
      %s : f32[1,6,5,4] = relu6(%r)
      %y : f32[1,6,5,4] = add(%l, %s) {act=relu}
      return %y""",
    "add_to_itself": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %d : f32[1,6,5,4] = add(%a, %a)
      %y : f32[1,6,5,4] = conv2d(%d, %w)
      return %y""",
    "residual_is_its_input": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %d : f32[1,6,5,4] = conv2d(%a, %w, %b, %a)
      %y : f32[1,6,5,4] = conv2d(%d, %w)
      return %y""",
    "two_outputs": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %y : f32[1,3,3,4] = depthwise_conv2d(%a, %v) {pad=1, stride=2}
      %z : f32[1,4,3,4] = depthwise_conv2d(%a, %v)
      return %y, %z""",
    "output_read_again": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %d : f32[1,6,5,4] = depthwise_conv2d(%a, %v) {pad=1}
      %y : f32[1,6,5,4] = relu(%d)
      return %y, %a""",
    "one_output_twice": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      return %a, %a, %a""",
    "output_is_input": """
      %a : f32[1,6,5,4] = relu(%image)
      return %image, %a""",
    "output_is_reshaped_input": """
      %y : f32[1,120] = reshape(%image) {shape=(1,120)}
      return %y""",
    "output_is_reshape": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %y : f32[1,120] = reshape(%a) {shape=(1,120)}
      return %y""",
    "output_and_its_reshape": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %y : f32[1,120] = reshape(%a) {shape=(1,120)}
      return %y, %a""",
    "reshape_in_between": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %r : f32[1,5,6,4] = reshape(%a) {shape=(1,5,6,4)}
      %d : f32[1,5,6,4] = depthwise_conv2d(%r, %v) {pad=1}
      %y : f32[1,5,6,4] = add(%d, %r)
      return %y""",
    "map_of_reshapes": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %r : f32[1,30,4] = reshape(%a) {shape=(1,30,4)}
      %m : f32[1,30,4] = channel_map(%r) {channels="x0[2:4]+x0[0:2]"}
      %s : f32[1,1,30,4] = reshape(%m) {shape=(1,1,30,4)}
      %d : f32[1,1,30,4] = depthwise_conv2d(%s, %v) {pad=1}
      %y : f32[1,1,30,4] = conv2d(%d, %w)
      return %y""",
    "one_step_of_few_rows": """
      %t : f32[4,5,3,1] = const {data=@t}
      %d : f32[1,1,3,4] = depthwise_conv2d(%image, %t) {stride=(6,1)}
      %f : f32[1,12] = reshape(%d) {shape=(1,12)}
      %k : f32[3,12] = const {data=@k}
      %y : f32[1,3] = linear(%f, %k)
      return %y""",
    "unfoldable_batch_norm": """
      %a : f32[1,6,5,4] = relu(%image)
      %n : f32[1,6,5,4] = batch_norm(%a, %b, %c, %b, %c) {eps=0x1.0p+1}
      %y : f32[1,6,5,4] = depthwise_conv2d(%n, %v) {pad=1}
      return %y""",
    "unfoldable_pad": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %p : f32[1,9,8,4] = pad(%a) {pad=(1,2,3,0)}
      %y : f32[1,9,8,4] = relu(%p)
      return %y""",
    "in_place_chain": """
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %d : f32[1,6,5,4] = depthwise_conv2d(%a, %v) {pad=1}
      %e : f32[1,6,5,4] = depthwise_conv2d(%d, %v, %b) {pad=1, act=hard_swish}
      %f : f32[1,2,2,4] = depthwise_conv2d(%e, %v) {pad=(0,1,1,0), stride=3}
      %y : f32[1,2,2,4] = conv2d(%f, %w)
      return %y""",
    "multiplier_and_dilation": """
      %t : f32[8,3,3,1] = const {data=@t}
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %d : f32[1,6,5,8] = depthwise_conv2d(%a, %t) {pad=1}
      %k : f32[4,3,3,8] = const {data=@k}
      %e : f32[1,4,3,4] = conv2d(%d, %k) {pad=1, dilation=2}
      %y : f32[1,1,1,4] = global_avg_pool(%e)
      return %y""",
    "unread_input_and_value": """
      %other : f32[1,2,2,1] = input
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %y : f32[1,6,5,4] = relu(%image)
      return %y""",
}


def read(body: str) -> Graph:
    """A graph of BODIES with seeded constants, as it stands: no pass has seen it."""
    graph, _ = parse_graph(_NETWORK.replace("BODY", body))
    return graph.with_constants(seeded_weights(graph))


@cache
def built(network: str, **parameters: object) -> Graph:
    """A real network with seeded weights, after all passes."""
    graph = NETWORKS[network].build(**parameters)
    return run_pipeline(graph.with_constants(seeded_weights(graph)))


def images(graph: Graph) -> Mapping[str, np.ndarray]:
    """Seeded inputs."""
    return {
        node.name: (uniform(node.name, node.type.shape) * 1.7).astype(np.float32)
        for node in graph.inputs
    }


class _Layers:
    """A graph being drawn, layer by layer."""

    def __init__(self, draw: st.DrawFn, channels: int) -> None:
        self.draw = draw
        self.channels = channels
        size = draw(st.tuples(st.integers(3, 7), st.integers(3, 7)))
        kind = TensorType("f32", (1, *size, channels))
        self.nodes = {"image": Node("image", Input(), (), kind)}
        self.values = ["image"]

    def constant(self, *shape: int) -> str:
        name = f"k{len(self.nodes)}"
        self.nodes[name] = Node(name, Const(name), (), TensorType("f32", shape))
        return name

    def apply(self, op: Operator, *operands: str) -> None:
        name = f"v{len(self.nodes)}"
        kind = op.result_type([self.nodes[operand].type for operand in operands])
        self.nodes[name] = Node(name, op, operands, kind)
        self.values.append(name)

    def depthwise(self, x: str) -> None:
        kernel, stride, pad = (3, 3), (1, 1), (1, 1, 1, 1)
        if self.draw(st.booleans()):
            two = st.tuples(st.integers(1, 3), st.integers(1, 3))
            kernel, stride = self.draw(two), self.draw(two)
            pad = self.draw(st.tuples(*[st.integers(0, 2)] * 4))
        op = DepthwiseConv2d(stride, pad, act=self.draw(st.sampled_from(["none", "relu"])))
        _, height, width, _ = self.nodes[x].type.shape
        if height >= kernel[0] and width >= kernel[1]:
            w, b = self.constant(self.channels, *kernel, 1), self.constant(self.channels)
            self.apply(op, x, w, b)

    def pointwise(self, x: str) -> None:
        self.apply(Conv2d(), x, self.constant(self.channels, 1, 1, self.channels))

    def add(self, x: str) -> None:
        fitting = [v for v in self.values if self.nodes[v].type == self.nodes[x].type]
        self.apply(Add(), *self.draw(st.permutations([x, self.draw(st.sampled_from(fitting))])))

    def activation(self, x: str) -> None:
        self.apply(self.draw(st.sampled_from([Relu(), HardSwish()])), x)

    def pad(self, x: str) -> None:
        if sum(self.nodes[x].type.shape[1:3]) < 16:
            self.apply(Pad(self.draw(st.tuples(*[st.integers(0, 2)] * 4))), x)

    def reshape(self, x: str) -> None:
        _, height, width, channels = self.nodes[x].type.shape
        self.apply(Reshape((1, width, height, channels)), x)


@st.composite
def layered(draw: st.DrawFn) -> Graph:
    """A graph with many chances to work in place: wide values, depthwise layers of all kinds."""
    layers = _Layers(draw, draw(st.sampled_from([1, 4, 12, 16, 20])))
    values = layers.values
    kinds = (
        layers.depthwise, layers.depthwise, layers.pointwise, layers.add, layers.activation,
        layers.pad, layers.reshape,
    )  # fmt: skip
    layers.pointwise("image")
    for _ in range(draw(st.integers(2, 9))):
        x = values[-1] if draw(st.integers(0, 3)) else draw(st.sampled_from(values))
        draw(st.sampled_from(kinds))(x)
    outputs = [values[-1], *draw(st.lists(st.sampled_from(values), max_size=2))]
    graph = Graph("layered", layers.nodes.values(), outputs).rewrite({})
    return graph.with_constants(seeded_weights(graph))
