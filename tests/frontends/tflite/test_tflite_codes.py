"""Windows, moves and resizes of codes: 0 codes differ from LiteRT's, in NumPy and in C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError
from netgen.export.litert_session import run_litert
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.runtime.compare import relative_error
from tests.cases import heavy
from tests.frontends.tflite.code_models import OPERATORS, drawn_inputs, merged
from tests.frontends.tflite.code_reductions import REDUCTIONS
from tests.frontends.tflite.reduced_cases import FURTHER, UNJUDGED
from tests.tools import find_package

# Models of one operator; those that are compiled together, so that compilers are seldom started.
_FEW, _MANY, _TOGETHER = 4, 500, 25
# The same of operators that share their kernels with others.
_SOME = 50
Judged = tuple[Graph, dict[str, Array], dict[str, Array]]


def judged(folder: Path, operator: str, count: int) -> list[Judged]:
    """Models of an operator with inputs and LiteRT's outputs, which the reference has, too."""
    draw, found = np.random.default_rng([len(operator), *operator.encode()]), list[Judged]()
    build = OPERATORS.get(operator) or REDUCTIONS[operator]
    path, codes, refused = folder / "m.tflite", 0, 0
    while len(found) < count:
        path.write_bytes(build(draw).content())
        try:
            graph = load_tflite(path)
        except GraphError:
            refused += 1
            continue
        inputs = drawn_inputs(graph, draw)
        expected, values = run_litert(path, inputs), interpret(graph, inputs)
        outputs = {name: expected[name] for name in graph.outputs}
        for name, array in outputs.items():
            assert graph[name].type.dtype[1:] in str(array.dtype)
            np.testing.assert_array_equal(values[name], array, err_msg=str(graph[name]))
            codes += array.size
        found.append((graph, inputs, outputs))
    assert refused < count  # most are read
    assert codes > 100 * count
    return found


def check_c(models: list[Judged], target: str) -> None:
    """Compile networks side by side, and compare all outputs."""
    model = netgen.compile(merged([graph for graph, _, _ in models]), target=target)
    images = [inputs[node.name] for graph, inputs, _ in models for node in graph.inputs]
    found = model(*(image[0] for image in images))
    found = found if isinstance(found, tuple) else (found,)
    expected = [outputs[name] for graph, _, outputs in models for name in graph.outputs]
    for array, codes in zip(found, expected, strict=True):
        if codes.dtype.kind == "f":
            assert relative_error(array, codes) <= 1e-5
        else:
            np.testing.assert_array_equal(array.reshape(-1), codes.reshape(-1))


def test_the_c_of_all_operators(tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    check_c([each for name in OPERATORS for each in judged(tmp_path, name, _FEW)], "generic")


def test_the_c_of_moves_reductions_and_functions(tmp_path: Path) -> None:
    """Operators that several others stand for, or that broadcast, in one program."""
    find_package("ai_edge_litert")
    draw, path = np.random.default_rng(7), tmp_path / "m.tflite"
    models = list[Judged]()
    for name in sorted(set(FURTHER) - UNJUDGED):
        path.write_bytes(FURTHER[name][-1]().content())
        graph = load_tflite(path)
        inputs = drawn_inputs(graph, draw)
        expected = run_litert(path, inputs)
        models.append((graph, inputs, {name: expected[name] for name in graph.outputs}))
    check_c(models, "generic")


@pytest.mark.parametrize(
    ("operator", "count"),
    [
        *(heavy(name, _MANY) for name in OPERATORS),
        *(heavy(name, _SOME) for name in REDUCTIONS),
    ],
)
def test_many_of_each_operator(
    tmp_path: Path, operator: str, count: int, drawn: Callable[[int], int]
) -> None:
    """`pytest -m heavy --models 500` draws as many of every operator."""
    find_package("ai_edge_litert")
    models = judged(tmp_path, operator, drawn(count))
    apart = -(-len(models) // _TOGETHER)
    for first in range(min(4, apart)):  # a fifth of many
        check_c(models[first::apart], ("generic", "native")[first % 2])
