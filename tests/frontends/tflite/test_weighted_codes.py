"""Layers with weights, of codes: every code is that of LiteRT's reference kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.export.litert_session import run_litert
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.interpret import interpret
from tests.frontends.tflite.weighted_models import OPERATORS, Drawn, weighted_models
from tests.tools import find_package


def compared(folder: Path, drawn: Drawn, *, compiled: bool) -> int:
    """The number of codes of the meaning, and of the C of `generic`, that were compared."""
    path = folder / "m.tflite"
    path.write_bytes(drawn.model.content())
    graph = load_tflite(path)
    x = drawn.x.reshape(graph["x"].type.shape)  # a batch of several has an axis of 1 before it
    expected = run_litert(path, {"x": x})["y"].astype(np.int64)
    np.testing.assert_array_equal(interpret(graph, {"x": x})["y"], expected)
    if compiled:
        model = netgen.compile(graph, target="generic")
        np.testing.assert_array_equal(model(x[0]), expected[0])
    return expected.size


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_few_are_those_of_litert(tmp_path: Path, operator: str) -> None:
    find_package("ai_edge_litert")
    codes = sum(compared(tmp_path, each, compiled=True) for each in weighted_models(operator, 1, 6))
    assert codes > 100


@pytest.mark.heavy
@pytest.mark.parametrize("operator", OPERATORS)
def test_many_are_those_of_litert(tmp_path: Path, operator: str) -> None:
    find_package("ai_edge_litert")
    codes = sum(
        compared(tmp_path, each, compiled=not number % 16)
        for number, each in enumerate(weighted_models(operator, 2, 500))
    )
    assert codes > 20_000
