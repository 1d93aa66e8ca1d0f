"""Graphs of a few operators, and how far ONNX Runtime is from the interpreter on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from netgen.dsl.tensor import Tensor, constructing, finish
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.verify import verify
from netgen.weights.seeded import seeded_weights, uniform

Build = Callable[[Callable[[], "Tensor | tuple[Tensor, ...]"]], Graph]
Error = Callable[..., float]


@pytest.fixture(scope="session")
def build() -> Build:
    """A function that builds the graph of a function over tensors, with seeded weights."""

    def of(body: Callable[[], Tensor | tuple[Tensor, ...]]) -> Graph:
        with constructing() as construction:
            result = body()
            outputs = result if isinstance(result, tuple) else (result,)
            graph = finish(construction, "case", outputs)
        return verify(graph.with_constants(seeded_weights(graph)))

    return of


@pytest.fixture(scope="session")
def inputs() -> Callable[[Graph], dict[str, npt.NDArray[np.float32]]]:
    """A function that gives arrays of unit variance for the inputs of a graph."""

    def of(graph: Graph) -> dict[str, npt.NDArray[np.float32]]:
        return {
            node.name: (uniform(node.name, node.type.shape) * 3**0.5).astype(np.float32)
            for node in graph.inputs
        }

    return of


@pytest.fixture(scope="session")
def error(inputs: Callable[[Graph], Mapping[str, npt.NDArray[np.float32]]]) -> Error:
    """A function that gives ONNX Runtime's worst error against the interpreter.

    It is relative to a value's largest element, but at least to 0.1: a value of few elements may be
    zero, or what is left of terms that cancel.
    """

    def of(graph: Graph, values: Sequence[str] | None = None) -> float:
        from netgen.export.onnxruntime_session import run_onnxruntime

        images = inputs(graph)
        expected = interpret(graph, images)
        found = run_onnxruntime(graph, images, values)
        assert set(found) == set(values or graph.outputs)
        worst = 0.0
        for name, array in found.items():
            assert array.shape == expected[name].shape
            largest = max(float(np.abs(expected[name]).max()), 0.1)
            worst = max(worst, float(np.abs(array - expected[name]).max()) / largest)
        return worst

    return of
