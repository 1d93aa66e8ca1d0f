from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import netgen
from netgen.compiler import Lowered, lower
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import VerifyError
from netgen.ir.graph import Graph
from netgen.kernels.targets import Target
from netgen.ops import conv2d, relu
from netgen.plan.data.options import PlanOptions
from netgen.report.verify import require_agreement, verify_graph
from netgen.runtime.compare import Comparison


def test_require_agreement() -> None:
    require_agreement(Comparison(1e-6, ()), 1e-6)
    for error in (2e-6, float("inf"), float("nan")):
        with pytest.raises(VerifyError, match=r"found .*netgen verify --layers"):
            require_agreement(Comparison(error, ()), 1e-6)


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
