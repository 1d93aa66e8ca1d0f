"""The deepest stack, from call graphs as gcc writes them."""

from __future__ import annotations

import pytest

from netgen.errors import BuildError
from netgen.runtime.footprint import deepest, read_call_graph

GRAPH = r"""graph: { title: "model.c"
node: { title: "model.c:low" label: "low\nmodel.c:1:12\n16 bytes (static)\n0 dynamic objects" }
node: { title: "model.c:deep" label: "deep\nmodel.c:5:12\n100 bytes (static)\n0 dynamic objects" }
node: { title: "model_run" label: "model_run\nmodel.c:9:9\n40 bytes (static)\n0 dynamic objects" }
node: { title: "memcpy" label: "__builtin_memcpy\n<built-in>" shape : ellipse }
edge: { sourcename: "model_run" targetname: "model.c:low" label: "model.c:10:5" }
edge: { sourcename: "model_run" targetname: "model.c:deep" label: "model.c:11:5" }
edge: { sourcename: "model.c:deep" targetname: "model.c:low" label: "model.c:6:5" }
edge: { sourcename: "model.c:low" targetname: "memcpy" label: "model.c:2:5" }
}
"""


def test_the_deepest_chain_of_calls_is_found() -> None:
    stack, chain = deepest(*read_call_graph(GRAPH))
    assert stack == 40 + 100 + 16
    assert chain == ("model_run", "deep", "low", "memcpy")


def test_a_stack_that_grows_is_refused() -> None:
    with pytest.raises(BuildError, match="the stack of model_run is dynamic"):
        read_call_graph(GRAPH.replace("40 bytes (static)", "40 bytes (dynamic)"))


def test_recursion_is_refused() -> None:
    back = 'edge: { sourcename: "model.c:low" targetname: "model_run" label: "" }\n'
    with pytest.raises(BuildError, match="calls itself"):
        deepest(*read_call_graph(GRAPH + back))
