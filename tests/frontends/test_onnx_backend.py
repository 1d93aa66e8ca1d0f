"""The official suite of the installed onnx, through its own interface: passed or refused."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from netgen.errors import BuildError, GraphError, NetgenError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.onnx_backend import (
    NetgenBackend,
    arrays_of,
    as_file_says,
    feeds_of,
    prepare,
    read,
    run_node,
    supports_device,
)
from tests.frontends.onnx_models import Model

if TYPE_CHECKING:
    from onnx.backend.test.case.test_case import TestCase

# Cases of kind `node` that are read and computed as the suite says, at least: without expansions.
PASSED = 595
# So many of each operator are compiled, the others interpreted.
COMPILED = 2


def test_inputs_are_live_or_taken_as_constants() -> None:
    model = Model({"x": (1, 3, 4, 4), "w": (2, 3, 1, 1)}).node("Conv", ["x", "w"], ["y"]).proto()
    x, w = (
        np.random.default_rng(1).standard_normal(s).astype("f")
        for s in ((1, 3, 4, 4), (2, 3, 1, 1))
    )
    prepared = prepare(model, target="generic")
    for weights in (w, 2 * w):
        (y,) = prepared.run([x, weights])
        np.testing.assert_allclose(y, np.einsum("bchw,oc->bohw", x, weights[..., 0, 0]), atol=1e-5)
    assert supports_device("CPU")
    assert not supports_device("CUDA")
    with pytest.raises(NetgenError, match="no tensor"):
        arrays_of([[x], w])


def test_what_is_prepared_stays_where_compiling_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(Model({"x": ("N", 3)}).node("Neg", ["x"], ["y"]).proto(), target="generic")
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(prepared.run([x])[0], -x)
    with monkeypatch.context() as patched:
        patched.setattr("netgen.onnx_backend.compile_graph", no_compiler)
        with pytest.raises(BuildError, match="no compiler for"):
            prepared.run([np.ones((4, 3), np.float32)])
    np.testing.assert_array_equal(prepared.run([2 * x])[0], -2 * x)
    with pytest.raises(GraphError, match="another number of inputs, expected x, found 0"):
        prepared.run([])


def no_compiler(graph: Graph, target: str) -> None:
    raise BuildError(f"no compiler for {graph.name} and {target}")


def test_constants_of_another_type_are_others() -> None:
    """The bytes of 2.0 as an integer are an exponent that is far too large."""
    model = Model({"x": (1, 3), "k": (1,)}).node("Pow", ["x", "k"], ["y"]).proto()
    prepared = prepare(model, target="generic")
    x, two = np.full((1, 3), 3, np.float32), np.full(1, 2, np.float32)
    np.testing.assert_array_equal(prepared.run([x, two])[0], 3 * x)
    with pytest.raises(NetgenError, match="an exponent that is not supported"):
        prepared.run([x, two.view(np.int32)])


def test_nodes_run_alone() -> None:
    from onnx.helper import make_node

    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    node = make_node("Reshape", ["x", "shape"], ["y"])
    (y,) = run_node(node, [x, np.array([3, -1])], target="generic")
    np.testing.assert_array_equal(y, x.reshape(3, 2))
    node = make_node("ArgMax", ["x"], ["y"], axis=1, keepdims=0)
    (y,) = run_node(node, [x], outputs_info=[(np.dtype(np.int64), (2,))], opset_version=13)
    assert y.dtype == np.int64
    assert y.tolist() == [2, 2]
    with pytest.raises(GraphError, match="another number of inputs, expected x, found 2"):
        run_node(node, [x, x])


def suite() -> Sequence[TestCase]:
    """The cases, whose numbers overflow on purpose while they are made."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return load_model_tests(kind="node")


@pytest.mark.heavy
def test_node_suite() -> None:
    agreed, compiled, failed = Counter[str](), Counter[str](), []
    for case in suite():
        model = case.model
        if model is None or case.name.endswith("_expanded") or not case.data_sets:
            continue
        inputs, expected = case.data_sets[0]
        operator = model.graph.node[0].op_type
        try:
            graph, live = read(model, arrays_of(inputs))
        except NetgenError:
            continue
        if not graph.nodes:
            continue
        compiled[operator] += 1
        if compiled[operator] <= COMPILED:
            found = NetgenBackend.prepare(model, target="generic").run(inputs)
        else:
            values = interpret(graph, feeds_of(graph, live, arrays_of(inputs)))
            found = as_file_says(model, graph, [values[name] for name in graph.outputs])
        if all(near(case, *pair) for pair in zip(found, expected, strict=True)):
            agreed[operator] += 1
        else:
            failed.append(case.name)
    assert not failed
    assert agreed.total() >= PASSED


def near(case: TestCase, found: npt.NDArray[Any], wanted: object) -> bool:
    """Whether a result is of the type and shape that the suite wants, and near to it."""
    (array,) = arrays_of([wanted])
    half = 2e-3 if array.dtype == np.float16 else 0.0
    return (found.shape, found.dtype) == (array.shape, array.dtype) and np.allclose(
        found.astype(float),
        array.astype(float),
        rtol=max(case.rtol, half),
        atol=max(case.atol, half, 1e-6),
        equal_nan=True,
    )
