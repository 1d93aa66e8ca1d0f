from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import netgen
from netgen.compiler import Lowered, lower
from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import UsageError, VerifyError
from netgen.ir.graph import Graph
from netgen.kernels.targets import Target
from netgen.ops import channel_shuffle, concat, conv2d, dequantize, dropout, quantize, relu
from netgen.ops.quantize import Quantize
from netgen.plan.data.options import PlanOptions
from netgen.report.verify import agreement_text, require_agreement, verify_graph
from netgen.runtime.compare import CodeErrors, Comparison


def test_require_agreement() -> None:
    require_agreement(Comparison(1e-6, ()), 1e-6)
    for error in (2e-6, float("inf"), float("nan")):
        with pytest.raises(VerifyError, match=r"found .*netgen verify --layers"):
            require_agreement(Comparison(error, ()), 1e-6)


def test_a_wrong_code_is_no_agreement_however_small_the_error() -> None:
    require_agreement(Comparison(0.0, (), CodeErrors(0, 9, 0), CodeErrors(3, 9, 1)), 1e-6)
    wrong = Comparison(1e-9, (), CodeErrors(1, 9000, 2))
    with pytest.raises(VerifyError, match="first in the outputs: 1 of 9,000, by 2 at most"):
        require_agreement(wrong, 1e-6)


@network
def branches() -> tuple[Tensor, ...]:
    x = image(5, 6, 3)
    y = conv2d(x, 4, 3, pad=1)
    return relu(y), y, x


def test_several_outputs() -> None:
    comparison = verify_graph(netgen.load(branches), "generic", "numpy")
    assert comparison.max_relative_error < 1e-6
    assert "conv2d" in [layer.name for layer in comparison.layers]


def test_a_wrong_weight_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = netgen.load("mobilenet_v2", alpha=0.35, input_size=32, classes=4)

    def spoiled(graph: Graph, target: Target, memory: PlanOptions) -> Lowered:
        lowered = lower(graph, target, memory)
        weights = lowered.plan.steps[-1].weights
        assert weights is not None
        packed = lowered.packed.copy()
        packed[weights.offset : weights.offset + 4].view(np.float32)[:] += 0.25
        return replace(lowered, packed=packed)

    monkeypatch.setattr("netgen.report.verify.lower", spoiled)
    comparison = verify_graph(graph, "generic", "numpy")
    assert comparison.max_relative_error > 1e-4
    assert all(layer.max_relative_error < 1e-5 for layer in comparison.layers[:-1])
    assert comparison.layers[-1].max_relative_error == comparison.max_relative_error


# Codes as fine as these are moved by the last bits of a sum, in whatever order it is taken.
FINE = 1e-4


@network
def rounded(scale: float = FINE) -> Tensor:
    x = conv2d(image(32, 32, 8), 8, 3, pad=1)
    return relu(dequantize(quantize(x, scale, 100, "i16"), name="real"))


@network
def moved(scale: float = FINE) -> tuple[Tensor, ...]:
    """The codes are of values that no step computes, and of one in the memory of an output."""
    x = image(16, 16, 8)
    a, b = conv2d(x, 8, 3, pad=1), conv2d(x, 8, 3, pad=1)
    both = concat(relu(a), b)
    shuffled = dropout(relu(channel_shuffle(concat(conv2d(x, 8, 1), conv2d(x, 8, 1)), 2)))
    return both, quantize(b, scale, 3, "i16"), quantize(shuffled, scale, -3, "i16")


@pytest.mark.parametrize("net", [rounded, moved])
def test_codes_are_those_of_the_floats_that_were_measured(net: Network) -> None:
    comparison = verify_graph(netgen.load(net), "generic", "numpy")
    require_agreement(comparison, 1e-5)
    codes, whole = comparison.codes, comparison.end_to_end
    assert codes is not None
    assert whole is not None
    assert (codes.count, codes.largest) == (0, 0)
    assert codes.total == sum(
        layer.codes.total for layer in comparison.layers if layer.codes is not None
    )
    # The reference by itself has other codes, so that it could not judge.
    assert 0 < whole.count < whole.total / 50
    assert (whole.total, whole.largest) == (codes.total, 1)
    assert f"step by step: 0 of {codes.total:,}; " in agreement_text(comparison, "numpy")
    assert str(whole) in agreement_text(comparison, "numpy")


@pytest.mark.parametrize("net", [rounded, moved])
def test_a_wrong_code_is_found(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    other = netgen.load(net, scale=FINE * 1.001)
    monkeypatch.setattr("netgen.report.verify.lower", lambda _, *rest: lower(other, *rest))
    comparison = verify_graph(netgen.load(net), "generic", "numpy")
    with pytest.raises(VerifyError, match="follow from the operands of their step, found others"):
        require_agreement(comparison, 1e-5)
    wrong = {layer.name for layer in comparison.layers if layer.codes and layer.codes.count}
    assert wrong == {node.name for node in other.nodes if isinstance(node.op, Quantize)}


@pytest.mark.parametrize("net", [rounded, moved])
def test_wrong_floats_before_codes_are_found(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(graph: Graph, target: Target, memory: PlanOptions) -> Lowered:
        lowered = lower(graph, target, memory)
        packed = lowered.packed.copy()
        packed.view(np.float32)[:] *= 1.001
        return replace(lowered, packed=packed)

    monkeypatch.setattr("netgen.report.verify.lower", spoiled)
    comparison = verify_graph(netgen.load(net), "generic", "numpy")
    assert comparison.codes is not None
    assert comparison.codes.count == 0
    assert comparison.max_relative_error > 1e-4
    errors = {layer.name: layer.max_relative_error for layer in comparison.layers}
    assert {name for name, error in errors.items() if error > 1e-4} == (
        {"conv2d"} if net is rounded else {"conv2d_2", "concat", "relu", "relu_2"}
    )


@network
def coded() -> Tensor:
    return dequantize(concat(*(quantize(image(4, 4, 3), 0.5, 7) for _ in range(2))))


def test_codes_of_inputs_are_the_same_for_everyone() -> None:
    comparison = verify_graph(netgen.load(coded), "generic", "numpy")
    assert comparison.codes is not None
    assert comparison.codes.count == 0
    assert comparison.end_to_end is None
    assert comparison.max_relative_error < 1e-6


def test_onnxruntime_is_given_no_codes() -> None:
    with pytest.raises(UsageError, match=r"%quantize: .* with ONNX Runtime.*use --against numpy"):
        verify_graph(netgen.load(rounded), "generic", "onnxruntime")
