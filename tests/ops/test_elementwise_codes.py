"""Elementwise operators of codes mean what LiteRT's reference kernels compute, code for code."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.add import Add
from netgen.ops.hard_swish import HardSwish
from netgen.ops.mul import Mul
from netgen.ops.quantize import Quantize
from netgen.ops.relu import Relu
from netgen.ops.softmax import Softmax
from netgen.ops.sub import Sub
from tests.cases import heavy
from tests.kernels.i8.elementwise import ALL, Draw

_FEW = 4


@pytest.mark.parametrize("count", [_FEW, heavy(500)])
@pytest.mark.parametrize("name", ALL)
def test_code_for_code_as_tensorflow_lite(
    name: str, count: int, drawn: Callable[[int], int]
) -> None:
    for case in Draw(3).cases(name, drawn(count) if count > _FEW else count):
        np.testing.assert_array_equal(case.reference(), case.expected(), err_msg=str(case))


def codes(scale: float, zero: int = 0, dtype: str = "i8") -> TensorType:
    return TensorType(dtype, (1, 4), Quantisation(scale, zero))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Relu(scale=0.5).result_type([TensorType("f32", (1, 4))]), "floats have no scale"),
        (lambda: Relu().result_type([TensorType("i8", (1, 4))]), "these codes have no one scale"),
        (lambda: Relu(scale=2.0**-30).result_type([codes(1.0)]), "too far apart for int32"),
        (lambda: Quantize(2.0**-20).result_type([codes(8.0)]), "too far apart for int32"),
        (lambda: HardSwish(scale=2.0**-9).result_type([codes(4.0)]), "is not defined"),
        (lambda: Add(scale=2.0**-21).result_type([codes(1.0)] * 2), "the scale of a sum is too"),
        (lambda: Sub(act="tanh").result_type([codes(1.0)] * 2), "cannot be activated by tanh"),
        (lambda: Mul().result_type([codes(1.0), codes(1.0, 0, "u8")]), "of one element type"),
        (lambda: Mul(scale=2.0**-20).result_type([codes(1.0)] * 2), "too far apart for int32"),
        (lambda: Softmax().result_type([codes(1.0)]), "the codes of a softmax are 256ths"),
        (lambda: Softmax(0.0), "beta must be a positive float32"),
        (
            lambda: Softmax(scale=2.0**-8, zero=-128).result_type([codes(2.0**-27)]),
            "too small for a softmax",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(GraphError, match=re.escape(message)):
        make()


def test_a_softmax_of_too_many_channels_is_refused() -> None:
    kind = TensorType("i8", (1, 4096), Quantisation(1.0))
    with pytest.raises(GraphError, match="at most 4095 channels"):
        Softmax(scale=2.0**-8, zero=-128).result_type([kind])


def test_many_equal_powers_are_nothing_each() -> None:
    """LiteRT aborts there: its shifts end at 31 bits."""
    kind = TensorType("i8", (1, 1000), Quantisation(1.0))
    op = Softmax(scale=2.0**-8, zero=-128)
    found = op.reference(
        [np.zeros((1, 1000), np.int64)], Signature((kind,), op.result_type([kind]))
    )
    assert set(found.ravel().tolist()) == {-128}


@network
def functions_of_codes() -> tuple[Tensor, ...]:
    q = dsl.quantize(image(2, 3, 4), 0.05, 3)
    other = dsl.quantize(q, 0.02, 130, "u8")
    same = dsl.quantize(other, 0.05, 3)
    return (
        dsl.relu(q),
        dsl.relu6(q, 0.03, -128),
        dsl.relu_n1_to_1(q, 0.01),
        dsl.leaky_relu(q, 0.04, 5, alpha=0.2),
        dsl.hard_swish(q, 0.04, -100),
        dsl.sigmoid(other, 1 / 256),
        dsl.tanh(q, 1 / 128),
        dsl.softmax(other),
        dsl.add(q, same, 0.1, 1),
        dsl.sub(q, same, 0.1),
        dsl.mul(q, same, 0.01, 0),
    )


def test_scales_of_functions() -> None:
    graph = functions_of_codes.build()
    near = {
        "relu": (0.05, 3), "relu6": (0.03, -128), "relu_n1_to_1": (0.01, 0),
        "leaky_relu": (0.04, 5), "hard_swish": (0.04, -100), "sigmoid": (1 / 256, 0),
        "tanh": (1 / 128, 0), "softmax": (1 / 256, 0), "add": (0.1, 1), "sub": (0.1, 0),
        "mul": (0.01, 0),
    }  # fmt: skip
    assert {*near} == {*graph.outputs}
    for name, (scale, zero) in near.items():
        assert graph[name].type.quantisation == Quantisation(float(np.float32(scale)), zero), name
