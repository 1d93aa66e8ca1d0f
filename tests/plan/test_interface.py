"""The caller's memory: inputs handed in, outputs given back."""

from __future__ import annotations

import numpy as np
import pytest

import netgen
from netgen.dsl import image, network
from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError, WeightsError
from netgen.ir.text import parse_graph
from netgen.kernels.targets import find_target
from netgen.ops import add, batch_norm, relu, reshape
from netgen.plan.build import build_plan
from netgen.plan.packing import pack_weights

GENERIC = find_target("generic")


@pytest.mark.parametrize("shape", ["8,8", "64", "2,4,8"])
def test_outputs_are_one_image(shape: str) -> None:
    graph, _ = parse_graph(
        f"""netgen 1
        graph g {{
          %x : f32[1,4,4,4] = input
          %y : f32[{shape}] = reshape(%x) {{shape=({shape})}}
          return %y
        }}"""
    )
    with pytest.raises(GraphError, match="batch dimension of 1"):
        build_plan(graph, GENERIC)


def test_inputs_are_one_image() -> None:
    graph, _ = parse_graph(
        "netgen 1\ngraph g { %x : f32[4,5] = input  %y : f32[4,5] = relu(%x) return %y }"
    )
    with pytest.raises(GraphError, match="batch dimension of 1"):
        build_plan(graph, GENERIC)


def test_arguments_come_in_the_order_of_declaration() -> None:
    @network
    def two() -> Tensor:
        b = image(2, 2, 1, name="b")
        a = image(2, 2, 1, name="a")
        return add(relu(b), reshape(reshape(a, (1, 4)), (1, 2, 2, 1)))

    graph = netgen.load(two)
    model = netgen.compile(graph, target="generic")
    assert [port.name for port in model.inputs] == ["b", "a"]
    minus, plus = -np.ones((2, 2, 1), np.float32), np.ones((2, 2, 1), np.float32)
    # Only the first argument is rectified.
    np.testing.assert_array_equal(model(minus, plus), plus)
    np.testing.assert_array_equal(model(plus, minus), np.zeros((2, 2, 1), np.float32))


@pytest.mark.parametrize(("letter", "value"), [("var", -2.0), ("gamma", 3e38)])
def test_what_does_not_stay_finite_is_refused(letter: str, value: float) -> None:
    @network
    def unfolded() -> Tensor:
        return batch_norm(relu(image(2, 2, 3)))

    graph = netgen.load(unfolded)
    constants = dict(graph.constants)
    constants[f"batch_norm.{letter}"] = np.full(3, value, np.float32)
    if letter == "gamma":
        constants["batch_norm.var"] = np.full(3, 1e-30, np.float32)
    graph = graph.with_constants(constants, graph.origin)
    plan = build_plan(graph, GENERIC)
    words = "variance .* is not positive" if letter == "var" else "do not fit into float32"
    with pytest.raises(WeightsError, match=rf"^%batch_norm: .* {words}.*; check the"):
        pack_weights(plan, graph)
