"""Single layers for tests of kernels, many in one network: one compilation tests them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_swish import HardSwish
from netgen.ops.linear import Linear
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.pad import Pad
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6

Floats = npt.NDArray[np.float32]
Shape = tuple[int, ...]

CONSTANTS = frozenset({"w", "b", "gamma", "beta", "mean", "var"})  # but for add, which has none
CHANNELS = (1, 3, 4, 5, 8, 12, 16, 17, 24, 29, 58, 64)
ACTIVATIONS = ("none", "relu", "relu6", "hard_swish")


@dataclass(frozen=True)
class SingleLayer:
    """An operator and the shapes of its operands."""

    op: Operator
    shapes: tuple[Shape, ...]

    @property
    def result(self) -> TensorType:
        """Type of the output; raises GraphError where the layer is impossible."""
        return self.op.infer([TensorType("f32", shape) for shape in self.shapes])

    def is_constant(self, letter: str) -> bool:
        """Whether an operand is a weight."""
        return letter in CONSTANTS and not isinstance(self.op, Add)

    def nodes(self, number: int) -> list[Node]:
        """An input or constant for each operand, and the layer itself, which is `out<number>`."""
        nodes = []
        for letter, shape in zip(self.op.operand_names, self.shapes, strict=False):
            name = f"{letter}{number}"
            op = Const(name) if self.is_constant(letter) else Input()
            nodes.append(Node(name, op, (), TensorType("f32", shape)))
        operands = tuple(node.name for node in nodes)
        return [*nodes, Node(f"out{number}", self.op, operands, self.result)]

    def constants(self, number: int, draw: np.random.Generator) -> dict[str, Floats]:
        """Weights that keep unit variance."""
        arrays = {}
        for letter, shape in zip(self.op.operand_names, self.shapes, strict=False):
            if self.is_constant(letter):
                array = draw.standard_normal(shape)
                if letter == "w":
                    array /= np.sqrt(prod(shape[1:]))
                if letter == "var":
                    array = 0.5 + np.abs(array)
                arrays[f"{letter}{number}"] = array.astype(np.float32)
        return arrays


def network_of(layers: Sequence[SingleLayer], seed: int = 1) -> Graph:
    """One graph of independent layers, each with inputs and an output of its own."""
    draw = np.random.default_rng(seed)
    nodes: list[Node] = []
    constants: dict[str, Floats] = {}
    for number, layer in enumerate(layers):
        nodes += layer.nodes(number)
        constants |= layer.constants(number, draw)
    outputs = [f"out{number}" for number in range(len(layers))]
    return Graph("layers", nodes, outputs, constants)


def normal_inputs(graph: Graph, seed: int = 2) -> dict[str, Floats]:
    """Inputs of unit variance."""
    draw = np.random.default_rng(seed)
    return {
        node.name: draw.standard_normal(node.type.shape).astype(np.float32) for node in graph.inputs
    }


def worst_errors(
    found: Mapping[str, Floats], expected: Mapping[str, npt.NDArray[np.float64]]
) -> dict[str, float]:
    """Per output the largest error, relative to the largest value; NaN counts as infinite."""
    errors = {}
    for name, array in found.items():
        error = np.abs(array - expected[name]).max() / max(np.abs(expected[name]).max(), 0.1)
        errors[name] = float(np.nan_to_num(error, nan=np.inf))
    return errors


class Drawing:
    """Random layers, the same for a seed on every machine."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)

    def below(self, end: int, first: int = 0) -> int:
        """A number from `first` up to, not including, `end`."""
        return int(self._draw.integers(first, end))

    def pick(self, choices: Sequence[int]) -> int:
        """One of some numbers."""
        return choices[self.below(len(choices))]

    def act(self) -> str:
        """An activation."""
        return ACTIVATIONS[self.below(len(ACTIVATIONS))]

    def sides(self, most: int) -> tuple[int, int, int, int]:
        """A padding, mostly asymmetric."""
        return self.below(most), self.below(most), self.below(most), self.below(most)

    def image(self) -> tuple[int, int]:
        """Rows and columns, some fewer than a kernel has."""
        return self.below(12, 1), self.below(24, 1)

    def layer(self, kind: str) -> SingleLayer:
        """A possible layer: attributes are drawn until they fit each other."""
        while True:
            with suppress(GraphError):
                layer: SingleLayer = getattr(self, f"_{kind}")()
                if layer.result.elements:
                    return layer

    def _pointwise(self) -> SingleLayer:
        inputs, outputs = self.pick(CHANNELS), self.pick(CHANNELS)
        x = (1, *self.image(), inputs)
        residual = ((*x[:3], outputs),) if self.below(2) else ()
        operands = (x, (outputs, 1, 1, inputs), (outputs,), *residual)
        return SingleLayer(Conv2d(act=self.act()), operands)

    def _linear(self) -> SingleLayer:
        inputs, outputs = self.pick(CHANNELS), self.pick(CHANNELS)
        return SingleLayer(Linear(act=self.act()), ((1, inputs), (outputs, inputs), (outputs,)))

    def _conv2d(self, groups: int = 1, dilation: tuple[int, int] = (1, 1)) -> SingleLayer:
        inputs, outputs = self.pick(CHANNELS[:9]), self.pick(CHANNELS)
        x = (1, *self.image(), inputs * groups)
        size = (self.below(8, 1), self.below(8, 1))
        stride = (self.below(4, 1), self.below(4, 1))
        op = Conv2d(stride, self.sides(9), dilation, groups, self.act())
        operands: tuple[Shape, ...] = (x, (outputs * groups, *size, inputs), (outputs * groups,))
        if self.below(2):
            operands = (*operands, SingleLayer(op, operands).result.shape)
        return SingleLayer(op, operands if self.below(4) else operands[:2])

    def _grouped(self) -> SingleLayer:
        return self._conv2d(groups=self.below(4, 2))

    def _dilated(self) -> SingleLayer:
        return self._conv2d(self.below(3, 1), (self.below(4, 1), self.below(4, 2)))

    def _depthwise(self, multiplier: int = 1, dilation: tuple[int, int] = (1, 1)) -> SingleLayer:
        channels = self.pick(CHANNELS)
        size = (self.below(8, 1), self.below(8, 1))
        stride = (self.below(4, 1), self.below(4, 1))
        op = DepthwiseConv2d(stride, self.sides(9), dilation, self.act())
        outputs = channels * multiplier
        operands = ((1, *self.image(), channels), (outputs, *size, 1), (outputs,))
        return SingleLayer(op, operands if self.below(4) else operands[:2])

    def _multiplied(self) -> SingleLayer:
        return self._depthwise(self.below(4, 2), (self.below(3, 1), self.below(3, 1)))

    def _add(self) -> SingleLayer:
        shape = (1, *self.image(), self.pick(CHANNELS))
        return SingleLayer(Add(act=self.act()), (shape, shape))

    def _activation(self) -> SingleLayer:
        op = (Relu(), Relu6(), HardSwish())[self.below(3)]
        return SingleLayer(op, ((1, *self.image(), self.pick(CHANNELS)),))

    def _batch_norm(self) -> SingleLayer:
        channels = self.pick(CHANNELS)
        return SingleLayer(BatchNorm(eps=1e-3), ((1, *self.image(), channels), *[(channels,)] * 4))

    def _pad(self) -> SingleLayer:
        return SingleLayer(Pad(self.sides(4)), ((1, *self.image(), self.pick(CHANNELS)),))

    def _global_avg_pool(self) -> SingleLayer:
        return SingleLayer(GlobalAvgPool(), ((1, *self.image(), self.pick(CHANNELS)),))

    def _max_pool(self) -> SingleLayer:
        x, kernel = (1, *self.image(), self.pick(CHANNELS)), (self.below(6, 1), self.below(6, 1))
        stride = (self.below(4, 1), self.below(4, 1))
        return SingleLayer(MaxPool2d(kernel, stride, self.sides(3)), (x,))

    def _avg_pool(self) -> SingleLayer:
        layer = self._max_pool()
        assert isinstance(layer.op, MaxPool2d)
        pad = layer.op.pad
        counted = pad if self.below(2) else (pad[0], 0, 0, pad[3])
        return SingleLayer(AvgPool2d(layer.op.kernel, layer.op.stride, pad, counted), layer.shapes)


KINDS = (
    "pointwise", "linear", "conv2d", "grouped", "dilated", "depthwise", "multiplied", "add",
    "activation", "batch_norm", "pad", "global_avg_pool", "max_pool", "avg_pool",
)  # fmt: skip


def drawn_layers(seed: int, kinds: Sequence[str], count: int) -> list[SingleLayer]:
    """Some random layers, kinds in turn."""
    drawing = Drawing(seed)
    return [drawing.layer(kinds[number % len(kinds)]) for number in range(count)]


def _dense(x: tuple[int, int, int], size: tuple[int, int], outputs: int, op: Conv2d) -> SingleLayer:
    return SingleLayer(op, ((1, *x), (outputs, *size, x[2]), (outputs,)))


def _by_channel(x: tuple[int, int, int], size: tuple[int, int], op: DepthwiseConv2d) -> SingleLayer:
    return SingleLayer(op, ((1, *x), (x[2], *size, 1), (x[2],)))


# Shapes that random ones seldom have.
CORNERS = (
    _dense((1, 1, 1), (1, 1), 1, Conv2d()),
    _dense((1, 1, 64), (1, 1), 29, Conv2d(act="relu6")),
    _dense((7, 7, 17), (1, 1), 58, Conv2d(act="hard_swish")),
    _dense((1, 97, 3), (1, 1), 24, Conv2d(act="relu")),
    _dense((5, 5, 4), (1, 1), 16, Conv2d(stride=(2, 3))),
    # A kernel wider and higher than the image: no column is interior.
    _dense((3, 2, 3), (7, 7), 17, Conv2d(pad=(3, 3, 3, 3), act="relu6")),
    # Windows that lie outside the image as a whole, on every side.
    _dense((2, 3, 5), (2, 2), 12, Conv2d(pad=(4, 5, 6, 3))),
    _by_channel((2, 3, 24), (2, 2), DepthwiseConv2d(pad=(4, 5, 6, 3), act="relu")),
    # Steps that jump over the image.
    _dense((1, 1, 3), (1, 1), 8, Conv2d(stride=(3, 3), pad=(1, 2, 1, 2))),
    _by_channel((1, 1, 8), (1, 1), DepthwiseConv2d(stride=(3, 3), pad=(1, 2, 1, 2))),
    _by_channel((3, 2, 29), (7, 7), DepthwiseConv2d(pad=(3, 3, 3, 3), act="relu6")),
    _by_channel((1, 1, 58), (3, 3), DepthwiseConv2d(pad=(1, 1, 1, 1))),
    # More taps than are unrolled.
    _by_channel((9, 10, 5), (8, 8), DepthwiseConv2d(pad=(3, 4, 3, 4))),
    _dense((9, 30, 3), (3, 3), 32, Conv2d(stride=(2, 2), pad=(0, 1, 0, 1), act="relu6")),
    SingleLayer(GlobalAvgPool(), ((1, 1, 1, 5),)),
)
