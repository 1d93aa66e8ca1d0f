"""Networks that cannot be written as ONNX: what is said of them."""

from __future__ import annotations

import pytest

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, apply, image
from netgen.errors import GraphError
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.text import parse_graph
from netgen.ops.identity import Identity
from tests.export.conftest import Build
from tests.plan.stateful_graphs import stateful


def test_unknown_operator_is_named(build: Build) -> None:
    class Novel(Identity):
        operator_name = "novel"

    def body() -> Tensor:
        return apply(Novel(), image(2, 2, 3), name="strange")

    with pytest.raises(GraphError, match=r"%strange: the operator novel cannot be exported"):
        graph_to_onnx(build(body))


def test_unknown_operators_are_named_each_with_a_value(build: Build) -> None:
    class Novel(Identity):
        operator_name = "novel"

    class Recent(Identity):
        operator_name = "recent"

    def body() -> Tensor:
        x = apply(Novel(), apply(Novel(), image(2, 2, 3), name="strange"))
        return apply(Recent(), x, name="stranger")

    message = r"%strange, %stranger: the operators novel, recent cannot be exported"
    with pytest.raises(GraphError, match=message):
        graph_to_onnx(build(body))


def test_codes_are_no_floats() -> None:
    codes = parse_graph("""netgen 1
      graph codes {
        %image : i8[1,4,4,3] {scale=0x1p-5} = input
        %mean  : i8[1,1,1,3] {scale=0x1p-5} = global_avg_pool(%image)
        return %mean
      }""")[0]
    out = r"; export the network of floats that it was quantised from"
    with pytest.raises(GraphError, match=rf"%image: codes cannot be .*i8\[1,4,4,3\].*{out}"):
        graph_to_onnx(codes)


def test_states_are_not_exported() -> None:
    message = r"%a: networks with a state cannot be exported to ONNX; export a network whose"
    with pytest.raises(GraphError, match=message):
        graph_to_onnx(stateful("sum"))


def test_values_of_codes_are_named_before_operators(build: Build) -> None:
    def body() -> Tensor:
        return dsl.dequantize(dsl.quantize(image(2, 2, 3), 0.5))

    with pytest.raises(GraphError, match="%quantize: codes cannot be exported to ONNX"):
        graph_to_onnx(build(body))
