"""Layers whose sums of products become codes, drawn at random, and calls of a kernel for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from netgen.ir.tensor_type import ELEMENTS, Array, Quantisation, TensorType
from netgen.kernels import find_kernel
from netgen.kernels.layer import BandShape, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d
from netgen.ops.linear import Linear
from tests.kernels.i8.coded_calls import CodedCall
from tests.kernels.laid_out import layouts

PRODUCT = find_kernel("product_i8")


@dataclass(frozen=True)
class Window:
    """A window over an image [rows, columns, inputs], and the number of outputs."""

    image: tuple[int, int, int]
    outputs: int
    size: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)


def call_of(
    window: Window,
    seed: int,
    *,
    act: str = "none",
    rounding: str = "fixed",
    extremes: bool = False,
    linear: bool = False,
    dtype: str = "i8",
    w_zero: int | None = None,
) -> CodedCall:
    """A call with random codes; with `extremes` codes and weights are the largest there are.

    Weights have a zero point of their own, or the one in the middle.
    """
    draw = np.random.default_rng(seed)
    inputs, outputs = window.image[2], window.outputs
    w_shape = (outputs, inputs) if linear else (outputs, *window.size, inputs)
    x_shape = (1, inputs) if linear else (1, *window.image)
    scales: Array = (2.0 ** draw.uniform(-9, -6, outputs)).astype(np.float32).astype(np.float64)
    own = draw.random() < 0.8
    low = ELEMENTS[dtype].low
    zeros = low + draw.choice([0, 123, 128, 255], 2)
    w_zero = low + 128 if w_zero is None else w_zero
    x = TensorType(dtype, x_shape, Quantisation(0.03125, int(zeros[0])))
    scaled = Quantisation("s", w_zero, 0) if own else Quantisation(float(scales[0]), w_zero)
    w = TensorType(dtype, w_shape, scaled)
    taps = int(np.prod(w_shape[1:]))
    reach = 74.0 * (127.0 * taps if extremes else 74.0 * np.sqrt(taps))
    scale = float(np.float32(0.03125 * 2.0**-7.5 * reach / 100.0 * 2.0 ** draw.uniform(-2, 1)))
    zero = int(zeros[1])
    op: Conv2d | Linear = Conv2d(
        window.stride,
        window.pad,
        window.dilation,
        1,
        act,
        scale=scale,
        zero=zero,
        rounding=rounding,
    )
    if linear:
        op = Linear(act, scale=scale, zero=zero, rounding=rounding)
    operands = {"x": x, "w": w, "b": TensorType("i32", (outputs,))}
    values: dict[str, Array] = {
        "x": (draw.integers(0, 256, x_shape) + low).astype(x.element.storage),
        "w": (draw.integers(0, 256, w_shape) + low).astype(x.element.storage),
        "b": draw.normal(0, reach, outputs).astype(np.int32),
    }
    if extremes:
        values["x"] = (draw.choice([0, 255], x_shape) + low).astype(x.element.storage)
        ends = draw.choice([0, 255], (outputs, *[1] * (len(w_shape) - 1))) + low
        values["w"] = np.broadcast_to(ends, w_shape).astype(x.element.storage)
    if draw.random() < 0.1:
        del operands["b"], values["b"]
    layer = Layer(op, operands, op.infer([*operands.values()]), frozenset("wb"))
    return CodedCall(PRODUCT, layer, values, {"s": scales} if own else {})


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Mostly small ones, some of which see nothing but the border."""
    size = draw(st.tuples(*[st.integers(1, 4)] * 2))
    dilation = draw(st.tuples(*[st.integers(1, 3)] * 2))
    pad = draw(st.tuples(*[st.integers(0, 3)] * 4))
    reach = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]
    rows = draw(st.integers(max(reach[0] - pad[0] - pad[1], 1), 12))
    columns = draw(st.integers(max(reach[1] - pad[2] - pad[3], 1), 33))
    inputs = draw(st.sampled_from((1, 2, 3, 4, 5, 8, 16, 17, 24, 70)))
    outputs = draw(st.sampled_from((1, 3, 8, 15, 16, 17, 24, 33, 48, 65, 100)))
    stride = draw(st.tuples(*[st.integers(1, 3)] * 2))
    if draw(st.integers(0, 2)) == 0:
        size, dilation, pad = (1, 1), (1, 1), (0, 0, 0, 0)
    return Window((rows, columns, inputs), outputs, size, stride, pad, dilation)


@st.composite
def windows_of_winograd(draw: st.DrawFn) -> Window:
    """3 by 3 taps, some of which see nothing but the border."""
    pad = draw(st.tuples(*[st.integers(0, 3)] * 4))
    rows = draw(st.integers(max(3 - pad[0] - pad[1], 1), 14))
    columns = draw(st.integers(max(3 - pad[2] - pad[3], 1), 40))
    inputs = draw(st.sampled_from((1, 3, 8, 15, 16, 17, 32, 70)))
    outputs = draw(st.sampled_from((1, 3, 8, 15, 16, 17, 24, 33, 65, 100)))
    return Window((rows, columns, inputs), outputs, (3, 3), (1, 1), pad)


@st.composite
def coded_calls(draw: st.DrawFn, target: Target, kernel: Kernel = PRODUCT) -> CodedCall:
    """A layer with layouts, a choice, as a whole or a band of it, by one thread or several."""
    product = kernel is PRODUCT
    dtype = draw(st.sampled_from(("i8", "i8", "u8")))
    w_zero = None
    if product and draw(st.integers(0, 3)) == 0:
        w_zero = ELEMENTS[dtype].low + draw(st.sampled_from((1, 77, 129, 255)))
    call = call_of(
        draw(windows() if product else windows_of_winograd()),
        draw(st.integers(0, 999)),
        act=draw(st.sampled_from(("none", "relu", "relu6"))),
        rounding=draw(st.sampled_from(("fixed", "fixed32", "real", "even"))),
        extremes=draw(st.integers(0, 4)) == 0,
        linear=product and draw(st.integers(0, 7)) == 0,
        dtype=dtype,
        w_zero=w_zero,
    )
    layer = call.layer
    found = {a: draw(layouts(_channels(layer, a), most_scrambled=24)) for a in ("x", "y")}
    layer = replace(layer, layouts=found)
    first = 0
    if isinstance(layer.op, Conv2d) and draw(st.booleans()):
        layer, first = _banded(draw, layer)
    choice = draw(st.sampled_from((None, *kernel.choices(layer, target))))
    layer = replace(layer, choice=choice)
    call = replace(call, kernel=kernel, layer=layer, first=first)
    threads = draw(st.integers(1, 3))
    split = kernel.split(layer, target, threads, frozenset()) if threads > 1 else None
    return replace(call, split=split)


def _channels(layer: Layer, letter: str) -> int:
    return layer.result.shape[-1] if letter == "y" else layer.operands[letter].shape[-1]


def _banded(draw: st.DrawFn, layer: Layer) -> tuple[Layer, int]:
    """A band of some rows, of an x that is all there or waits in a ring."""
    rows = draw(st.integers(1, layer.result.shape[1]))
    first = draw(st.integers(0, layer.result.shape[1] - rows))
    op, height, width = layer.op, layer.operands["x"].shape[1], layer.operands["x"].shape[2]
    assert isinstance(op, Conv2d)
    window = op.window(layer.operands["w"].shape)
    seen = (rows - 1) * window.stride[0] + (window.size[0] - 1) * window.dilation[0] + 1
    slots = draw(st.sampled_from((height, min(seen, height))))
    return replace(layer, band=BandShape(rows, slots, width + draw(st.integers(0, 2)))), first


def networks(seeds: Sequence[int]) -> list[CodedCall]:
    """Layers of known networks, small enough for every run."""
    shapes = (
        Window((8, 8, 64), 64, (3, 3), (1, 1), (1, 1, 1, 1)),
        Window((25, 5, 1), 64, (10, 4), (2, 2), (4, 5, 1, 1)),
        Window((33, 33, 3), 32, (3, 3), (2, 2), (0, 1, 0, 1)),
        Window((14, 14, 3), 64, (7, 7), (2, 2), (3, 3, 3, 3)),
        Window((7, 7, 160), 320),
        Window((7, 7, 24), 24),
        Window((14, 14, 64), 128, (1, 1), (2, 2)),
    )
    return [call_of(shape, seed) for seed in seeds for shape in shapes]
