"""Files of one layer with weights, of codes, drawn at random: windows, scales, zero points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from tests.frontends.tflite.tflite_models import NONE, RELU, RELU6, SAME, VALID, Model, Table

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class Drawn:
    """A file, its operator, and codes for its input x."""

    model: Model
    operator: str
    x: npt.NDArray[np.integer]


def weighted_models(operator: str, seed: int, count: int) -> Iterator[Drawn]:
    """So many files of an operator, half of them of few exact scales, so that ties are common."""
    draw = np.random.default_rng([seed, OPERATORS.index(operator)])
    for _ in range(count):
        yield _drawn(operator, draw)


def _drawn(operator: str, draw: np.random.Generator) -> Drawn:
    signed = bool(draw.random() < 0.7)
    kind = "int8" if signed else "uint8"
    info = np.iinfo(kind)
    x_shape, w_shape = _shapes(operator, draw)
    outputs = w_shape[-1] if operator == "DEPTHWISE_CONV_2D" else w_shape[0]
    exact = bool(draw.random() < 0.5)
    per_channel = signed and bool(draw.random() < 0.7)
    x_zero, y_zero = (int(draw.choice([info.min, 0, 3, info.max])) for _ in "xy")
    x_zero, y_zero = max(x_zero, info.min), max(y_zero, info.min)
    w_zero = 0 if signed else int(draw.integers(0, 256))
    x_scale = _scale(draw, exact)
    w_scales = np.array([_scale(draw, exact) for _ in range(outputs if per_channel else 1)])
    x = draw.integers(info.min, info.max + 1, x_shape).astype(kind)
    w = draw.integers(info.min, info.max + 1, w_shape).astype(kind)
    taps = prod(w_shape) // outputs
    spread = 74.0 * 74.0 * np.sqrt(taps)
    b = (draw.normal(0, spread, outputs)).astype(np.int32)
    # Some results stay in range, some saturate; a few are shifted left.
    wide = float(2.0 ** draw.choice([-9, 0, 1, 2, 12], p=[0.1, 0.3, 0.3, 0.2, 0.1]))
    y_scale = x_scale * float(np.median(w_scales)) * spread / 64.0 * wide
    y_scale = 2.0 ** float(np.round(np.log2(y_scale))) if exact else y_scale
    model = Model({"x": x_shape})
    model.codes_of("x", x_shape, kind, x_scale, x_zero)
    model.codes_of("y", (), kind, y_scale, y_zero)
    model.constant("w", w, kind)
    axis = 3 if operator == "DEPTHWISE_CONV_2D" else 0
    model.tensor("w", w_shape, kind, Buffer=len(model.buffers) - 1, Quantization=_scales(
        w_scales, w_zero, axis))  # fmt: skip
    inputs = ["x", "w"]
    # LiteRT wants a bias for convolutions.
    if draw.random() < 0.8 or operator == "CONV_2D" or not signed:
        model.constant("b", b, "int32")
        model.tensor("b", (outputs,), "int32", Buffer=len(model.buffers) - 1, Quantization=_scales(
            np.float32(x_scale) * w_scales.astype(np.float32), 0, 0))  # fmt: skip
        inputs.append("b")
    act = int(draw.choice([NONE, RELU, RELU6]))
    if operator == "FULLY_CONNECTED":
        return Drawn(model.node(operator, inputs, FusedActivationFunction=act), operator, x)
    more = {"DepthMultiplier": outputs // x_shape[3]} if axis else {}
    stride, dilation = draw.integers(1, 4, 2).tolist(), draw.integers(1, 3, 2).tolist()
    if max(dilation) > 1:
        stride = [1, 1]
    elif axis:
        stride = [stride[0]] * 2
    model.node(
        operator, inputs, Padding=int(draw.choice([SAME, VALID])), StrideH=stride[0],
        StrideW=stride[1], DilationHFactor=dilation[0], DilationWFactor=dilation[1],
        FusedActivationFunction=act, **more,
    )  # fmt: skip
    return Drawn(model, operator, x)


def _shapes(operator: str, draw: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of x, and of weights as the file has them."""
    if operator == "FULLY_CONNECTED":
        length, outputs = (int(draw.integers(1, most)) for most in (200, 300))
        return (1, length), (outputs, length)
    rows, columns = (int(extent) for extent in draw.integers(6, 12, 2))
    batch = int(draw.choice([1, 1, 1, 2]))
    inputs = int(draw.choice([1, 2, 3, 8, 17, 24]))
    multiplier, groups = int(draw.choice([1, 1, 2, 3])), int(draw.choice([1, 1, 2]))
    window = [int(extent) for extent in draw.integers(1, 4, 2)]
    if operator == "DEPTHWISE_CONV_2D":
        return (batch, rows, columns, inputs), (1, *window, inputs * multiplier)
    outputs = int(draw.integers(1, 24)) * groups
    return (batch, rows, columns, inputs * groups), (outputs, *window, inputs)


def _scale(draw: np.random.Generator, exact: bool) -> float:
    drawn = draw.uniform(-9, -3)
    return float(np.float32(2.0 ** (np.round(drawn) if exact else drawn)))


def _scales(scales: npt.ArrayLike, zero: int, axis: int) -> Table:
    numbers = np.atleast_1d(np.asarray(scales, np.float32))
    fields = {
        "Scale": numbers,
        "ZeroPoint": np.full(numbers.shape, zero, np.int64),
        "QuantizedDimension": axis,
    }
    return Table("QuantizationParameters", fields)
