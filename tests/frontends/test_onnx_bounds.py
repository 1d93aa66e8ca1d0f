"""No file makes netgen compute with sizes that it has not bounded, or fail in a foreign way."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from netgen.errors import GraphError, NetgenError, WeightsError
from netgen.frontends import onnx_versions
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_file import load_onnx
from netgen.frontends.onnx_functions import check_functions
from netgen.ir.graph import Node
from netgen.ir.operator import Input
from netgen.ir.tensor_type import TensorType
from tests.frontends.conftest import Load
from tests.frontends.onnx_models import Model, names

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

IMAGE = (1, 3, 8, 8)
TOO_MANY = "constants become larger than a model of this size needs"


def refused(load: Load, model: Model, says: str, kind: type[NetgenError] = GraphError) -> None:
    """Assert that a model is refused, without a warning of NumPy's."""
    model.faulty = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(kind, match=says):
            load(model)


@pytest.mark.parametrize("operator", ["Conv", "MaxPool", "AveragePool"])
@pytest.mark.parametrize("kind", ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("strides", [[0, 1], [1, -1]])
def test_strides_that_are_not_positive(
    load: Load, operator: str, kind: str, strides: list[int]
) -> None:
    model = Model({"x": IMAGE})
    inputs = ["x", model.weights("w", 4, 3, 3, 3)] if operator == "Conv" else ["x"]
    model.node(operator, inputs, ["y"], kernel_shape=[3, 3], strides=strides, auto_pad=kind)
    refused(load, model, r"strides needs two numbers, expected at least 1, found \[")


@pytest.mark.parametrize(
    ("size", "says"),
    [(10**12, "kernel_shape has a number that is too large"), (10**6, "padded too much")],
)
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
def test_kernels_beyond_any_image(load: Load, operator: str, size: int, says: str) -> None:
    model = Model({"x": IMAGE})
    window = {"kernel_shape": [size, size], "strides": [size, size]}
    refused(load, model.node(operator, ["x"], ["y"], **window, ceil_mode=1), says)


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("MaxPool", {"kernel_shape": [1, 1], "pads": [2**31, 0, 0, 0]}),
        ("MaxPool", {"kernel_shape": [1, 1], "strides": [2**63 - 1, 1]}),
        ("MaxPool", {"kernel_shape": [1, 1], "dilations": [1, -(2**63)]}),
        ("Softmax", {"axis": 2**31}),
        ("Transpose", {"perm": [0, 1, 2, 2**40]}),
    ],
)
def test_integers_that_no_tensor_has(
    load: Load, operator: str, attributes: dict[str, int | list[int]]
) -> None:
    model = Model({"x": IMAGE}).node(operator, ["x"], ["y"], **attributes)
    refused(load, model, "too large, expected at most 2147483647, found")


def test_attribute_of_a_function_that_is_not_there(tmp_path: Path) -> None:
    proto = Model({"x": (1, 3)}).node("Softmax", ["x"], ["y"], axis=1).proto()
    proto.graph.node[0].attribute[0].ref_attr_name = "axis"
    proto.graph.node[0].attribute[0].ClearField("i")
    with pytest.raises(GraphError, match=r"refers to an attribute of a function, .* found axis"):
        load_onnx(written(tmp_path, proto))


def written(folder: Path, proto: ModelProto) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def with_functions(bodies: list[list[NodeProto]], opset: int = 17) -> ModelProto:
    """A model that calls the first of these functions, f0, f1 and so on, on its input."""
    from onnx.helper import make_function, make_node, make_opsetid

    proto = Model({"x": (1, 3)}).node("Relu", ["r"], ["y"]).proto()
    proto.graph.node.insert(0, make_node("f0", ["x"], ["r"], domain="own", k=2.0))
    imports = [make_opsetid("", opset), make_opsetid("own", 1)]
    proto.functions.extend(
        make_function("own", f"f{number}", ["a"], ["c"], body, imports, ["k"])
        for number, body in enumerate(bodies)
    )
    proto.opset_import.append(make_opsetid("own", 1))
    proto.graph.output[0].type.tensor_type.shape.dim.add()
    return proto


def test_functions_are_written_out(tmp_path: Path) -> None:
    from onnx.helper import make_node

    body = make_node("HardSigmoid", ["a"], ["c"], beta=0.5)
    body.attribute.add(name="alpha", ref_attr_name="k", type=1)
    graph = load_onnx(written(tmp_path, with_functions([[body]])))
    assert names(graph) == ["batch_norm", "hard_sigmoid", "relu"]
    assert 12.0 in graph.constant(graph.activations[0].operands[1])


def test_functions_of_another_opset_are_refused(tmp_path: Path) -> None:
    from onnx.helper import make_node

    proto = with_functions([[make_node("Relu", ["a"], ["c"])]], opset=12)
    with pytest.raises(GraphError, match="imports version 12"):
        load_onnx(written(tmp_path, proto))


def test_functions_that_come_to_too_many_nodes(tmp_path: Path) -> None:
    from onnx.helper import make_node

    bodies = [
        [make_node(f"f{n + 1}", [x], [y], domain="own") for x, y in (("a", "b"), ("b", "c"))]
        for n in range(60)
    ]
    proto = with_functions([*bodies, [make_node("Relu", ["a"], ["c"])]])
    with pytest.raises(GraphError, match=rf"come to too many nodes, .* found {2**60 + 1}"):
        load_onnx(written(tmp_path, proto))


def test_functions_that_call_themselves(tmp_path: Path) -> None:
    from onnx.helper import make_node

    proto = with_functions([[make_node("f0", ["a"], ["c"], domain="own")]])
    with pytest.raises(GraphError):
        load_onnx(written(tmp_path, proto))
    # onnx finds most rings, and says so; this must hold where it does not.
    with pytest.raises(GraphError, match=r"^m: functions of the model call themselves, found f0"):
        check_functions(proto, "m")


def pairs(model: Model) -> Model:
    return model.node("Mul", [model.weights("a", 10**4, 1), model.weights("b", 1, 10**4)], ["k"])


def rows(model: Model) -> Model:
    places = model.constant("i", [0] * 10**4, "int64")
    return model.node("Gather", [model.weights("a", 1, 10**4), places], ["k"])


def choices(model: Model) -> Model:
    condition = model.constant("c", np.ones((10**4, 1)), "bool")
    return model.node("Where", [condition, *[model.weights("a", 10**4)] * 2], ["k"])


def repeated(model: Model) -> Model:
    return model.node("Expand", ["a", model.constant("s", [10**5, 10**5], "int64")], ["k"])


@pytest.mark.parametrize("build", [pairs, rows, choices, repeated])
def test_constants_that_grow(load: Load, build: Callable[[Model], Model]) -> None:
    model = Model({"x": (1, 3)})
    model.weights("a", 1)
    refused(load, build(model).node("Add", ["x", "k"], ["y"]), TOO_MANY)


def test_constant_that_doubles(load: Load) -> None:
    model = Model({"x": (1, 3)})
    model.weights("k0", 3)
    for n in range(40):
        model.node("Concat", [f"k{n}"] * 2, [f"k{n + 1}"], axis=0)
    refused(load, model.node("Add", ["x", "k40"], ["y"]), rf"k2\d \(Concat\): {TOO_MANY}")


def test_one_number_for_very_many_channels(load: Load) -> None:
    model = Model({"x": (1, 10**8)})
    refused(load, model.node("Mul", ["x", model.constant("two", 2.0)], ["y"]), TOO_MANY)


def test_weights_that_every_node_reads_again(load: Load) -> None:
    model = Model({"x": (1, 1000)})
    model.weights("w", 1000, 1000)
    for n in range(60):
        model.node("MatMul", [f"x{n}" if n else "x", "w"], [f"x{n + 1}"])
    refused(load, model.node("Relu", ["x60"], ["y"]), rf"\(MatMul\): {TOO_MANY}")


@pytest.mark.parametrize("shape", [(10**8, 4, 1, 1), (2100, 4, 2, 2)])
def test_very_many_images(load: Load, shape: tuple[int, ...]) -> None:
    """The second ones are turned before they are pooled."""
    model = Model({"x": shape}).node("MaxPool", ["x"], ["y"], kernel_shape=[1, 1])
    refused(load, model, "more images than netgen writes out")


def test_weights_of_many_images_are_made_once(load: Load) -> None:
    """All other elements of the file's budget are those of one image."""
    model = Model({"x": (48, 512, 1, 1)})
    model.node("Conv", ["x", model.weights("w", 512, 512, 3, 3)], ["y"], pads=[1] * 4)
    graph = load(model)
    assert len(graph.constants) == 1
    assert names(graph).count("conv2d") == 48


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
def test_very_long_borders(load: Load, mode: str) -> None:
    """They are refused before their places are listed."""
    model = Model({"x": (1, 3)})
    border = model.constant("p", [0, 2**31 - 1, 0, 2**31 - 1], "int64")
    tracemalloc.start()
    refused(load, model.node("Pad", ["x", border], ["y"], mode=mode), TOO_MANY)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**26


@pytest.mark.parametrize("count", [20_000, 2**22])
def test_list_of_very_many_channels(load: Load, count: int) -> None:
    model = Model({"x": (1, 3)})
    places = model.constant("i", [0], "int64"), model.constant("s", [count], "int64")
    model.node("Expand", places, ["many"]).node("Gather", ["x", "many"], ["y"], axis=1)
    refused(load, model, TOO_MANY)


def test_tensors_of_too_many_axes(load: Load) -> None:
    shape = Model({"x": (1, 3)})
    shape.node("Reshape", ["x", shape.constant("s", [1] * 32 + [3], "int64")], ["y"])
    refused(load, shape, "a tensor of too many axes, expected at most 32, found 33")
    refused(load, Model({"x": (1,) * 33}).node("Relu", ["x"], ["y"]), "input x: a tensor of too m")


@pytest.mark.parametrize(
    ("operator", "constant", "attributes"),
    [
        ("Div", np.full((1, 6), 1e-45, np.float32), {}),
        ("Add", np.full((1, 6), 1e300), {}),
        ("Gemm", np.full((6, 4), 3e38, np.float32), {"alpha": 3e38}),
    ],
)
def test_arithmetic_that_leaves_float32(
    load: Load, operator: str, constant: npt.NDArray[np.floating], attributes: dict[str, float]
) -> None:
    model = Model({"x": (1, 6)})
    k = model.constant("k", constant, str(constant.dtype))
    refused(load, model.node(operator, ["x", k], ["y"], **attributes), "not finite", WeightsError)


@pytest.mark.parametrize("kind", ["complex64", "complex128", "object"])
@pytest.mark.parametrize("operator", ["Add", "Clip", "MatMul", "Expand"])
def test_constants_that_are_no_real_numbers(load: Load, operator: str, kind: str) -> None:
    values = np.array([["a"]], object) if kind == "object" else np.ones((1, 1))
    model = Model({"x": (1, 1)})
    k = model.constant("k", values, kind)
    inputs = ["x", k] if operator != "Expand" else [k, model.constant("s", [1, 1], "int64")]
    model.node(operator, inputs, ["e"]).node("Add", ["x", "e"], ["y"])
    refused(load, model, "element type that netgen does not read", NetgenError)


def test_two_opsets_of_onnx_itself(tmp_path: Path) -> None:
    from onnx.helper import make_opsetid

    proto = Model({"x": (1, 3)}).node("Relu", ["x"], ["y"]).proto()
    proto.opset_import.append(make_opsetid("ai.onnx", 13))
    with pytest.raises(GraphError, match=r"this opset is not supported, .* found 13 and 17"):
        load_onnx(written(tmp_path, proto))


def test_version_of_an_operator_that_is_too_new(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(onnx_versions.NEWEST, "Relu", 13)
    refused(
        load,
        Model({"x": (1, 3)}).node("Relu", ["x"], ["y"]),
        "version 14 of the operator is not supported, expected at most 13; .* opset below 14",
    )


def test_names_that_become_one() -> None:
    """Each finds a free number without trying all those before it."""

    class Counted(dict[str, Node]):
        asked = 0

        def __contains__(self, key: object) -> bool:
            Counted.asked += 1
            return super().__contains__(key)

    builder = Builder([])
    builder.nodes = Counted()
    given = set()
    for number in range(200):
        name = builder.fresh("/" * number)
        builder.nodes[name] = Node(name, Input(), (), TensorType("f32", (1,)))
        given.add(name)
    assert len(given) == 200
    assert Counted.asked < 1000
