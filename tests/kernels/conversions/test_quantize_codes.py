"""Codes of two bytes in other scales, also of channels that stand in another order; divided."""

from __future__ import annotations

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError
from netgen.ir.interpret import interpret
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.quantize import Quantize
from tests.cases import heavy
from tests.litert import Operand, litert_of


@network
def other_scales() -> tuple[Tensor, ...]:
    q = dsl.quantize(image(9, 7, 9), 0.0003, 3, "i16")
    dealt = dsl.channel_slice(dsl.channel_shuffle(q, 3), 2, 5)
    return tuple(
        dsl.dequantize(dsl.quantize(each, scale, zero, kind))
        for each, scale, zero, kind in (
            (q, 0.02, 3, "i8"), (q, 0.02, 120, "u8"), (q, 1e-4, -5, "i16"), (dealt, 1e-3, 0, "i8"),
        )
    )  # fmt: skip


@pytest.mark.parametrize("threads", [1, 3])
def test_the_c_gives_the_codes_of_the_graph(threads: int) -> None:
    graph = netgen.load(other_scales)
    x = np.random.default_rng(0).normal(size=(1, 9, 7, 9)).astype(np.float32)
    expected = interpret(graph, {"image": x})
    model = netgen.compile(graph, target="generic", threads=threads)
    for name, array in zip(graph.outputs, model(x[0]), strict=True):
        np.testing.assert_array_equal(array, expected[name][0].astype(np.float32))


@pytest.mark.parametrize("count", [6, heavy(500)])
def test_code_for_code_as_tensorflow_lite(count: int) -> None:
    draw = np.random.default_rng(1)
    while count:
        dtype, scale = (
            str(draw.choice(["i8", "i16"])),
            float(np.float32(2.0 ** draw.uniform(-14, 0))),
        )
        behind = float(np.float32(scale * 2.0 ** draw.uniform(-14, 10)))
        zero = 0 if dtype == "i16" else int(draw.integers(-128, 128))
        x, op = TensorType("i16", (1, 4000), Quantisation(scale)), Quantize(behind, zero, dtype)
        try:
            y = op.result_type([x])
        except GraphError:
            continue
        codes = draw.integers(-(2**15), 2**15, x.shape)
        wanted = litert_of("QUANTIZE", [Operand(x, codes)], y)
        np.testing.assert_array_equal(op.reference([codes], Signature((x,), y)), wanted)
        count -= 1
