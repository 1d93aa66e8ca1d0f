"""Files of one layer of int16 by weights of int8, drawn at random: windows, scales, batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.frontends.tflite.tflite_models import SAME, VALID, Array, Model, Table
from tests.frontends.tflite.weighted_models import OPERATORS, Drawn

_LEAST, _MOST = -(2**15), 2**15 - 1


def wide_models(operator: str, seed: int, count: int) -> Iterator[Drawn]:
    """So many files of an operator; half of them have scales that are powers of 2, for ties."""
    draw = np.random.default_rng([seed, OPERATORS.index(operator)])
    for _ in range(count):
        yield _drawn(operator, draw)


def _drawn(operator: str, draw: np.random.Generator) -> Drawn:
    inputs, outputs = draw.integers(1, 40, 2).tolist()
    rows, columns = draw.integers(3, 9, 2).tolist()
    window = draw.integers(1, 4, 2).tolist()
    batch = int(draw.choice([1, 1, 1, 2]))
    dense, deep = operator == "FULLY_CONNECTED", operator == "DEPTHWISE_CONV_2D"
    x_shape = (1, inputs) if dense else (batch, rows, columns, inputs)
    outputs = inputs * int(draw.integers(1, 3)) if deep else outputs
    w_shape = (outputs, inputs) if dense else (outputs, *window, inputs)
    w_shape = (1, *window, outputs) if deep else w_shape
    taps, exact = int(np.prod(w_shape)) // outputs, bool(draw.random() < 0.5)
    x_scale, *w_scales = _scales(draw, exact, -14, -8, 1) + _scales(
        draw, exact, -9, -5, int(draw.choice([1, outputs]))
    )
    # Inputs are small in some layers: then many sums lie near the middle between two codes.
    reach = float(draw.choice([2.0**15, 2.0**15, 2.0**9, 2.0**6]))
    x = np.clip(np.rint(draw.normal(0.0, reach / 2, x_shape)), _LEAST, _MOST).astype(np.int16)
    spread = reach / 2 * 74.0 * np.sqrt(taps)
    y_scale = x_scale * float(np.median(w_scales)) * spread / 2.0 ** float(draw.uniform(10, 14))
    y_scale = 2.0 ** float(np.round(np.log2(y_scale))) if exact else y_scale
    model = Model({"x": x_shape})
    model.codes_of("x", x_shape, "int16", x_scale, 0)
    model.codes_of("y", (), "int16", y_scale, 0)
    w, b = draw.integers(-127, 128, w_shape), draw.normal(0.0, spread, outputs)
    model.constant("w", w.astype(np.int8), "int8")
    _quantise(model, np.array(w_scales), 3 if deep else 0)
    model.constant("b", np.clip(b, -(2.0**30), 2.0**30).astype(np.int64), "int64")
    _quantise(model, x_scale * np.array(w_scales), 0)
    options = {"FusedActivationFunction": int(draw.choice([0, 0, 1, 3]))}
    if not dense:
        strides = draw.integers(1, 3, 2).tolist()
        options |= {"StrideH": strides[0], "StrideW": strides[1]}
        options |= {"DilationHFactor": 1, "DilationWFactor": 1}
        options["Padding"] = int(draw.choice([SAME, VALID]))
    if deep:
        options["DepthMultiplier"] = outputs // inputs
    return Drawn(model.node(operator, ["x", "w", "b"], **options), operator, x)


def _scales(draw: np.random.Generator, exact: bool, low: int, high: int, count: int) -> list[float]:
    exponents: Array = draw.uniform(low, high, count)
    exponents = np.round(exponents) if exact else exponents
    return [float(scale) for scale in np.exp2(exponents).astype(np.float32)]


def _quantise(model: Model, scales: Array, axis: int) -> None:
    """Give the tensor that was declared last these scales."""
    model.tensors[-1].fields["Quantization"] = Table(
        "QuantizationParameters",
        {
            "Scale": scales.astype(np.float32),
            "ZeroPoint": np.zeros(len(scales), np.int64),
            "QuantizedDimension": axis,
        },
    )
