"""Single operators on codes, drawn at random: windows, borders, scales near and far apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const
from netgen.ir.tensor_type import ELEMENTS, Array, TensorType
from tests.frontends.tflite.tflite_models import Model, Table

Draw = np.random.Generator
Build = Callable[[Draw], Model]

KINDS = ("int8", "uint8", "int16")
_DTYPES = {"int8": "i8", "uint8": "u8", "int16": "i16"}


def extents(draw: Draw, most: int = 12) -> tuple[int, int, int, int]:
    """The shape of a small image."""
    rows, columns = draw.integers(1, most + 1, 2).tolist()
    return 1, rows, columns, int(draw.integers(1, 41))


def scale_of(draw: Draw) -> float:
    """A scale, mostly near 2 ** -5, exact in float32."""
    return float(np.float32(2.0 ** draw.uniform(-9, 2)))


def zero_of(draw: Draw, kind: str) -> int:
    """A zero point: anywhere, often at an end; that of int16 is 0."""
    element = ELEMENTS[_DTYPES[kind]]
    if kind == "int16":
        return 0
    ends = (element.low, element.high, (element.low + element.high + 1) // 2)
    return (
        int(draw.choice(ends))
        if draw.random() < 0.4
        else int(draw.integers(element.low, element.high + 1))
    )


def pooling(operator: str) -> Build:
    """Windows that may be larger than the image, with every activation that clamps."""

    def build(draw: Draw) -> Model:
        kind, shape, padding = str(draw.choice(KINDS)), extents(draw), int(draw.integers(2))
        most = (9, 9) if padding == 0 else shape[1:3]
        window = [int(draw.integers(1, most[axis] + 1)) for axis in (0, 1)]
        stride = draw.integers(1, 4, 2).tolist()
        scale, zero = scale_of(draw), zero_of(draw, kind)
        model = Model({"x": shape})
        model.codes_of("x", shape, kind, scale, zero)
        model.codes_of("y", (), kind, scale, zero)
        return model.node(
            operator, ["x"], Padding=padding, StrideH=stride[0], StrideW=stride[1],
            FilterHeight=window[0], FilterWidth=window[1],
            FusedActivationFunction=int(draw.integers(4)),
        )  # fmt: skip

    return build


def padding(draw: Draw) -> Model:
    """PAD, and PADV2 with any code, often the zero point or the lowest one."""
    kind, shape = str(draw.choice(KINDS[:2])), extents(draw)
    zero, element = zero_of(draw, kind), ELEMENTS[_DTYPES[kind]]
    sides = np.array([(0, 0), *draw.integers(0, 4, (2, 2)), (0, 0)], np.int32)
    model = Model({"x": shape})
    model.codes_of("x", shape, kind, 0.25, zero)
    model.codes_of("y", (), kind, 0.25, zero)
    inputs = ["x", model.constant("p", sides, "int32")]
    if draw.random() < 0.7:
        codes = (zero, element.low, int(draw.integers(element.low, element.high + 1)))
        inputs.append(model.constant("v", np.array(draw.choice(codes)), kind))
        model.codes_of("v", (), kind, 0.25, zero)
        model.tensors[-1].fields["Buffer"] = len(model.buffers) - 1
    return model.node("PAD" if len(inputs) == 2 else "PADV2", inputs)


def concatenation(draw: Draw) -> Model:
    """Operands of uint8 in scales of their own, near that of the result; of int8 in that."""
    kind, shape, axis = str(draw.choice(KINDS[:2])), extents(draw, 6), int(draw.integers(1, 4))
    count, scale, zero = int(draw.integers(1, 5)), scale_of(draw), zero_of(draw, kind)
    names = [f"x{number}" for number in range(count)]
    shapes = [(*shape[:axis], int(draw.integers(1, 9)), *shape[axis + 1 :]) for _ in names]
    model = Model(dict(zip(names, shapes, strict=True)))
    for name, each in zip(names, shapes, strict=True):
        other = kind == "uint8" and draw.random() < 0.8
        ratio = draw.choice([2.0 ** draw.uniform(-3, 3), 0.5, 2.0, 1.0])
        own = (float(np.float32(scale * ratio)), zero_of(draw, kind)) if other else (scale, zero)
        model.codes_of(name, each, kind, *own)
    model.codes_of("y", (), kind, scale, zero)
    return model.node("CONCATENATION", names, Axis=axis)


def resizing(operator: str) -> Build:
    """Any size up to a few times as large, often a whole number of times, in all coordinates."""

    def build(draw: Draw) -> Model:
        kind, shape = str(draw.choice(KINDS)), extents(draw, 8)
        size = draw.integers(1, 21, 2).tolist()
        if draw.random() < 0.3:
            size = [extent * int(draw.integers(1, 4)) for extent in shape[1:3]]
        scale, zero = scale_of(draw), zero_of(draw, kind)
        model = Model({"x": shape})
        model.codes_of("x", shape, kind, scale, zero)
        model.codes_of("y", (), kind, scale, zero)
        corners, centres = ((0, 0), (0, 1), (1, 0))[int(draw.integers(3))]
        options = {"AlignCorners": bool(corners), "HalfPixelCenters": bool(centres)}
        return model.node(operator, ["x", model.integers("size", *size)], **options)

    return build


def blocks(operator: str) -> Build:
    """Blocks of up to 4 by 4 pixels."""

    def build(draw: Draw) -> Model:
        kind, shape, block = str(draw.choice(KINDS[:2])), extents(draw, 5), int(draw.integers(1, 5))
        _, rows, columns, channels = shape
        if operator == "DEPTH_TO_SPACE":
            shape = 1, rows, columns, channels // 4 * block * block or block * block
        else:
            shape = 1, rows * block, columns * block, channels
        model = Model({"x": shape})
        model.codes_of("x", shape, kind, 0.5, 7)
        model.codes_of("y", (), kind, 0.5, 7)
        return model.node(operator, ["x"], BlockSize=block)

    return build


def layer(
    draw: Draw,
    model: Model,
    kind: str,
    shape: tuple[int, ...],
    weights: tuple[int, ...],
    *,
    bias: bool,
) -> list[str]:
    """Declare x and y of a layer; names of its weights, of outputs first, and of the bias.

    Scales of int8 weights are by output, those of uint8 are one, with a zero point.
    """
    element, outputs = ELEMENTS[_DTYPES[kind]], weights[0]
    scale, count = scale_of(draw), outputs if kind == "int8" else 1
    own = 2.0 ** draw.uniform(-10, -4, count)
    low = -127 if kind == "int8" else 0
    names = [model.constant("w", draw.integers(low, element.high + 1, weights), kind)]
    none = np.zeros(count, np.int64)
    zeros = none if kind == "int8" else np.array([zero_of(draw, kind)])
    _quantise(model, own, zeros)
    model.codes_of("x", shape, kind, scale, zero_of(draw, kind))
    spread = scale * own.mean() * 74 * 74 * np.sqrt(np.prod(weights[1:]))
    scale_of_y = float(np.float32(spread / 64 * 2.0 ** draw.uniform(-3, 3)))
    model.codes_of("y", (), kind, scale_of_y, zero_of(draw, kind))
    if bias:
        names.append(model.constant("b", draw.integers(-20000, 20001, outputs), "int32"))
        _quantise(model, scale * own, none)
    return names


def _quantise(model: Model, scales: Array, zeros: Array) -> None:
    """Give the tensor that was declared last these scales."""
    numbers = {"Scale": scales.astype(np.float32), "ZeroPoint": zeros}
    model.tensors[-1].fields["Quantization"] = Table("QuantizationParameters", numbers)


def transposed_convolution(draw: Draw) -> Model:
    """Any window, stride and size, also where windows do not reach all of it."""
    kind, shape = str(draw.choice(KINDS[:2])), extents(draw, 6)
    outputs, padding = int(draw.integers(1, 24)), int(draw.integers(2))
    kernel, stride = draw.integers(1, 6, 2).tolist(), draw.integers(1, 4, 2).tolist()
    size = [
        extent * step - int(draw.integers(step))
        if padding == 0
        else (extent - 1) * step + k + int(draw.integers(step))
        for extent, step, k in zip(shape[1:3], stride, kernel, strict=True)
    ]
    model = Model({"x": shape})
    some = bool(draw.random() < 0.7)
    w, *bias = layer(draw, model, kind, shape, (outputs, *kernel, shape[3]), bias=some)
    return model.node(
        "TRANSPOSE_CONV", [model.integers("shape", 1, *size, outputs), w, "x", *bias],
        Padding=padding, StrideH=stride[0], StrideW=stride[1],
        FusedActivationFunction=int(draw.choice([0, 1, 3])),
    )  # fmt: skip


def dilated(draw: Draw) -> Model:
    """A convolution of a batch of every n-th pixel, between SPACE_TO_BATCH_ND and its reverse."""
    kind, channels = str(draw.choice(KINDS[:2])), int(draw.integers(1, 9))
    block, kernel = draw.integers(1, 4, 2).tolist(), draw.integers(1, 4, 2).tolist()
    before = [int(draw.integers(0, 2 * n)) for n in block]
    extent = [n * int(draw.integers(k + 1, 7)) for n, k in zip(block, kernel, strict=True)]
    behind = [int(draw.integers(0, n)) for n in block]
    sizes = [n - a - b for n, a, b in zip(extent, before, behind, strict=True)]
    shape = 1, max(sizes[0], 1), max(sizes[1], 1), channels
    sides = [(a, n - a - size) for n, a, size in zip(extent, before, shape[1:3], strict=True)]
    crops = [(int(draw.integers(0, a + 1)), int(draw.integers(0, b + 1))) for a, b in sides]
    crops = [pair if draw.random() < 0.5 else (0, 0) for pair in crops]
    model = Model({"x": shape})
    weights = (int(draw.integers(1, 9)), *kernel, channels)
    learned = layer(draw, model, kind, shape, weights, bias=True)
    for name, of in (("s", "x"), ("t", "y")):
        codes = next(each for each in model.tensors if each.fields["Name"] == of).fields
        model.tensor(name, (), kind, Quantization=codes["Quantization"])
    blocks = model.integers("block", *block)
    p, c = (
        model.constant(name, np.array(numbers, np.int32), "int32")
        for name, numbers in (("p", sides), ("c", crops))
    )
    model.node("SPACE_TO_BATCH_ND", ["x", blocks, p], ["s"])
    model.node(
        "CONV_2D", ["s", *learned], ["t"], Padding=1, StrideH=1, StrideW=1,
        FusedActivationFunction=int(draw.choice([0, 1, 3])),
    )  # fmt: skip
    return model.node("BATCH_TO_SPACE_ND", ["t", blocks, c])


def mirroring(draw: Draw) -> Model:
    """Frames up to all that can be mirrored."""
    kind, shape, mode = str(draw.choice(KINDS[:2])), extents(draw), int(draw.integers(2))
    sides = [draw.integers(0, n + mode, 2).tolist() for n in shape[1:3]]
    model = Model({"x": shape})
    model.codes_of("x", shape, kind, 0.5, 3)
    model.codes_of("y", (), kind, 0.5, 3)
    pads = model.constant("p", np.array([(0, 0), *sides, (0, 0)], np.int32), "int32")
    return model.node("MIRROR_PAD", ["x", pads], Mode=mode)


OPERATORS: dict[str, Build] = {
    "AVERAGE_POOL_2D": pooling("AVERAGE_POOL_2D"),
    "CONCATENATION": concatenation,
    "DEPTH_TO_SPACE": blocks("DEPTH_TO_SPACE"),
    "MAX_POOL_2D": pooling("MAX_POOL_2D"),
    "MIRROR_PAD": mirroring,
    "PADV2": padding,
    "RESIZE_BILINEAR": resizing("RESIZE_BILINEAR"),
    "RESIZE_NEAREST_NEIGHBOR": resizing("RESIZE_NEAREST_NEIGHBOR"),
    "SPACE_TO_BATCH_ND": dilated,
    "SPACE_TO_DEPTH": blocks("SPACE_TO_DEPTH"),
    "TRANSPOSE_CONV": transposed_convolution,
}


def drawn_inputs(graph: Graph, draw: Draw) -> dict[str, Array]:
    """Codes of all kinds: anywhere, near one another, at the ends of their type."""
    return {node.name: _codes(node.type, draw) for node in graph.inputs}


def _codes(kind: TensorType, draw: Draw) -> Array:
    element = kind.element
    if element.is_float:
        return element.store(draw.standard_normal(kind.shape) * 2.0)
    whole = element.high - element.low
    centre = draw.integers(
        element.low, element.high + 1, (*(1,) * (len(kind.shape) - 1), kind.shape[-1])
    )
    spread = int(draw.choice([1, 6, whole // 8, whole]))
    codes = centre + draw.integers(-spread, spread + 1, kind.shape)
    return element.store(np.clip(codes, element.low, element.high))


def merged(graphs: list[Graph]) -> Graph:
    """Networks side by side in one; the names of the n-th begin with `n.`."""
    nodes, outputs, constants = list[Node](), list[str](), dict[str, Array]()
    for number, graph in enumerate(graphs):
        constants |= {f"{number}.{name}": array for name, array in graph.constants.items()}
        outputs += [f"{number}.{name}" for name in graph.outputs]
        for node in graph.nodes:
            op = Const(f"{number}.{node.op.data}") if isinstance(node.op, Const) else node.op
            operands = tuple(f"{number}.{name}" for name in node.operands)
            kind, scales = node.type, node.type.quantisation
            if scales is not None and isinstance(scales.scale, str):
                kind = replace(kind, quantisation=replace(scales, scale=f"{number}.{scales.scale}"))
            nodes.append(Node(f"{number}.{node.name}", op, operands, kind))
    return Graph("merged", nodes, outputs, constants)
