"""Quantisation as a whole: the graph that comes out, what the report says of it, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError, InputError, NetgenError, UsageError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.operator import Const
from netgen.ir.tensor_type import Array
from netgen.ir.text import print_graph
from netgen.ops import conv2d, relu
from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.quantise import Quantised, quantise
from tests.quantisation.networks import (
    COUNT,
    gated,
    grown,
    images,
    moves,
    placed,
    seeded,
    thin,
)

PLAIN = QuantizeOptions("minmax", equalise=False, correct_bias=False, round_weights=False)
NETWORKS = [thin, moves, gated, placed, grown]


def quantised(graph: Graph, options: QuantizeOptions = PLAIN, *, judge: bool = False) -> Quantised:
    return quantise(graph, images(graph), options, lambda _: None, judge_steps=judge)


def outputs(graph: Graph) -> Array:
    """The outputs for all images, by the reference interpreter."""
    (given,) = images(graph).values()
    name = graph.inputs[0].name
    return np.stack([interpret(graph, {name: x[None]})[graph.outputs[0]] for x in given])


@pytest.mark.parametrize("of", NETWORKS)
@pytest.mark.parametrize("options", [PLAIN, QuantizeOptions()])
def test_the_noise_is_that_of_the_graph(of: Network, options: QuantizeOptions) -> None:
    graph = seeded(of)
    made = quantised(graph, options)
    floats, found = outputs(graph), outputs(made.graph)
    expected = 10 * np.log10((floats**2).sum() / ((floats - found) ** 2).sum())
    (noise,) = made.walk.outputs.values()
    assert noise == pytest.approx(expected, abs=1e-3)
    assert noise > 20.0


@pytest.mark.parametrize("of", NETWORKS)
def test_weights_and_groups(of: Network) -> None:
    made = quantised(seeded(of))
    for node in made.graph.nodes:
        if isinstance(node.op, Const) and node.type.dtype == "i8":
            codes = made.graph.constant(node.name).astype(int)
            assert np.abs(codes).max() <= 127
            assert node.type.zero == 0
            if node.type.quantisation is not None and node.type.quantisation.axis is not None:
                largest = np.abs(codes).reshape(len(codes), -1).max(axis=1)
                assert (largest == 127).all()
        if node.op.operator_name in {"concat", "channel_shuffle", "max_pool2d", "reshape"}:
            kinds = {kind.quantisation for kind in made.graph.operand_types(node)}
            assert kinds == {node.type.quantisation}


def test_what_has_no_form_in_codes_stays() -> None:
    made = quantised(seeded(gated))
    assert made.floats == ("rest.hard_sigmoid",)
    assert made.graph["rest.hard_sigmoid"].type.element.is_float
    assert [made.graph[name].type.dtype for name in made.graph.outputs] == ["f32"]


def test_layers_that_are_kept() -> None:
    made = quantised(seeded(thin), replace(PLAIN, keep_float=("block",)))
    kept = [node for node in made.graph.activations if node.name in made.floats]
    assert len(kept) == 4
    assert all(node.type.element.is_float for node in kept)
    with pytest.raises(UsageError, match="no layer 'blok' to keep in floats; did you mean block"):
        quantised(seeded(thin), replace(PLAIN, keep_float=("blok",)))


def test_ports_of_codes() -> None:
    made = quantised(seeded(thin), replace(PLAIN, ports="codes"))
    ports = [*made.graph.inputs, *(made.graph[name] for name in made.graph.outputs)]
    assert [node.type.dtype for node in ports] == ["i8", "i8"]


def test_the_same_images_give_the_same_bytes() -> None:
    first, second = (quantised(seeded(moves), QuantizeOptions(), judge=True) for _ in range(2))
    assert print_graph(first.graph) == print_graph(second.graph)
    assert first.gains == second.gains
    for name, array in first.graph.constants.items():
        assert np.array_equal(array, second.graph.constants[name]), name


def test_steps_are_judged_in_order() -> None:
    made = quantised(seeded(thin), QuantizeOptions(), judge=True)
    names = [gain.step for gain in made.gains]
    expected = ["minmax", "search", "equalisation", "bias correction", "adaptive rounding"]
    assert names == expected
    assert len(quantised(seeded(thin), PLAIN, judge=True).gains) == 1


@network
def single() -> Tensor:
    """One layer of an image of many pixels."""
    return relu(conv2d(image(64, 64, 3), 4))


def test_a_step_that_harms_is_left_out() -> None:
    """The percentile cuts off the pixels that nearly all of the signal is in."""
    graph = seeded(single)
    given = images(graph, 8)
    (name,) = given
    given[name][:2, 5, 7] = 200.0  # of an image that steps are fitted to, and of one that judges
    asked = replace(PLAIN, observer="percentile")
    made = quantise(graph, given, asked, lambda _: None)
    plain, harmful = made.gains
    assert (plain.step, plain.kept) == ("minmax", True)
    assert (harmful.step, harmful.kept) == ("percentile", False)
    assert harmful.decibels < plain.decibels - 10.0
    without, with_it = (
        quantise(graph, given, options, lambda _: None, judge_steps=False).graph
        for options in (PLAIN, asked)
    )
    assert print_graph(made.graph) == print_graph(without) != print_graph(with_it)


@network
def one_sided() -> Tensor:
    """A layer that reads the second channel, as its weights are set."""
    return relu(conv2d(image(4, 4, 2), 2, bias=False))


def test_a_value_that_is_constant_in_the_half_that_steps_are_fitted_to() -> None:
    """Its range is that of all images."""
    graph = seeded(one_sided)
    (weights,) = graph.constants
    w = np.zeros_like(graph.constants[weights])
    w[..., 1] = 1.0
    graph = graph.with_constants({weights: w})
    given = images(graph)
    for array in given.values():
        array[..., 1] = np.abs(array[..., 1])
        array[::2, ..., 1] *= -1.0
    made = quantise(graph, given, PLAIN, lambda _: None)
    (gain,) = made.gains
    assert gain.decibels > 30.0


@network
def dead() -> Tensor:
    """A layer of which nothing comes."""
    return relu(conv2d(image(4, 4, 1), 2, bias=False, name="dead"))


def _broken(change: str) -> tuple[Graph, dict[str, Array]]:
    """A network and images of which something is wrong."""
    graph = seeded(dead if change == "constant" else thin)
    given = images(graph)
    (name,) = given
    if change == "constant":
        zeros = {key: np.zeros_like(array) for key, array in graph.constants.items()}
        return graph.with_constants(zeros), given
    changed = {
        "none": given[name][:0],
        "shape": given[name][:, :-1],
        "type": np.zeros(given[name].shape, np.uint8),
        "nan": np.where(np.arange(COUNT)[:, None, None, None] == 3, np.nan, given[name]),
    }
    return graph, {name: changed[change]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("none", InputError, "there are no calibration images"),
        ("shape", InputError, r"another shape than the input, expected \(N, 12, 12, 3\), found"),
        ("type", InputError, "calibration images are floats.*found uint8"),
        ("nan", InputError, "image 3: a calibration image holds numbers that are not finite"),
        ("constant", InputError, "%relu: this value is 0 everywhere, in all images"),
    ],
)
def test_refusals(change: str, error: type[NetgenError], message: str) -> None:
    graph, given = _broken(change)
    with pytest.raises(error, match=message):
        quantise(graph, given, PLAIN, lambda _: None)


def test_codes_are_not_quantised_again() -> None:
    made = quantised(seeded(thin))
    with pytest.raises(GraphError, match="has codes already"):
        quantised(made.graph)


def test_unknown_choices() -> None:
    wrong: dict[str, Any] = {"observer": "best"}
    with pytest.raises(UsageError, match="no such observer, expected one of search, minmax"):
        QuantizeOptions(**wrong)
