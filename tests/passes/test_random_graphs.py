"""Passes on random graphs: outputs stay, the verifier is content, a second time changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.text import print_graph
from netgen.ir.verify import verify
from netgen.passes import PIPELINE, Pass, run_pipeline
from netgen.weights.seeded import seeded_weights, uniform
from tests.cases import examples
from tests.ir.random_graphs import graphs


@pytest.mark.parametrize("rewrite", [*PIPELINE, run_pipeline], ids=lambda rewrite: rewrite.__name__)
@given(graphs(most=10))
@examples(30)
def test_outputs_are_kept(rewrite: Pass, graph: Graph) -> None:
    check(rewrite, graph)


@pytest.mark.heavy
@pytest.mark.parametrize("rewrite", [*PIPELINE, run_pipeline], ids=lambda rewrite: rewrite.__name__)
@given(graphs(most=10))
@examples(150)
def test_outputs_of_more_graphs_are_kept(rewrite: Pass, graph: Graph) -> None:
    check(rewrite, graph)


def check(rewrite: Pass, graph: Graph) -> None:
    graph = verify(graph.with_constants(seeded_weights(graph)))
    after = verify(rewrite(graph))
    image = {node.name: 2.0 * uniform("image", node.type.shape) for node in graph.inputs}
    expected, found = interpret(graph, image), interpret(after, image)
    largest = max(1.0, *(float(np.abs(value).max()) for value in expected.values()))
    for old, new in zip(graph.outputs, after.outputs, strict=True):
        np.testing.assert_allclose(found[new], expected[old], rtol=0, atol=1e-6 * largest)
    assert print_graph(rewrite(after)) == print_graph(after)
    assert [node.name for node in after.inputs] == [node.name for node in graph.inputs]
