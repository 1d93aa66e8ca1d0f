"""Networks of layers of codes, drawn at random: all kernels with weights, in all layouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import ELEMENTS, Array, Quantisation, TensorType
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.pad import Pad
from netgen.ops.quantize import Quantize
from netgen.ops.reshape import Reshape
from netgen.ops.weighted import Weighted

LAYERS = ("pointwise", "conv2d", "groups", "depthwise", "shuffle", "branch", "pad")
_ACTS = ("none", "relu", "relu6")


@dataclass
class Drawing:
    """A network under construction; codes of x are those of a normal distribution, clipped."""

    draw: np.random.Generator
    dtype: str
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, ConstantArray] = field(default_factory=dict)

    def add(self, op: Operator, operands: tuple[str, ...], kind: TensorType | None = None) -> str:
        """Add a value, of the type that the operator infers unless it is given."""
        types = {node.name: node.type for node in self.nodes}
        found = kind or op.result_type([types[name] for name in operands])
        name = f"{op.operator_name}{len(self.nodes)}"
        self.nodes.append(Node(name, op, operands, found))
        return name

    def kind(self, name: str) -> TensorType:
        """The type of a value."""
        return next(node.type for node in self.nodes if node.name == name)

    def constant(self, array: Array, dtype: str, scales: Quantisation | None = None) -> str:
        """Add a constant, whose scales along an axis are drawn."""
        name = f"const{len(self.nodes)}"
        if scales is not None and scales.axis is not None:
            each = self._scale(len(array))
            self.constants[f"{name}.scale"] = each
            scales = Quantisation(f"{name}.scale", scales.zero, 0)
        self.constants[name] = array.astype(ELEMENTS[dtype].storage)
        self.nodes.append(Node(name, Const(name), (), TensorType(dtype, array.shape, scales)))
        return name

    def image(self, shape: tuple[int, ...]) -> str:
        """Add an input; before layers of i8 often one of u8, which they take for its number."""
        scale, zero = self._codes()
        if self.dtype == "u8" or self.draw.random() < 0.5:
            return self.add(Input(), (), TensorType(self.dtype, shape, Quantisation(scale, zero)))
        pixels = TensorType("u8", shape, Quantisation(scale, zero + 128))
        return self.add(Quantize(scale, zero), (self.add(Input(), (), pixels),))

    def weighted(self, op: Weighted, x: str, w: tuple[int, ...]) -> str:
        """Add a layer with weights of a shape, outputs first, whose sums mostly stay in range."""
        draw, element = self.draw, ELEMENTS[self.dtype]
        signed = self.dtype == "i8"
        zero = 0 if signed else int(draw.integers(256))
        along = signed and bool(draw.random() < 0.8)
        one = None if along else float(self._scale(1)[0])
        scales = Quantisation("drawn", 0, 0) if one is None else Quantisation(one, zero)
        weights = draw.integers(element.low, element.high + 1, w)
        if draw.random() < 0.3:
            weights = np.maximum(weights, element.low + 1)
        spread = 74.0 * 74.0 * np.sqrt(prod(w[1:]))
        operands = [x, self.constant(weights, self.dtype, scales)]
        operands.append(self.constant(np.rint(draw.normal(0, spread, w[0])), "i32"))
        inner = self.kind(x).quantisation
        assert inner is not None
        assert isinstance(inner.scale, float)
        wide = inner.scale * 2.0**-5 * spread / 50.0 * 2.0 ** draw.uniform(-1, 2)
        own: dict[str, Any] = {
            "scale": float(np.float32(wide)),
            "zero": int(draw.integers(element.low, element.high + 1)),
            "act": str(draw.choice(_ACTS)),
            "rounding": str(draw.choice(["fixed", "fixed32", "real", "even"])),
        }
        given = {name: getattr(op, name) for name in op.attributes()}
        return self.add(type(op)(**given | own), tuple(operands))

    def _codes(self) -> tuple[float, int]:
        element = ELEMENTS[self.dtype]
        return float(self._scale(1)[0]), int(self.draw.integers(element.low, element.high + 1))

    def _scale(self, count: int) -> ConstantArray:
        return (2.0 ** self.draw.uniform(-5.5, -4.5, count)).astype(np.float32)

    def window(self, x: str, *, most: int = 4) -> dict[str, Any]:
        """Stride, padding, dilation and size of a window that fits the image."""
        draw, (_, height, width, _) = self.draw, self.kind(x).shape
        size = [int(draw.integers(1, min(most, extent) + 1)) for extent in (height, width)]
        pad = tuple(int(draw.integers(0, size[n // 2])) for n in range(4))
        dilation = tuple(
            2 if 2 * k - 1 <= extent and draw.random() < 0.2 else 1
            for k, extent in zip(size, (height, width), strict=True)
        )
        stride = int(draw.choice([1, 1, 2])), int(draw.choice([1, 1, 2]))
        return {"size": size, "stride": stride, "pad": pad, "dilation": dilation}

    def layer(self, kind: str, x: str) -> str:
        """Add a layer of a kind behind x."""
        draw, channels = self.draw, self.kind(x).shape[3]
        outputs = int(draw.choice([1, 4, 7, 8, 16, 20, 33, 48]))
        if kind == "shuffle" and channels % 2 == 0:
            return self.add(ChannelShuffle(2), (x,))
        if kind == "branch" and channels > 1:
            first = int(draw.integers(1, channels))
            left = self.add(ChannelSlice(0, first), (x,))
            right = self.add(ChannelSlice(first, channels - first), (x,))
            return self.add(Concat(), (right, left))
        if kind == "pad":
            return self.add(Pad(tuple(draw.integers(0, 3, 4).tolist())), (x,))
        if kind == "pointwise":
            return self.weighted(Conv2d(), x, (outputs, 1, 1, channels))
        given = self.window(x)
        size = given.pop("size")
        if kind == "depthwise":
            multiplier = int(draw.choice([1, 1, 1, 2]))
            return self.weighted(DepthwiseConv2d(**given), x, (channels * multiplier, *size, 1))
        groups = 2 if kind == "groups" and channels % 2 == 0 else 1
        outputs += outputs % groups
        return self.weighted(
            Conv2d(**given, groups=groups), x, (outputs, *size, channels // groups)
        )


def random_network(seed: int, layers: int = 6) -> Graph:
    """A network of some layers, of i8 or u8, some of which end in a fully connected one."""
    draw = np.random.default_rng(seed)
    drawing = Drawing(draw, str(draw.choice(["i8", "i8", "u8"])))
    shape = (
        1,
        *(int(extent) for extent in draw.integers(4, 12, 2)),
        int(draw.choice([1, 3, 8, 18])),
    )
    x = drawing.image(shape)
    for kind in draw.choice(LAYERS, layers):
        x = drawing.layer(str(kind), x)
    kind = drawing.kind(x)
    if draw.random() < 0.5 and kind.elements < 2000:
        x = drawing.add(Reshape((1, kind.elements)), (x,))
        x = drawing.weighted(Linear(), x, (int(draw.integers(1, 40)), kind.elements))
    return Graph(f"random{seed}", drawing.nodes, [x], drawing.constants)


def drawn_codes(graph: Graph, seed: int) -> dict[str, Array]:
    """Codes for the inputs, the extremes among them."""
    draw = np.random.default_rng(seed)
    return {
        node.name: draw.integers(
            node.type.element.low, node.type.element.high + 1, node.type.shape
        ).astype(node.type.element.storage)
        for node in graph.inputs
    }
