"""The steps of quantisation one by one, judged by brute force and by plain formulas."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array, Quantisation
from netgen.ops.linear import Linear
from netgen.quantisation.blame import blamed
from netgen.quantisation.equalise import equalise
from netgen.quantisation.options import Observer, QuantizeOptions
from netgen.quantisation.quantise import prepared, quantise
from netgen.quantisation.ranges import Histogram, chosen
from netgen.quantisation.rounding import adapted
from netgen.quantisation.scheme import scheme_of
from netgen.quantisation.statistics import channel_statistics
from netgen.quantisation.walk import LayerNoise
from netgen.quantisation.weights import along_outputs, nearest, weight_scales
from netgen.weights.seeded import uniform
from tests.quantisation.networks import images, seeded, thin


def squared_error(x: Array, codes: Quantisation) -> float:
    assert isinstance(codes.scale, float)
    rounded = np.clip(np.round(x / codes.scale + codes.zero), -128, 127)
    return float((((rounded - codes.zero) * codes.scale - x) ** 2).sum())


@pytest.mark.parametrize("low", [0.0, -3.0])
def test_observers(low: float) -> None:
    x = np.maximum(uniform("x", (200, 50, 4)) ** 5, low / 8)
    x[0, 0, 0] = 8.0  # far beyond all others
    found: dict[Observer, Quantisation] = {}
    for observer in ("minmax", "percentile", "mse", "search"):
        histogram = Histogram(float(x.min()), 8.0, np.zeros(4096), np.zeros(4096))
        histogram.add(x, np.array([1.0, 0.0, 0.0, 0.0]))
        found[observer] = chosen(histogram, observer)
    errors = {name: squared_error(x, codes) for name, codes in found.items()}
    assert errors["mse"] <= min(errors.values()) * 1.01
    first = {name: squared_error(x[..., :1], codes) for name, codes in found.items()}
    assert first["search"] <= min(first.values()) * 1.01
    whole = found["minmax"].scale
    assert isinstance(whole, float)
    assert whole == pytest.approx((8.0 - min(float(x.min()), 0.0)) / 255, rel=1e-6)


def test_adaptive_rounding_is_a_least_error() -> None:
    """No other way to round the four weights of an output is much better, none by one weight."""
    x = (uniform("x", (64, 1, 4)) @ uniform("mix", (4, 4)) + 0.3).astype(np.float32)
    w = uniform("w", (6, 4)).astype(np.float32)
    scales = weight_scales(w, np.zeros(6), 1.0) * np.float32(16.0)
    near = nearest(w, scales)
    found = adapted(Linear(), w, scales, near, x)
    real = w / along_outputs(scales, w)
    flat = x.reshape(64, 4).astype(np.float64)

    def error(codes: Array, output: int) -> float:
        return float(((flat @ (codes - real[output])) ** 2).mean())

    total = {"found": 0.0, "near": 0.0}
    for o in range(6):
        ways = [
            np.array(way) for way in product(*zip(np.floor(real[o]), np.ceil(real[o]), strict=True))
        ]
        best = min(error(way, o) for way in ways)
        assert error(found[o], o) <= error(near[o], o)
        assert error(found[o], o) <= 1.6 * best + 1e-9
        total["found"] += error(found[o], o)
        total["near"] += error(near[o], o)
    assert total["found"] < 0.9 * total["near"]


def test_equalisation_changes_no_output() -> None:
    graph = prepared(seeded(thin))
    (name,) = (node.name for node in graph.inputs)
    batch = {name: images(graph)[name][:, None]}
    scheme = scheme_of(graph, ())
    found = equalise(graph, scheme, channel_statistics(graph, batch, lambda _: None))
    assert len(found.factors) >= 2
    for x in batch[name][:3]:
        before, after = interpret(graph, {name: x}), interpret(found.graph, {name: x})
        for value, factors in found.factors.items():
            assert np.allclose(after[value], before[value] * factors, atol=1e-4)
        (output,) = graph.outputs
        assert np.allclose(after[output], before[output], rtol=1e-4, atol=1e-5)
    assert all((factors >= 1.0).all() for factors in found.factors.values())


def test_bias_correction_moves_means() -> None:
    """The means of outputs over the images it was fitted to come closer to those of floats."""
    graph = seeded(thin)
    given = images(graph)
    (name,) = given
    off = QuantizeOptions("minmax", equalise=False, correct_bias=False, round_weights=False)
    on = QuantizeOptions("minmax", equalise=False, round_weights=False)

    def means(options: QuantizeOptions | None) -> Array:
        used = graph
        if options is not None:
            used = quantise(graph, given, options, lambda _: None, judge_steps=False).graph
        (output,) = used.outputs
        found = [interpret(used, {name: x[None]})[output] for x in given[name]]
        return np.asarray(np.mean(found, axis=0))

    floats = means(None)
    assert np.abs(means(on) - floats).sum() < 0.7 * np.abs(means(off) - floats).sum()


def test_layers_to_blame() -> None:
    def noise(name: str, accumulated: float, alone: float, weights: float | None) -> LayerNoise:
        return LayerNoise(name, "conv2d", accumulated, alone, weights)

    options = QuantizeOptions("minmax")
    layers = [noise("a", 30.0, 30.0, 40.0), noise("b", 9.0, 10.0, 12.0), noise("c", 8.0, 9.0, 40.0)]
    found = blamed([*layers, noise("d", 8.0, 30.0, 40.0)], 15.0, options)
    assert [each.name for each in found] == ["b", "c"]
    assert "its weights do not fit into 8 bits: --keep-float b" in found[0].reason
    assert "--observer search, or --keep-float c" in found[1].reason
    (only,) = blamed([noise("a", 14.0, 30.0, 40.0)], 15.0, options)
    assert "their noise adds up" in only.reason
