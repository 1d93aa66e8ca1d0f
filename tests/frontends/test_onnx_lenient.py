"""Files that are mended as ONNX Runtime does it, and open axes that the caller binds."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

import netgen
from netgen.cli.main import main
from netgen.errors import GraphError, UsageError
from netgen.frontends.onnx_file import load_onnx
from tests.frontends.conftest import Agree, Load
from tests.frontends.onnx_models import Model
from tests.frontends.test_onnx_faults import convolution, message

IMAGE = (1, 3, 8, 8)


def test_open_axes_are_bound(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(convolution(Model({"x": (1, 3, "height", None)})).proto().SerializeToString())
    for graph in (
        load_onnx(path, shapes={"x": (1, 3, 9, 7)}),
        netgen.load(str(path), shapes={"x": (1, 3, 9, 7)}, height="9"),
    ):
        assert graph["x"].type.shape == (1, 3, 9, 7)
    for wrong, expected in (
        ({"x": (1, 3, 9)}, "a shape of another rank, expected 4 axes, found 1,3,9"),
        ({"x": (1, 4, 9, 7)}, "axis 1 is not open, expected 3, found 4"),
    ):
        assert expected in message(GraphError, partial(load_onnx, path, shapes=wrong))
    for shapes, axes, expected in (
        ({"z": (1,)}, {}, "there is no such input or open axis, expected one of height, x, found"),
        ({}, {"width": 3}, "found width"),
        ({}, {"height": "tall"}, "no number of elements.* found height=tall"),
        ({"x": (0, 3, 9, 7)}, {}, "expected whole numbers of at least 1"),
    ):
        text = message(UsageError, partial(load_onnx, path, shapes=shapes, axes=axes))
        assert re.search(expected, text)


@pytest.mark.parametrize("axis", ["shapes", "path", "axes", "model", "weights", "named"])
def test_axes_of_any_name_are_bound(tmp_path: Path, axis: str) -> None:
    """Also by those that functions of Python have for their own arguments."""
    path = tmp_path / "m.onnx"
    path.write_bytes(convolution(Model({"x": (1, 3, axis, 7)})).proto().SerializeToString())
    result = CliRunner().invoke(main, ["show", str(path), "--format", "text", "-p", f"{axis}=9"])
    assert not result.exit_code, result.output
    assert "%x" in result.output
    assert "f32[1,3,9,7]" in result.output
    text = message(UsageError, lambda: netgen.load(str(path), named={"other": 9}))
    assert "there is no such input or open axis" in text
    text = message(UsageError, lambda: netgen.load(str(path), shapes=9))
    assert "expected shapes by the names of inputs, found 9" in text


def test_nodes_in_any_order_and_branches_that_nothing_reads(load: Load) -> None:
    model = Model({"x": IMAGE}, faulty=True).node("Relu", ["x"], ["r"]).node("Abs", ["r"], ["y"])
    model.node("Det", ["x"], ["unread"])
    model.nodes[:2] = model.nodes[1::-1]
    graph = load(model)
    assert [node.op.operator_name for node in graph.activations] == ["relu", "absolute"]


def branches(known: bool) -> Model:
    """An If whose branches read what stands outside, by a condition that is known or computed."""
    from onnx import TensorProto
    from onnx.helper import make_graph, make_node, make_tensor_value_info

    model = Model({"x": IMAGE}, faulty=True)
    graphs = {
        f"{name}_branch": make_graph(
            [make_node(operator, ["r"], [f"{name}.y"])],
            name,
            [],
            [make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, IMAGE)],
        )
        for name, operator in (("then", "Sigmoid"), ("else", "Tanh"))
    }
    model.node("Relu", ["x"], ["r"]).node("ReduceMax", ["x"], ["m"], keepdims=0)
    model.node("Greater", ["m", model.constant("low", 0.0)], ["c"])
    condition = model.constant("known", False, "bool") if known else "c"
    return model.node("If", [condition], ["i"], **graphs).node("Abs", ["i"], ["y"])


def test_branch_that_is_known(agree: Agree) -> None:
    graph = agree(branches(known=True))
    assert [node.op.operator_name for node in graph.activations] == ["relu", "tanh", "absolute"]


def test_branch_that_depends_on_the_input(load: Load) -> None:
    text = message(GraphError, lambda: load(branches(known=False)))
    assert "the_If_of_i (If): the condition depends on the input" in text


def test_operators_that_onnx_defines_by_others(agree: Agree) -> None:
    model = Model({"x": (2, 3, 6)}, opset=17)
    w, b = model.weights("w", 6), model.weights("b", 6)
    agree(model.node("LayerNormalization", ["x", w, b], ["y"], epsilon=0.01))
