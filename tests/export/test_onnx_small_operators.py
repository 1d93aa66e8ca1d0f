"""Elementwise, pooling and moving operators against ONNX Runtime, over random attributes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, apply, image
from netgen.errors import GraphError
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.broadcast import Broadcast
from netgen.ops.channel_map import channel_map_op
from netgen.ops.mul import Mul
from netgen.ops.prelu import Prelu
from netgen.ops.sub import Sub
from tests.cases import examples

Build = Callable[[Callable[[], "Tensor | tuple[Tensor, ...]"]], Graph]
Error = Callable[..., float]

LIMIT = 1e-5

quietly = examples(40)
sizes = st.tuples(st.integers(1, 11), st.integers(1, 11))
channel_counts = st.sampled_from([1, 3, 16, 24, 29, 32, 58])
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
activations = st.sampled_from(
    ["none", "relu", "relu6", "relu_n1_to_1", "hard_swish", "hard_sigmoid", "sigmoid", "tanh"]
)


@pytest.mark.parametrize(
    "function", [dsl.sigmoid, dsl.hard_sigmoid, dsl.softmax, dsl.tanh, dsl.relu_n1_to_1, dsl.prelu]
)
@quietly
@given(size=sizes, channels=channel_counts, flat=st.booleans())
def test_activations_and_softmax(
    build: Build,
    error: Error,
    function: Callable[[Tensor], Tensor],
    size: tuple[int, int],
    channels: int,
    flat: bool,
) -> None:
    def body() -> Tensor:
        x = image(*size, channels)
        y = x + x + x
        return function(dsl.flatten(y) if flat else y)

    assert error(build(body)) < LIMIT


@quietly
@given(size=sizes, channels=channel_counts, alpha=st.floats(-2.0, 2.0), flat=st.booleans())
def test_leaky_relu(
    build: Build, error: Error, size: tuple[int, int], channels: int, alpha: float, flat: bool
) -> None:
    def body() -> Tensor:
        x = image(*size, channels)
        return dsl.leaky_relu(dsl.flatten(x) if flat else x, alpha=alpha)

    assert error(build(body)) < LIMIT


@pytest.mark.parametrize("kind", [Add, Mul, Sub, Prelu])
@quietly
@given(
    size=sizes,
    channels=channel_counts,
    act=activations,
    spread=st.booleans(),
    constant=st.booleans(),
    flat=st.booleans(),
)
def test_operators_of_two(
    build: Build,
    error: Error,
    kind: type[Broadcast],
    size: tuple[int, int],
    channels: int,
    act: str,
    spread: bool,
    constant: bool,
    flat: bool,
) -> None:
    def body() -> Tensor:
        a = image(*size, channels, "a")
        shape = (1, 1, channels) if spread else (*size, channels)
        numbers = np.linspace(-1.0, 1.0, int(np.prod(shape))).reshape(1, *shape)
        b = dsl.constant(numbers) if constant else image(*shape, "b")
        if flat and not constant and not spread:
            a, b = dsl.flatten(a), dsl.flatten(b)
        return apply(kind(act=act), a, b)

    assert error(build(body)) < LIMIT


@pytest.mark.parametrize("beta", [0.5, 3.0])
def test_softmax_of_what_is_multiplied(build: Build, error: Error, beta: float) -> None:
    assert error(build(lambda: dsl.softmax(image(3, 4, 5), beta=beta))) < LIMIT


def test_differences_of_one_number_per_channel(build: Build, error: Error) -> None:
    def body() -> tuple[Tensor, ...]:
        a, b = image(3, 4, 5, "a"), image(1, 1, 5, "b")
        numbers = dsl.constant(np.linspace(-1.0, 1.0, 5).reshape(1, 1, 1, 5))
        return a - b, b - a, numbers - a, a - numbers

    assert error(build(body)) < LIMIT


@pytest.mark.parametrize("kind", ["max", "avg", "avg of the image"])
@quietly
@given(
    data=st.data(),
    kernel=pairs,
    stride=pairs,
    channels=channel_counts,
    ceil_mode=st.booleans(),
)
def test_pooling(
    build: Build,
    error: Error,
    kind: str,
    data: st.DataObject,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    channels: int,
    ceil_mode: bool,
) -> None:
    pad = data.draw(st.tuples(*[st.integers(0, k - 1) for k in np.repeat(kernel, 2).tolist()]))
    height = data.draw(st.integers(max(kernel[0] - pad[0] - pad[1], 1), 12))
    width = data.draw(st.integers(max(kernel[1] - pad[2] - pad[3], 1), 12))

    def body() -> Tensor:
        x = image(height, width, channels)
        if kind == "max":
            return dsl.max_pool2d(x, kernel, stride=stride, pad=pad, ceil_mode=ceil_mode)
        return dsl.avg_pool2d(
            x,
            kernel,
            stride=stride,
            pad=pad,
            ceil_mode=ceil_mode,
            count_include_pad=kind == "avg",
        )

    try:
        graph = build(body)
    except GraphError:
        # A window may lie in the padding alone, and nowhere else is a reason to refuse.
        assume(False)
        raise
    assert error(graph) < LIMIT


@quietly
@given(data=st.data(), kernel=pairs, stride=pairs, channels=channel_counts)
def test_partly_counted_padding(
    build: Build,
    error: Error,
    data: st.DataObject,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    channels: int,
) -> None:
    sides = np.repeat(kernel, 2).tolist()
    pad = data.draw(st.tuples(*[st.integers(0, k - 1) for k in sides]))
    counted = data.draw(st.tuples(*[st.integers(0, side) for side in pad]))
    op = AvgPool2d(kernel, stride, pad, counted)
    # As large as the kernel: no window lies in the padding alone, whatever the stride.
    assert error(build(lambda: apply(op, image(9, 10, channels)))) < LIMIT


@quietly
@given(
    parts=st.lists(channel_counts, min_size=1, max_size=6),
    size=sizes,
    flat=st.booleans(),
)
def test_concat(
    build: Build, error: Error, parts: list[int], size: tuple[int, int], flat: bool
) -> None:
    def body() -> Tensor:
        operands = [image(*size, channels) for channels in parts]
        return dsl.concat(*(dsl.flatten(x) if flat else x for x in operands))

    assert error(build(body)) == 0.0


@quietly
@given(
    data=st.data(), groups=st.integers(1, 8), channels=st.integers(1, 29), size=sizes,
    flat=st.booleans(),
)  # fmt: skip
def test_channel_operators(
    build: Build,
    error: Error,
    data: st.DataObject,
    groups: int,
    channels: int,
    size: tuple[int, int],
    flat: bool,
) -> None:
    total = groups * channels
    first = data.draw(st.integers(0, total - 1))
    step = data.draw(st.integers(1, 4))
    length = data.draw(st.integers(1, (total - first - 1) // step + 1))
    front, back = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))

    def body() -> tuple[Tensor, ...]:
        x = image(1, 1, total) if flat else image(*size, total)
        x = dsl.flatten(x) if flat else x
        y = dsl.channel_shuffle(x, groups)
        parts = dsl.split(y, groups)
        sliced = dsl.channel_slice(y, first, length, step)
        return y, *parts, sliced, dsl.channel_pad(x, front, back)

    assert error(build(body)) == 0.0


@quietly
@given(data=st.data(), size=sizes, widths=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_channel_map(
    build: Build, error: Error, data: st.DataObject, size: tuple[int, int], widths: list[int]
) -> None:
    channels = [(n, c) for n, width in enumerate(widths) for c in range(width)]
    # Every operand is read; zeros and channels that are read again may stand anywhere.
    more = data.draw(st.lists(st.sampled_from([*channels, (-1, 0)]), max_size=9))
    op = channel_map_op(data.draw(st.permutations([*channels, *more])))
    flat = data.draw(st.booleans())

    def body() -> Tensor:
        x = [
            image(*((1, 1) if flat else size), width, name=f"x{n}")
            for n, width in enumerate(widths)
        ]
        return apply(op, *(dsl.flatten(part) if flat else part for part in x))

    assert error(build(body)) == 0.0


@quietly
@given(data=st.data(), size=sizes, channels=channel_counts, stride=pairs)
def test_spatial_slice(
    build: Build,
    error: Error,
    data: st.DataObject,
    size: tuple[int, int],
    channels: int,
    stride: tuple[int, int],
) -> None:
    start = data.draw(st.tuples(*[st.integers(0, extent - 1) for extent in size]))
    ends = [st.integers(f + 1, e) for f, e in zip(start, size, strict=True)]
    stop = data.draw(st.tuples(*ends))

    def body() -> Tensor:
        return dsl.spatial_slice(image(*size, channels), start=start, stop=stop, stride=stride)

    assert error(build(body)) == 0.0


def test_the_shortest_form_of_each_average(build: Build) -> None:
    import onnx

    def stages(op: AvgPool2d) -> list[str]:
        graph = build(lambda: apply(op, image(6, 6, 3)))
        nodes = onnx.load_from_string(graph_to_onnx(graph, "NCHW")).graph.node
        return [node.op_type for node in nodes]

    ones = (1, 1, 1, 1)
    assert stages(AvgPool2d((3, 3), (1, 1), ones, ones)) == ["AveragePool"]
    assert stages(AvgPool2d((3, 3), (1, 1), ones)) == ["AveragePool"]
    assert stages(AvgPool2d((3, 3), (1, 1), ones, (1, 0, 1, 0))) == ["Pad", "AveragePool"]


def test_types_of_broadcast_operands(build: Build) -> None:
    graph = build(lambda: image(4, 5, 6) * dsl.constant(np.ones((1, 1, 1, 6))))
    assert graph[graph.outputs[0]].type == TensorType("f32", (1, 4, 5, 6))
