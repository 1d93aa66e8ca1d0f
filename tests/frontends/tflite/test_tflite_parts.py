"""Parts of files: networks that end where the user says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError, UsageError
from netgen.export.judge_process import JudgeProcess
from netgen.export.litert_session import LiteRT
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.report.verify import verify_graph
from netgen.runtime.compare import relative_error, seeded_inputs
from tests.frontends.tflite.operator_models import IMAGE
from tests.frontends.tflite.tflite_models import VALID, Model
from tests.tools import find_package


def detector() -> Model:
    """Boxes and scores, and what no other tool has behind them."""
    model = Model({"x": IMAGE}, ("found",))
    for name, outputs in (("head/boxes", 8), ("head/scores", 6)):
        w = [model.weights(f"{name}.w", outputs, 1, 1, 6), model.weights(f"{name}.b", outputs)]
        model.tensor(name, (1, 9, 8, outputs))
        model.node("CONV_2D", ["x", *w], [name], Padding=VALID, StrideH=1, StrideW=1)
    model.tensor("p", (1, 9, 8, 6))
    model.node("LOGISTIC", ["head/scores"], ["p"])
    model.node("CUSTOM", ["head/boxes", "p"], ["found"])
    model.codes[-1].fields["CustomCode"] = "Choose_Boxes"
    return model


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "detector.tflite"
    path.write_bytes(detector().content())
    return path


def test_a_custom_operator_names_what_to_end_with(file: Path) -> None:
    with pytest.raises(GraphError, match="--outputs head/boxes,p: 3 CUSTOM Choose_Boxes found"):
        load_tflite(file)


def test_a_network_ends_at_the_outputs_that_are_named(file: Path) -> None:
    find_package("ai_edge_litert")
    graph = load_tflite(file, outputs="head/boxes, p")
    assert graph.outputs == ("head.boxes", "p")
    assert graph.origin is not None
    assert graph.origin.parameters == {"outputs": "head/boxes, p"}
    inputs = seeded_inputs(graph)
    # The rest of the file, which LiteRT does not know, is not run.
    expected, found = LiteRT(file, "head/boxes,p").run(inputs), interpret(graph, inputs)
    for name in graph.outputs:
        assert relative_error(found[name], expected[name]) <= 2e-6


def test_what_no_output_needs_is_left_out(file: Path) -> None:
    graph = netgen.load(str(file), outputs="head.boxes")
    assert [node.op.operator_name for node in graph.activations] == ["conv2d"]


@pytest.mark.parametrize(
    ("outputs", "part"),
    [
        ("nothing", "expected one of found, p, head/scores, head/boxes, found nothing"),
        (",", "no output is named"),
    ],
)
def test_outputs_that_are_none(file: Path, outputs: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        load_tflite(file, outputs=outputs)


def test_a_part_is_verified(file: Path) -> None:
    find_package("ai_edge_litert")
    graph = load_tflite(file, outputs="p")
    comparison = verify_graph(graph, "generic", "tflite", file=file)
    assert comparison.max_relative_error <= 1e-6


class Aborting(LiteRT):
    """A judge that ends its process, as failed checks in LiteRT do."""

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        del inputs
        os.abort()


def test_a_judge_that_ends_its_process(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_package("ai_edge_litert")
    # Its process looks for the class of the judge, which is here.
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    judge = JudgeProcess(Aborting, file, "p")
    with pytest.raises(GraphError, match="ends itself while it runs this file, found exit code -6"):
        judge.run({"x": np.zeros(IMAGE, np.float32)})
