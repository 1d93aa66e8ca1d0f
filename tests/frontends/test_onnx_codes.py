"""Files of codes: ONNX's QLinear operators, and those that ONNX Runtime's quantiser writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

import netgen
from netgen.errors import GraphError
from netgen.export.onnxruntime_session import open_session
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import ELEMENTS, Array
from netgen.ops.conv2d import Conv2d
from netgen.passes import run_pipeline
from tests.frontends.onnx_models import Floats, Model
from tests.tools import find_package

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

IMAGE = (1, 3, 12, 12)
DRAW = np.random.default_rng


def loaded(content: bytes, folder: Path) -> Graph:
    path = folder / "codes.onnx"
    path.write_bytes(content)
    return load_onnx(path)


def codes_model(
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    **arrays: npt.ArrayLike,
) -> ModelProto:
    """A model of nodes, also of ONNX Runtime's own."""
    from onnx.helper import make_graph, make_model, make_opsetid
    from onnx.numpy_helper import from_array

    initializers = [from_array(np.asarray(array), name) for name, array in arrays.items()]
    graph = make_graph(nodes, "codes", inputs, outputs, initializers)
    opsets = [make_opsetid("", 21), make_opsetid("com.microsoft", 1)]
    return make_model(graph, opset_imports=opsets, ir_version=10)


def typed(name: str, kind: npt.DTypeLike, shape: tuple[int, ...]) -> ValueInfoProto:
    from onnx.helper import make_tensor_value_info, np_dtype_to_tensor_dtype

    return make_tensor_value_info(name, np_dtype_to_tensor_dtype(np.dtype(kind)), shape)


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("seed", range(4))
def test_convolution_of_codes_is_the_specification(kind: str, seed: int, tmp_path: Path) -> None:
    """The bytes of onnx's own reference; weights have a scale each, or one and a zero point."""
    from onnx.helper import make_node
    from onnx.reference import ReferenceEvaluator

    draw, info = DRAW(seed), np.iinfo(kind)
    each = seed % 2 == 0
    w_kind = "int8" if each else kind
    node = make_node(
        "QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"],
        pads=[1, 0, 1, 2], strides=[1 + seed // 2, 1],
    )  # fmt: skip
    model = codes_model(
        [node],
        [typed("x", kind, (1, 4, 7, 9))],
        [typed("y", kind, (1, 6, 7 if seed < 2 else 4, 9))],
        xs=np.float32(draw.uniform(0.01, 0.1)),
        xz=np.array(draw.integers(info.min, info.max), kind),
        w=draw.integers(np.iinfo(w_kind).min, np.iinfo(w_kind).max + 1, (6, 4, 3, 3)).astype(
            w_kind
        ),
        ws=draw.uniform(0.001, 0.01, 6 if each else ()).astype(np.float32),
        wz=np.zeros(6, w_kind) if each else np.array(draw.integers(0, 100), w_kind),
        ys=np.float32(draw.uniform(0.05, 0.2)),
        yz=np.array(draw.integers(info.min, info.max), kind),
        b=draw.integers(-2000, 2000, 6).astype(np.int32),
    )
    x = draw.integers(info.min, info.max + 1, (1, 4, 7, 9)).astype(kind)
    graph = loaded(model.SerializeToString(), tmp_path)
    (layer,) = (node.op for node in graph.activations if isinstance(node.op, Conv2d))
    assert layer.rounding == "even"
    (wanted,) = ReferenceEvaluator(model).run(None, {"x": x})
    found = interpret(graph, {"x": x})["y"]
    assert graph["y"].type.dtype == {"uint8": "u8", "int8": "i8"}[kind]
    np.testing.assert_array_equal(found, wanted)


def network() -> Model:
    """Layers, sums, a concatenation, poolings and activations, of floats."""
    model = Model({"x": IMAGE})
    for name, shape in (
        ("w1", (8, 3, 3, 3)), ("b1", (8,)), ("w2", (8, 1, 3, 3)), ("b2", (8,)),
        ("w3", (8, 8, 1, 1)), ("b3", (8,)), ("w4", (10, 16)), ("b4", (10,)),
    ):  # fmt: skip
        model.weights(name, *shape)
    model.node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]).node("Relu", ["c1"], ["r1"])
    model.node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1], group=8)
    model.node("Clip", ["c2", model.constant("zero", 0), model.constant("six", 6)], ["r2"])
    model.node("Conv", ["r2", "w3", "b3"], ["c3"]).node("Add", ["c3", "r1"], ["sum"])
    model.node("LeakyRelu", ["sum"], ["leaky"], alpha=0.1).node("Sigmoid", ["c3"], ["gate"])
    model.node("Mul", ["leaky", "gate"], ["gated"])
    model.node("Concat", ["gated", "sum"], ["both"], axis=1)
    model.node("MaxPool", ["both"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2])
    model.node("GlobalAveragePool", ["pooled"], ["mean"]).node("Flatten", ["mean"], ["flat"])
    return model.node("Gemm", ["flat", "w4", "b4"], ["y"], transB=1)


class Reader:
    """Images to calibrate with, as ONNX Runtime's quantiser asks for them."""

    def __init__(self, images: Floats) -> None:
        self._each: Iterator[dict[str, Floats]] = iter([{"x": image[None]} for image in images])

    def get_next(self) -> dict[str, Floats] | None:
        return next(self._each, None)


def quantised(form: str, activations: str, folder: Path) -> bytes:
    quantization: Any = find_package("onnxruntime.quantization")
    source, target = folder / "floats.onnx", folder / "quantised.onnx"
    source.write_bytes(network().proto().SerializeToString())
    quantization.quantize_static(
        source,
        target,
        Reader(images(8)),
        quant_format=getattr(quantization.QuantFormat, form),
        activation_type=getattr(quantization.QuantType, activations),
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
    )
    return target.read_bytes()


def images(count: int) -> Floats:
    return DRAW(count).normal(0.0, 1.0, (count, *IMAGE[1:])).astype(np.float32)


def ran(graph: Graph, image: Floats) -> Array:
    return interpret(graph, {"x": image[None].astype(np.float64)})[graph.outputs[0]]


@pytest.mark.parametrize(
    ("form", "activations"),
    [("QDQ", "QUInt8"), ("QDQ", "QInt8"), ("QOperator", "QUInt8"), ("QOperator", "QInt8")],
)
def test_files_of_onnx_runtimes_quantiser(form: str, activations: str, tmp_path: Path) -> None:
    """Byte for byte, but where ONNX Runtime on x86 leaves QDQ of int8 in floats: by one code."""
    content = quantised(form, activations, tmp_path)
    graph = loaded(content, tmp_path)
    real = [node for node in graph.activations if node.type.element.is_float]
    assert [node.op.operator_name for node in real] == ["dequantize"]
    session = open_session(content)
    step = np.min(np.diff(np.unique(np.stack([ran(graph, image) for image in images(32)]))))
    most = 1 if (form, activations) == ("QDQ", "QInt8") else 0
    for image in images(16):
        (wanted,) = session.run(None, {"x": image[None]})
        off = np.rint(np.abs(ran(graph, image) - wanted) / step)
        assert off.max() <= most


def test_compiled_codes_of_a_file(tmp_path: Path) -> None:
    graph = loaded(quantised("QDQ", "QUInt8", tmp_path), tmp_path)
    model = netgen.compile(graph, target="native")
    for image in images(8):
        np.testing.assert_array_equal(model(image[None]), ran(graph, image).astype(np.float32))


def test_passes_keep_codes(tmp_path: Path) -> None:
    graph = loaded(quantised("QOperator", "QInt8", tmp_path), tmp_path)
    lowered = run_pipeline(graph)
    for image in images(4):
        np.testing.assert_array_equal(ran(lowered, image), ran(graph, image))


def test_layers_without_codes_stay_floats(tmp_path: Path) -> None:
    """A bias of floats, a softmax: between codes, but not of codes."""
    from onnx.helper import make_node

    nodes = [
        make_node("DequantizeLinear", ["x", "s", "z"], ["xf"]),
        make_node("DequantizeLinear", ["w", "s"], ["wf"]),
        make_node("Conv", ["xf", "wf", "b"], ["c"]),
        make_node("QuantizeLinear", ["c", "s", "z"], ["cq"]),
        make_node("DequantizeLinear", ["cq", "s", "z"], ["cf"]),
        make_node("Softmax", ["cf"], ["p"], axis=1),
        make_node("QuantizeLinear", ["p", "s", "z"], ["y"]),
    ]
    draw = DRAW(3)
    model = codes_model(
        nodes,
        [typed("x", "uint8", (1, 3, 4, 4))],
        [typed("y", "uint8", (1, 5, 4, 4))],
        s=np.float32(0.02), z=np.uint8(7), b=draw.normal(0, 1, 5).astype(np.float32),
        w=draw.integers(-128, 128, (5, 3, 1, 1)).astype(np.int8),
    )  # fmt: skip
    graph = loaded(model.SerializeToString(), tmp_path)
    kinds = {node.op.operator_name: node.type.dtype for node in graph.activations}
    assert kinds["conv2d"] == kinds["softmax"] == "f32"
    x = draw.integers(0, 256, (1, 3, 4, 4)).astype(np.uint8)
    (wanted,) = open_session(model.SerializeToString()).run(None, {"x": x})
    found = interpret(graph, {"x": x})["y"]
    assert np.abs(found - wanted.astype(int)).max() <= 1


def test_what_computes_with_integers_is_refused(tmp_path: Path) -> None:
    from onnx.helper import make_node

    model = codes_model(
        [make_node("Add", ["x", "x"], ["y"])],
        [typed("x", "uint8", (1, 3))],
        [typed("y", "uint8", (1, 3))],
    )
    with pytest.raises(GraphError, match="computes with integers; put a DequantizeLinear before"):
        loaded(model.SerializeToString(), tmp_path)


def test_pooling_of_codes_before_channels(tmp_path: Path) -> None:
    """ONNX Runtime's poolings of codes may have their channels last."""
    from onnx.helper import make_node

    names = ["x", "s", "z", "t", "z"]
    node = make_node(
        "QLinearGlobalAveragePool", names, ["y"], domain="com.microsoft", channels_last=1
    )
    model = codes_model(
        [node],
        [typed("x", "uint8", (1, 5, 6, 8))],
        [typed("y", "uint8", (1, 1, 1, 8))],
        s=np.float32(0.05), t=np.float32(0.031), z=np.uint8(9),
    )  # fmt: skip
    x = DRAW(5).integers(0, 256, (1, 5, 6, 8)).astype(np.uint8)
    graph = loaded(model.SerializeToString(), tmp_path)
    (wanted,) = open_session(model.SerializeToString()).run(None, {"x": x})
    np.testing.assert_array_equal(interpret(graph, {"x": x})["y"], wanted)
    assert ELEMENTS["i8"].name in {node.type.dtype for node in graph.activations}


@pytest.mark.parametrize(
    ("opset", "axis", "taken"), [(13, -1, True), (11, -1, True), (11, 1, False)]
)
def test_softmax_of_codes(opset: int, axis: int, taken: bool, tmp_path: Path) -> None:
    """Before opset 13 a softmax is over all axes from one on, which is another operator."""
    from onnx.helper import make_node

    names, domain = ["x", "s", "z", "t", "q"], "com.microsoft"
    node = make_node("QLinearSoftmax", names, ["y"], domain=domain, axis=axis, opset=opset)
    model = codes_model(
        [node],
        [typed("x", "uint8", (1, 3, 10))],
        [typed("y", "uint8", (1, 3, 10))],
        s=np.float32(0.1), z=np.uint8(120), t=np.float32(1 / 256), q=np.uint8(0),
    )  # fmt: skip
    content = model.SerializeToString()
    if not taken:
        with pytest.raises(GraphError, match="QLinearSoftmax"):
            loaded(content, tmp_path)
        return
    x = DRAW(8).integers(0, 256, (1, 3, 10)).astype(np.uint8)
    (wanted,) = open_session(content).run(None, {"x": x})
    found = interpret(loaded(content, tmp_path), {"x": x})["y"]
    # ONNX Runtime reads exponentials from a table of rounded ones.
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1


@pytest.mark.parametrize("part", ["x", "w", "y"])
def test_names_of_the_file_stay_its_own(part: str, tmp_path: Path) -> None:
    """No value that QLinearConv is written out as takes the name of another."""
    from onnx.helper import make_node
    from onnx.reference import ReferenceEvaluator

    other = f"y/{part}"
    nodes = [
        make_node("Relu", ["x"], [other]),
        make_node("QuantizeLinear", [other, "s", "z"], ["q"]),
        make_node("QLinearConv", ["q", "s", "z", "w", "s", "z", "s", "z"], ["y"]),
        make_node("DequantizeLinear", ["y", "s", "z"], ["real"]),
        make_node("Add", ["real", other], ["sum"]),
    ]
    model = codes_model(
        nodes,
        [typed("x", "float32", (1, 2, 4, 4))],
        [typed("sum", "float32", (1, 2, 4, 4))],
        s=np.float32(0.25),
        z=np.int8(0),
        w=DRAW(1).integers(-8, 9, (2, 2, 1, 1)).astype(np.int8),
    )
    x = DRAW(2).normal(0.0, 2.0, (1, 2, 4, 4)).astype(np.float32)
    (wanted,) = ReferenceEvaluator(model).run(None, {"x": x})
    found = interpret(loaded(model.SerializeToString(), tmp_path), {"x": x.astype(np.float64)})
    np.testing.assert_allclose(found["sum"], np.asarray(wanted), atol=1e-6)


@pytest.mark.parametrize("operator", ["DequantizeLinear", "QLinearSigmoid"])
def test_inputs_that_are_left_out_are_refused(operator: str, tmp_path: Path) -> None:
    """onnx checks no operators of ONNX Runtime."""
    from onnx.helper import make_node

    for names in ([], ["x"], [""]):
        node = make_node(operator, names, ["y"], domain="com.microsoft")
        model = codes_model([node], [typed("x", "int8", (1, 4))], [typed("y", "int8", (1, 4))])
        with pytest.raises(GraphError):
            loaded(model.SerializeToString(), tmp_path)


@pytest.mark.parametrize("zero", [np.inf, np.nan, 1j])
def test_zero_points_that_are_no_codes_are_refused(zero: complex, tmp_path: Path) -> None:
    from onnx.helper import make_node

    node = make_node("DequantizeLinear", ["x", "s", "z"], ["y"])
    given, made = typed("x", "int8", (1, 4)), typed("y", "float32", (1, 4))
    array = np.array(zero, np.complex64 if isinstance(zero, complex) else np.float32)
    model = codes_model([node], [given], [made], s=np.float32(0.5), z=array)
    with pytest.raises(GraphError):
        loaded(model.SerializeToString(), tmp_path)
