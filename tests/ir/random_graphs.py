"""Random small graphs over all operators, for hypothesis."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dropout import Dropout
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_swish import HardSwish
from netgen.ops.identity import Identity
from netgen.ops.leaky_relu import LeakyRelu
from netgen.ops.linear import Linear
from netgen.ops.pad import Pad
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.reshape import Reshape

NAMES = st.text("abcxyzABZ0129_.-/", min_size=1, max_size=8).filter(
    lambda name: name[0] not in ".-/"
)
ACTIVATIONS = st.sampled_from(["none", "none", "relu", "relu6", "hard_swish"])
SIDES = st.tuples(*[st.integers(0, 2)] * 4)


class Sketch:
    """A graph being drawn: its nodes so far, their names unique."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.nodes: dict[str, Node] = {}
        self.values: list[str] = []

    def name(self, hint: str) -> str:
        """Draw a free name."""
        name = self.draw(NAMES)
        while name in self.nodes:
            name += f"_{hint}"
        return name

    def constant(self, shape: tuple[int, ...]) -> str:
        name = self.name("c")
        self.nodes[name] = Node(name, Const(f"{name}.data"), (), TensorType("f32", shape))
        return name

    def apply(self, op: Operator, *operands: str) -> str:
        """Add a node and return its name."""
        name = self.name("v")
        kind = op.result_type([self.nodes[operand].type for operand in operands])
        self.nodes[name] = Node(name, op, operands, kind)
        self.values.append(name)
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        return self.nodes[name].type.shape

    def like(self, shape: tuple[int, ...]) -> list[str]:
        """Values of a shape."""
        return [name for name in self.values if self.shape(name) == shape]


def kernel(sketch: Sketch, x: str, pad: tuple[int, ...]) -> tuple[int, int]:
    """Draw a kernel that fits."""
    _, height, width, _ = sketch.shape(x)
    rows, columns = height + pad[0] + pad[1], width + pad[2] + pad[3]
    return sketch.draw(st.tuples(st.integers(1, min(3, rows)), st.integers(1, min(3, columns))))


def convolve(sketch: Sketch, x: str) -> str:
    draw, channels = sketch.draw, sketch.shape(x)[3]
    outputs = draw(st.integers(1, 4))
    pad = draw(SIDES)
    size = kernel(sketch, x, pad)
    op = Conv2d(draw(st.tuples(st.integers(1, 2), st.integers(1, 2))), pad)
    w = sketch.constant((outputs, *size, channels))
    operands = [x, w]
    if draw(st.booleans()):
        operands.append(sketch.constant((outputs,)))
        kind = op.result_type([sketch.nodes[name].type for name in operands])
        shortcuts = sketch.like(kind.shape)
        operands += draw(st.lists(st.sampled_from(shortcuts), max_size=1)) if shortcuts else []
    return sketch.apply(Conv2d(op.stride, pad, act=draw(ACTIVATIONS)), *operands)


def convolve_depthwise(sketch: Sketch, x: str) -> str:
    draw, outputs = sketch.draw, sketch.shape(x)[3] * sketch.draw(st.integers(1, 2))
    pad = draw(SIDES)
    w = sketch.constant((outputs, *kernel(sketch, x, pad), 1))
    operands = [x, w, sketch.constant((outputs,))] if draw(st.booleans()) else [x, w]
    return sketch.apply(DepthwiseConv2d(pad=pad, act=draw(ACTIVATIONS)), *operands)


def normalise(sketch: Sketch, x: str) -> str:
    parameters = [sketch.constant(sketch.shape(x)[-1:]) for _ in range(4)]
    return sketch.apply(BatchNorm(sketch.draw(st.floats(1e-7, 1e-2))), x, *parameters)


def activate(sketch: Sketch, x: str) -> str:
    known = [Relu(), Relu6(), HardSwish(), Dropout(), Identity()]
    leaky = st.builds(LeakyRelu, st.floats(-2.0, 2.0))
    op = sketch.draw(st.sampled_from(known) | leaky)
    return sketch.apply(op, x)


def add(sketch: Sketch, x: str) -> str:
    other = sketch.draw(st.sampled_from(sketch.like(sketch.shape(x))))
    operands = sketch.draw(st.permutations([x, other]))
    return sketch.apply(Add(sketch.draw(ACTIVATIONS)), *operands)


def pad(sketch: Sketch, x: str) -> str:
    return sketch.apply(Pad(sketch.draw(SIDES)), x)


STEPS: list[Callable[[Sketch, str], str]] = [
    convolve, convolve_depthwise, normalise, activate, add, pad,
]  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn, most: int = 8) -> Graph:
    """A graph of up to `most` operators over one image, some values read often, some never."""
    sketch = Sketch(draw)
    image = sketch.name("image")
    shape = (1, draw(st.integers(3, 6)), draw(st.integers(3, 6)), draw(st.integers(1, 3)))
    sketch.nodes[image] = Node(image, Input(), (), TensorType("f32", shape))
    sketch.values.append(image)
    x = image
    for _ in range(draw(st.integers(1, most))):
        if draw(st.integers(0, 3)) == 0:
            x = draw(st.sampled_from(sketch.values))
        x = draw(st.sampled_from(STEPS))(sketch, x)
    outputs = [x]
    if draw(st.booleans()):
        pooled = sketch.apply(GlobalAvgPool(), x)
        flat = sketch.apply(Reshape((1, sketch.shape(x)[3])), pooled)
        classes = draw(st.integers(1, 3))
        w = sketch.constant((classes, sketch.shape(x)[3]))
        y = sketch.apply(Linear(draw(ACTIVATIONS)), flat, w)
        outputs = [normalise(sketch, y) if draw(st.booleans()) else y]
    outputs += draw(st.lists(st.sampled_from(sketch.values), max_size=2))
    return Graph(draw(NAMES), sketch.nodes.values(), dict.fromkeys(outputs)).rewrite({})
