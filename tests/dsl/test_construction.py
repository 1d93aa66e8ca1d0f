"""Building graphs: scopes, names, threads, and tensors where they do not belong."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.errors import GraphError
from netgen.ir.graph import Graph
from netgen.ir.text import print_graph
from netgen.ops import add, batch_norm, conv2d, flatten, linear, relu


def test_scopes_name_values_and_parameters() -> None:
    @network
    def scoped() -> Tensor:
        x = image(4, 4)
        with scope("block1"):
            with scope("expand.0"):
                x = conv2d(x, 2)
            x = batch_norm(x, name="norm")
        return relu(x)

    graph = scoped.build()
    assert [node.name for node in graph.activations] == [
        "block1.expand.0.conv2d", "block1.norm", "relu",
    ]  # fmt: skip
    assert graph["block1.norm"].operands == (
        "block1.expand.0.conv2d", "block1.norm.gamma", "block1.norm.beta", "block1.norm.mean",
        "block1.norm.var",
    )  # fmt: skip


def test_names_are_unique() -> None:
    @network
    def repeated() -> Tensor:
        x = image(4, 4)
        for _ in range(3):
            with scope("a"):
                x = conv2d(x, 3)
        return relu(x, name="a.conv2d")

    graph = repeated.build()
    names = [node.name for node in graph.activations]
    assert names == ["a.conv2d", "a.conv2d_2", "a.conv2d_3", "a.conv2d_4"]
    assert graph["a.conv2d_3"].operands == ("a.conv2d_2", "a.conv2d_3.w", "a.conv2d_3.b")


def test_scopes_end_when_the_block_fails() -> None:
    @network
    def failing() -> Tensor:
        x = image(4, 4)
        with suppress(ZeroDivisionError), scope("a"):
            x = relu(x, name=str(1 // 0))
        return relu(x)

    assert failing.build().outputs == ("relu",)


def test_plus_is_add() -> None:
    @network
    def plus() -> Tensor:
        x = image(4, 4)
        return x + relu(x)

    @network
    def function() -> Tensor:
        x = image(4, 4)
        return add(x, relu(x))

    assert plus.build().nodes == function.build().nodes


def test_several_outputs_and_inputs() -> None:
    @network
    def several() -> tuple[Tensor, ...]:
        left, right = image(4, 4, name="left"), image(4, 4, name="right")
        return relu(left), right + left

    graph = several.build()
    assert graph.outputs == ("relu", "add")
    assert [node.name for node in graph.inputs] == ["left", "right"]


def test_what_no_output_needs_is_left_out() -> None:
    @network
    def wasteful() -> Tensor:
        x = image(4, 4)
        conv2d(x, 8, name="dead")
        return relu(x)

    assert [node.name for node in wasteful.build().nodes] == ["image", "relu"]


def test_operators_outside_a_network() -> None:
    with pytest.raises(GraphError) as caught:
        image(4, 4)
    line = caught.traceback[0].lineno + 1
    assert str(caught.value) == (
        f"test_construction.py:{line}: operators can only be used while a network is built; "
        "put them into a function decorated with @network"
    )


def test_a_tensor_of_another_network() -> None:
    kept: list[Tensor] = []

    @network
    def first() -> Tensor:
        kept.append(image(4, 4))
        return kept[0]

    @network
    def second() -> Tensor:
        image(4, 4)
        return relu(kept[0])

    @network
    def third() -> Tensor:
        image(4, 4)
        return kept[0]

    first.build()
    for broken in (second, third):
        with pytest.raises(GraphError, match="%image belongs to another network"):
            broken.build()


def test_a_network_inside_a_network_has_names_of_its_own() -> None:
    @network
    def inner() -> Tensor:
        return relu(image(2, 2))

    graphs: list[Graph] = []

    @network
    def outer() -> Tensor:
        x = relu(image(4, 4))
        graphs.append(inner.build())
        return relu(x)

    graphs.append(outer.build())
    assert [[node.name for node in graph.nodes] for graph in graphs] == [
        ["image", "relu"],
        ["image", "relu", "relu_2"],
    ]


def test_networks_may_be_built_in_several_threads_at_once() -> None:
    threads = 4
    barrier = threading.Barrier(threads)

    @network
    def deep(width: int = 8) -> Tensor:
        x = image(8, 8)
        barrier.wait(timeout=30)  # all are in the middle of building
        for index in range(20):
            with scope(f"block{index}"):
                x = relu(batch_norm(conv2d(x, width, 3, pad=1)))
        return x

    with ThreadPoolExecutor(threads) as pool:
        texts = list(pool.map(lambda width: print_graph(deep.build(width=width)), [2, 3, 2, 3]))
    assert texts[0] == texts[2] != texts[1] == texts[3]
    assert texts[0].count("= conv2d(") == 20


def test_parameters_follow_their_operator() -> None:
    @network
    def classifier() -> Tensor:
        x = image(1, 1, 4)
        return linear(flatten(x), 3, name="head")

    assert classifier.build()["head"].operands == ("reshape", "head.w", "head.b")
