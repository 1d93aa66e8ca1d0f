"""The official suite of the installed onnx, through its own interface: passed or refused."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from netgen.errors import NetgenError
from netgen.onnx_backend import NetgenBackend, arrays_of, prepare, read, supports_device
from tests.frontends.onnx_models import Model

if TYPE_CHECKING:
    from onnx.backend.test.case.test_case import TestCase

# Passed cases of kind `node`, at least: without their expansions, and two of each operator as C.
PASSED = 400


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


def suite() -> Sequence[TestCase]:
    """The cases, whose numbers overflow on purpose while they are made."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return load_model_tests(kind="node")


@pytest.mark.heavy
def test_node_suite() -> None:
    passed: Counter[str] = Counter()
    failed, compiled = [], Counter[str]()
    for case in suite():
        model = case.model
        if model is None or case.name.endswith("_expanded") or not case.data_sets:
            continue
        inputs, expected = case.data_sets[0]
        operator = model.graph.node[0].op_type
        try:
            graph, _ = read(model, arrays_of(inputs))
        except NetgenError:
            continue
        passed[operator] += 1
        if compiled[operator] == 2 or not graph.nodes:
            continue
        compiled[operator] += 1
        for found, wanted in zip(
            NetgenBackend.prepare(model, target="generic").run(inputs), expected, strict=True
        ):
            (array,) = arrays_of([wanted])
            half = 2e-3 if array.dtype == np.float16 else 0.0
            near = np.allclose(
                found.astype(float),
                array.astype(float),
                rtol=max(case.rtol, half),
                atol=max(case.atol, half, 1e-6),
                equal_nan=True,
            )
            if found.shape != array.shape or found.dtype != array.dtype or not near:
                failed.append(case.name)
    assert not failed
    assert passed.total() >= PASSED
