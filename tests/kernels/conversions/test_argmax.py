"""The largest of channels: of floats with NaN, of codes, of channels that stand in any order."""

from __future__ import annotations

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.interpret import interpret
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.execute.interpreter import execute


@network
def largest() -> tuple[Tensor, ...]:
    x = image(9, 7, 9)
    q = dsl.quantize(x, 0.25, 3)
    dealt = dsl.channel_slice(dsl.channel_shuffle(dsl.quantize(x, 0.25, 130, "u8"), 3), 2, 5)
    return (
        dsl.argmax(x),
        dsl.argmax(dsl.hard_swish(q, 0.25, -100)),
        dsl.argmax(dealt),
        dsl.argmax(dsl.quantize(x, 0.001, 0, "i16")),
        dsl.argmax(dsl.flatten(dsl.global_avg_pool(q))),
    )


@network
def last_largest() -> Tensor:
    return dsl.argmax(image(1, 6, 3), last=True)


def test_not_a_number_is_never_the_largest() -> None:
    """Nor beside what is least of all; only where it is first is nothing larger."""
    low, none = -np.inf, np.nan
    rows = [[low, none, none], [low, low, none], [none, 1, 2], [none] * 3, [0, 0, none], [1, 0, 1]]
    x = np.array([[rows]], np.float32)
    graph = netgen.load(last_largest)
    expected = [0, 1, 0, 0, 1, 2]
    assert interpret(graph, {"image": x})[graph.outputs[0]].ravel().tolist() == expected
    found = netgen.compile(graph, target="generic")(x[0])
    assert isinstance(found, np.ndarray)
    assert found.ravel().tolist() == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_of_the_largest(threads: int) -> None:
    graph = run_pipeline(netgen.load(largest))
    x = np.random.default_rng(0).normal(size=(1, 9, 7, 9)).astype(np.float32)
    x[0, 0, 0, 3], x[0, 0, 1, 0], x[0, 0, 2] = np.nan, np.nan, 2.0
    expected = interpret(graph, {"image": x})
    assert expected[graph.outputs[0]][0, 0, :3, 0].tolist()[1:] == [0, 0]
    plan = build_plan(graph, find_target("generic"))
    check_plan(plan)
    found = execute(plan, graph, {"image": x})
    model = netgen.compile(graph, target="generic", threads=threads)
    for name, array in zip(graph.outputs, model(x[0]), strict=True):
        np.testing.assert_array_equal(found[name].ravel(), expected[name].ravel())
        np.testing.assert_array_equal(array.ravel(), expected[name].ravel())
        assert array.dtype == np.int32
