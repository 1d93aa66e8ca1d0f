"""Every operator against ONNX Runtime, over random attributes: mappings and NumPy references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, apply, image, parameter
from netgen.errors import GraphError
from netgen.export.onnx_file import graph_to_onnx
from netgen.export.onnx_operators import MAPPINGS, elementwise
from netgen.export.onnx_stages import Call, Stage, activation
from netgen.ir.graph import Graph
from netgen.ir.operator import Const, Input, Operator, State
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.argmax import Argmax
from netgen.ops.assign import Assign
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dequantize import Dequantize
from netgen.ops.gelu_tanh import GeluTanh
from netgen.ops.global_sum_pool import GlobalSumPool
from netgen.ops.identity import Identity
from netgen.ops.l2_normalize import L2Normalize
from netgen.ops.linear import Linear
from netgen.ops.log_softmax import LogSoftmax
from netgen.ops.normalize import Normalize
from netgen.ops.quantize import Quantize
from netgen.ops.relu import Relu
from netgen.ops.rescale import Rescale
from netgen.ops.rsqrt import Rsqrt
from netgen.ops.silu import Silu
from netgen.ops.squared_difference import SquaredDifference
from tests.cases import examples

Build = Callable[[Callable[[], "Tensor | tuple[Tensor, ...]"]], Graph]
Error = Callable[..., float]

LIMIT = 1e-5

quietly = examples(60)
sizes = st.integers(1, 11)
channel_counts = st.sampled_from([1, 2, 3, 5, 8, 16, 24, 29, 32, 58])
activations = st.sampled_from(["none", "relu", "relu6", "hard_swish"])


@dataclass(frozen=True)
class Sliding:
    """Attributes of a window, and an image that is large enough for it."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int, int, int]
    size: tuple[int, int]


@st.composite
def windows(draw: st.DrawFn) -> Sliding:
    def pair(most: int) -> tuple[int, int]:
        return draw(st.integers(1, most)), draw(st.integers(1, most))

    kernel, stride, dilation = pair(5), pair(3), pair(3)
    top, bottom, left, right = (draw(st.integers(0, 3)) for _ in range(4))
    extra = (draw(st.integers(0, 8)), draw(st.integers(0, 8)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    height = max(reach[0] - top - bottom, 1) + extra[0]
    width = max(reach[1] - left - right, 1) + extra[1]
    return Sliding(kernel, stride, dilation, (top, bottom, left, right), (height, width))


@quietly
@given(
    window=windows(),
    groups=st.integers(1, 4),
    inputs=channel_counts,
    outputs=channel_counts,
    act=activations,
    tail=st.sampled_from(["", "b", "b residual"]),
)
def test_conv2d(
    build: Build,
    error: Error,
    window: Sliding,
    groups: int,
    inputs: int,
    outputs: int,
    act: str,
    tail: str,
) -> None:
    op = Conv2d(window.stride, window.pad, window.dilation, groups, act)

    def body() -> Tensor:
        x = image(*window.size, inputs * groups)
        w = parameter("conv2d", "w", (outputs * groups, *window.kernel, inputs))
        b = parameter("conv2d", "b", (outputs * groups,)) if tail else None
        _, height, width, channels = op.infer([x.type, w.type]).shape
        residual = image(height, width, channels, "residual") if "residual" in tail else None
        return apply(op, x, w, b, residual)

    assert error(build(body)) < LIMIT


@quietly
@given(
    window=windows(),
    channels=channel_counts,
    multiplier=st.integers(1, 4),
    act=activations,
    bias=st.booleans(),
)
def test_depthwise_conv2d(
    build: Build,
    error: Error,
    window: Sliding,
    channels: int,
    multiplier: int,
    act: str,
    bias: bool,
) -> None:
    op = DepthwiseConv2d(window.stride, window.pad, window.dilation, act)

    def body() -> Tensor:
        x = image(*window.size, channels)
        w = parameter("depthwise_conv2d", "w", (channels * multiplier, *window.kernel, 1))
        b = parameter("depthwise_conv2d", "b", (channels * multiplier,)) if bias else None
        return apply(op, x, w, b)

    assert error(build(body)) < LIMIT


@pytest.mark.parametrize("size", [(7, 7), (8, 5), (9, 12)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [3, (2, 5)])
def test_same_padding(
    build: Build,
    error: Error,
    size: tuple[int, int],
    stride: int,
    kernel: int | tuple[int, int],
) -> None:
    def body() -> Tensor:
        x = dsl.conv2d(image(*size, 3), 24, kernel, stride=stride, pad="same")
        return dsl.depthwise_conv2d(x, kernel, stride=stride, pad="same")

    assert error(build(body)) < LIMIT


@quietly
@given(inputs=channel_counts, outputs=channel_counts, act=activations, bias=st.booleans())
def test_linear(
    build: Build, error: Error, inputs: int, outputs: int, act: str, bias: bool
) -> None:
    def body() -> Tensor:
        x = dsl.flatten(image(1, 1, inputs))
        w = parameter("linear", "w", (outputs, inputs))
        b = parameter("linear", "b", (outputs,)) if bias else None
        return apply(Linear(act), x, w, b)

    assert error(build(body)) < LIMIT


@quietly
@given(
    rank=st.integers(1, 4),
    size=st.tuples(sizes, sizes),
    channels=channel_counts,
    eps=st.sampled_from([1e-5, 1e-3, 0.5]),
)
def test_batch_norm(
    build: Build, error: Error, rank: int, size: tuple[int, int], channels: int, eps: float
) -> None:
    def body() -> Tensor:
        x = image(*(size if rank > 2 else (1, 1)), channels)
        shapes = {
            1: (channels,),
            2: (1, channels),
            3: (1, size[0] * size[1], channels),
            4: x.shape,
        }
        return dsl.batch_norm(dsl.reshape(x, shapes[rank]), eps=eps)

    assert error(build(body)) < LIMIT


@quietly
@given(size=st.tuples(sizes, sizes), channels=channel_counts, act=activations)
def test_add(build: Build, error: Error, size: tuple[int, int], channels: int, act: str) -> None:
    def body() -> Tensor:
        a, b = image(*size, channels, "a"), image(*size, channels, "b")
        return apply(Add(act), apply(Add(), a, a), b)

    assert error(build(body)) < LIMIT


@pytest.mark.parametrize(
    "function",
    [dsl.relu, dsl.relu6, dsl.hard_swish, dsl.identity, dsl.dropout, dsl.global_avg_pool],
)
@quietly
@given(size=st.tuples(sizes, sizes), channels=channel_counts)
def test_elementwise_and_pooling(
    build: Build,
    error: Error,
    function: Callable[[Tensor], Tensor],
    size: tuple[int, int],
    channels: int,
) -> None:
    def body() -> Tensor:
        x = image(*size, channels)
        return function(x + x + x + x)  # far enough from zero to be clipped

    assert error(build(body)) < LIMIT


@quietly
@given(
    size=st.tuples(sizes, sizes),
    channels=channel_counts,
    sides=st.tuples(*[st.integers(0, 4)] * 4),
)
def test_pad(
    build: Build,
    error: Error,
    size: tuple[int, int],
    channels: int,
    sides: tuple[int, int, int, int],
) -> None:
    assert error(build(lambda: dsl.pad(image(*size, channels), sides))) == 0.0


SHAPES = [
    (24,),
    (1, 24),
    (2, 12),
    (1, 6, 4),
    (1, 1, 1, 24),
    (1, 2, 3, 4),
    (1, 4, 6, 1),
    (1, 3, 1, 8),
]


@pytest.mark.parametrize("before", SHAPES)
@pytest.mark.parametrize("after", SHAPES)
def test_reshape_keeps_the_order_of_nhwc(
    build: Build, error: Error, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    def body() -> tuple[Tensor, Tensor]:
        x = dsl.reshape(image(2, 2, 6), before)
        y = dsl.relu(dsl.reshape(x, after))
        return y, dsl.flatten(y)

    assert error(build(body)) == 0.0


def operators_in(graph: Graph) -> list[str]:
    import onnx

    return [node.op_type for node in onnx.load_from_string(graph_to_onnx(graph)).graph.node]


def test_flatten_of_one_pixel_or_channel_needs_no_transpose(build: Build) -> None:
    pooled = build(lambda: dsl.flatten(dsl.global_avg_pool(image(4, 5, 6))))
    assert operators_in(pooled) == ["Transpose", "GlobalAveragePool", "Reshape"]
    grey = build(lambda: dsl.flatten(dsl.relu(image(4, 5, 1))))
    assert operators_in(grey) == ["Transpose", "Relu", "Reshape"]
    coloured = build(lambda: dsl.flatten(dsl.relu(image(4, 5, 6))))
    assert operators_in(coloured) == ["Transpose", "Relu", "Transpose", "Reshape"]


def test_every_operator_has_a_mapping() -> None:
    # ONNX's QuantizeLinear rounds halves to even, TensorFlow Lite and netgen away from zero: what
    # was written would be another network. Integers of argmax and bytes
    # that are normalised are refused as codes are.
    codes: set[type[Operator]] = {
        *(Quantize, Dequantize, Argmax, Rescale, Normalize, GlobalSumPool),
        *(SquaredDifference, Rsqrt, L2Normalize, LogSoftmax),
    }
    # A run of an ONNX file leaves nothing for the next one.
    states: set[type[Operator]] = {State, Assign}
    # ONNX has no such operator in the opset that is written.
    formulas: set[type[Operator]] = {GeluTanh, Silu}
    assert set(MAPPINGS) == set(REGISTRY) - {Input, Const} - codes - states - formulas


def test_unknown_activation_is_named() -> None:
    with pytest.raises(GraphError, match=r"unknown activation 'swish', expected one of none, "):
        activation("swish")


def test_activation_that_is_not_listed_is_named() -> None:
    class Novel(Relu):
        operator_name = "novel"

    call = Call((), (TensorType("f32", (1, 2)),), TensorType("f32", (1, 2)))
    assert elementwise(Relu(), call) == [Stage("Relu")]
    with pytest.raises(GraphError, match=r"'novel' cannot be exported.* one of absolute, "):
        elementwise(Novel(), call)


def test_types_agree_with_the_operators_own(build: Build) -> None:
    # The checker compares the shapes that the file states with those that it infers.
    from onnx.shape_inference import InferenceError

    class Liar(Identity):
        operator_name = "liar"

        def infer(self, operands: Sequence[TensorType]) -> TensorType:
            return TensorType(operands[0].dtype, (1, 9))

    mapping: dict[type[Operator], object] = {**MAPPINGS, Liar: MAPPINGS[Identity]}
    graph = build(lambda: apply(Liar(), dsl.flatten(image(1, 1, 3))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netgen.export.onnx_file.MAPPINGS", mapping)
        with pytest.raises(InferenceError):
            graph_to_onnx(graph)
