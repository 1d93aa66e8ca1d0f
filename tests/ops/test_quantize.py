"""quantize and dequantize: by hand, and code for code as TensorFlow Lite's reference kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import ELEMENTS, Array, Quantisation, TensorType
from netgen.ops.dequantize import Dequantize
from netgen.ops.quantize import Quantize
from tests.litert import litert
from tests.meaning import meaning

# (element type, scale, zero point): powers of two, at which halves are exact, and others.
CODES = [
    ("i8", 2.0**-4, 0),
    ("i8", 2.0**-4, -128),
    ("i8", 0.0235294122248888, 127),
    ("u8", 2.0**-3, 0),
    ("u8", 0.00392156885936856, 3),
    ("i16", 2.0**-9, 0),
    ("i16", 0.000305185094475746, 0),
]
CODES = [(dtype, float(np.float32(scale)), zero) for dtype, scale, zero in CODES]


def numbers(dtype: str, scale: float, zero: int) -> Array:
    """Float32 at, just below and just above every half between codes, and beyond the range."""
    element = ELEMENTS[dtype]
    step = max((element.high - element.low) // 400, 1)
    codes = np.arange(element.low - 3, element.high + 4, step) - zero
    halves = ((codes + 0.5) * scale).astype(np.float32)
    near = [np.nextafter(halves, np.float32(side)) for side in (-np.inf, np.inf)]
    extremes = np.array([0.0, -0.0, 3e38, -3e38, 1e-45, -1e-45, np.inf, -np.inf], np.float32)
    below_a_half = np.float32(0.49999997) * np.float32(scale)  # to add a half would round up
    return np.concatenate([halves, *near, extremes, [below_a_half, -below_a_half]])


def dequantized(codes: Array, dtype: str, scale: float, zero: int) -> Array:
    kind = TensorType(dtype, codes.shape, Quantisation(scale, zero))
    result = Dequantize().result_type([kind])
    return Dequantize().reference([codes], Signature((kind,), result))


@pytest.mark.parametrize(
    ("x", "code"),
    [
        (0.25, 1), (-0.25, -1), (0.249, 0), (0.75, 2), (-0.75, -2), (63.3, 127), (64.1, 127),
        (-64.2, -128), (-65.0, -128), (np.inf, 127), (-np.inf, -128), (np.nan, -128), (3e38, 127),
    ],
)  # fmt: skip
def test_halves_go_away_from_zero_and_the_rest_saturates(x: float, code: int) -> None:
    assert meaning(Quantize(0.5, 0, "i8"), [np.array([x])]).tolist() == [code]


def test_the_zero_point_is_added_behind_rounding() -> None:
    x = np.array([-0.25, 0.25, 0.0, 100.0, -100.0])
    assert meaning(Quantize(0.5, 3, "i8"), [x]).tolist() == [2, 4, 3, 127, -128]
    assert meaning(Quantize(0.5, 128, "u8"), [x]).tolist() == [127, 129, 128, 255, 0]


@pytest.mark.parametrize(("dtype", "scale", "zero"), CODES)
def test_codes_survive_a_round_trip(dtype: str, scale: float, zero: int) -> None:
    element = ELEMENTS[dtype]
    codes = np.arange(element.low, element.high + 1)
    real = dequantized(codes, dtype, scale, zero)
    assert meaning(Quantize(scale, zero, dtype), [real]).tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quantize(0.0), "this is no scale"),
        (lambda: Quantize(-1.0), "this is no scale"),
        (lambda: Quantize(0.1), "this is no scale"),  # not exact in float32
        (lambda: Quantize(1e-60), "this is no scale"),
        (lambda: Quantize(1.0, 128), "the zero point is no i8"),
        (lambda: Quantize(1.0, 0, "f32"), "codes are integers"),
        (lambda: Dequantize().result_type([TensorType("f32", (1, 2))]), "takes no x of f32"),
        (lambda: Dequantize().result_type([TensorType("i8", (1, 2))]), "have no one scale"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        make()


@network
def codes_into_float_operators() -> Tensor:
    return dsl.hard_sigmoid(dsl.quantize(image(2, 2, 1), 0.5))


def test_float_operators_take_no_codes() -> None:
    with pytest.raises(GraphError, match="hard_sigmoid takes no x of i8, expected f32"):
        codes_into_float_operators.build()


@network
def codes_of_two_scales() -> Tensor:
    x = image(2, 2, 1)
    return dsl.concat(dsl.quantize(x, 0.5), dsl.quantize(x, 0.25))


def test_what_moves_elements_takes_one_kind_of_them() -> None:
    with pytest.raises(GraphError, match=r"concat moves elements of one type.*requantise"):
        codes_of_two_scales.build()


@pytest.mark.parametrize(("dtype", "scale", "zero"), CODES)
def test_code_for_code_as_tensorflow_lite(dtype: str, scale: float, zero: int) -> None:
    # Beyond what an int32 holds, TensorFlow Lite's conversion is undefined.
    x = numbers(dtype, scale, zero)
    x = x[np.abs(x) < 2.0**31 * scale * 0.9]
    kinds = TensorType("f32", x.shape), TensorType(dtype, x.shape, Quantisation(scale, zero))
    found = litert("QUANTIZE", x, kinds)
    assert found.tolist() == meaning(Quantize(scale, zero, dtype), [x.astype(float)]).tolist()
    element = ELEMENTS[dtype]
    codes = np.arange(element.low, element.high + 1)
    codes = codes.astype(element.storage)
    kinds = (
        TensorType(dtype, codes.shape, Quantisation(scale, zero)),
        TensorType("f32", codes.shape),
    )
    expected = dequantized(codes.astype(np.int64), dtype, scale, zero).astype(np.float32)
    assert litert("DEQUANTIZE", codes, kinds).tolist() == expected.tolist()
