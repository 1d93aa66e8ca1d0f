"""Pooling, cutting, joining, reshaping and arithmetic on shapes, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from netgen.errors import GraphError
from netgen.frontends.onnx_window import rounded_up
from tests.frontends.conftest import Agree, Load
from tests.frontends.onnx_models import Model, names

if TYPE_CHECKING:
    from onnx import TensorProto

IMAGE = (1, 6, 5, 4)
SHARED_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED_FIXTURE
@given(
    kind=st.sampled_from(["MaxPool", "AveragePool"]),
    size=st.tuples(st.integers(3, 9), st.integers(3, 9)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pads=st.tuples(*[st.integers(0, 1)] * 4),
    ceil=st.integers(0, 1),
    counted=st.integers(0, 1),
)
def test_pooling(
    agree: Agree,
    kind: str,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, ...],
    ceil: int,
    counted: int,
) -> None:
    assume(all(p < kernel[axis % 2] for axis, p in enumerate(pads)))
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": stride, "pads": pads}
    attributes["ceil_mode"] = ceil
    if kind == "AveragePool":
        attributes["count_include_pad"] = counted
    # ONNX Runtime counts a last window that lies in the padding alone, which no framework makes.
    for extent, k, s, before, after in zip(size, kernel, stride, pads, pads[2:], strict=False):
        windows = -(-(extent + before + after - k) // s)
        assume(not ceil or windows * s < extent + before)
    agree(Model({"x": (1, 3, *size)}, opset=19).node(kind, ["x"], ["y"], **attributes))


@pytest.mark.parametrize(
    ("extent", "kernel", "stride", "before", "expected"),
    [(5, 2, 2, 0, 1), (4, 1, 2, 0, 0), (4, 2, 3, 1, 0), (6, 3, 2, 0, 1), (7, 3, 2, 0, 0)],
)
def test_window_that_would_begin_behind_the_image(
    extent: int, kernel: int, stride: int, before: int, expected: int
) -> None:
    pad = (before, before, 0, 0)
    size, kernels, strides = (extent, 8), (kernel, 1), (stride, 1)
    assert rounded_up(size, kernels, strides, pad) == (before, before + expected, 0, 0)


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize(
    ("shape", "axes"), [(IMAGE, [2, 3]), (IMAGE, [-1, -2]), ((1, 6, 20), [2]), ((1, 6, 20), [-1])]
)
def test_mean_over_pixels(
    agree: Agree, opset: int, keepdims: int, shape: Sequence[int], axes: list[int]
) -> None:
    model = Model({"x": shape}, opset=opset)
    if opset < 18:
        model.node("ReduceMean", ["x"], ["y"], axes=axes, keepdims=keepdims)
    else:
        operands = ["x", model.constant("axes", axes, "int64")]
        model.node("ReduceMean", operands, ["y"], keepdims=keepdims)
    kind = "global_avg_pool" if len(shape) == 4 else "reduce_mean"
    assert kind in names(agree(model))


def test_global_average_and_its_likes(agree: Agree) -> None:
    model = Model({"x": IMAGE}).node("GlobalAveragePool", ["x"], ["y"])
    assert "global_avg_pool" in names(agree(model))
    whole = Model({"x": IMAGE}).node("AveragePool", ["x"], ["y"], kernel_shape=[5, 4])
    assert "global_avg_pool" in names(agree(whole))


def test_an_only_axis_of_one_has_a_batch_before_it(agree: Agree) -> None:
    graph = agree(Model({"x": (1,)}).node("Sigmoid", ["x"], ["y"]))
    assert [node.type.shape for node in (*graph.inputs, graph["y"])] == [(1, 1)] * 2


@pytest.mark.parametrize("axis", [1, -3])
def test_concat(agree: Agree, axis: int) -> None:
    model = Model({"a": (1, 2, 3, 4), "b": (1, 5, 3, 4), "c": (1, 1, 3, 4)})
    agree(model.node("Concat", ["a", "b", "c"], ["y"], axis=axis))


@pytest.mark.parametrize(
    ("shape", "axis", "indices"),
    [
        (IMAGE, 1, [0, 2, 4, 1, 3, 5]),
        (IMAGE, -3, [5]),
        (IMAGE, 1, [-1, 0, 0, -6]),
        ((1, 6), 1, [3, 4]),
    ],
)
def test_gather_of_channels(
    agree: Agree, shape: Sequence[int], axis: int, indices: list[int]
) -> None:
    model = Model({"x": shape})
    which = model.constant("indices", indices, "int64")
    assert "channel_map" in names(agree(model.node("Gather", ["x", which], ["y"], axis=axis)))


@pytest.mark.parametrize(
    ("axis", "indices", "message"),
    [
        (1, [6], "there is no such place, expected -6 to 5, found 6 to 6"),
        (1, [-7], "there is no such place, expected -6 to 5, found -7 to -7"),
    ],
)
def test_gather_that_is_refused(load: Load, axis: int, indices: list[int], message: str) -> None:
    model = Model({"x": IMAGE})
    which = model.constant("indices", indices, "int64")
    with pytest.raises(GraphError, match=message):
        load(model.node("Gather", ["x", which], ["y"], axis=axis))


@pytest.mark.parametrize("opset", [11, 13, 18])
@pytest.mark.parametrize("lengths", [None, [1, 4, 1]])
def test_split(agree: Agree, opset: int, lengths: list[int] | None) -> None:
    model = Model({"x": IMAGE}, outputs=("p", "r"), opset=opset)
    inputs = ["x"]
    attributes: dict[str, int | list[int]] = {"axis": 1}
    if lengths is not None and opset < 13:
        attributes["split"] = lengths
    elif lengths is not None:
        inputs.append(model.constant("lengths", lengths, "int64"))
    elif opset >= 18:
        attributes["num_outputs"] = 3
    graph = agree(model.node("Split", inputs, ["p", "q", "r"], **attributes))
    assert names(graph).count("channel_slice") == 2


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps"),
    [
        ([0], [3], [1], [1]),
        ([1], [2**63 - 1], [1], [2]),
        ([-4], [-1], [-3], [1]),
        ([0, 1], [99, 4], [2, 3], [2, 1]),
        ([0, 2, 0, 1], [1, 5, 9, 3], None, None),
    ],
)
def test_slice(
    agree: Agree,
    starts: list[int],
    ends: list[int],
    axes: list[int] | None,
    steps: list[int] | None,
) -> None:
    model = Model({"x": IMAGE})
    lists = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    given_lists = {k: v for k, v in lists.items() if v is not None}
    inputs = ["x", *(model.constant(k, v, "int64") for k, v in given_lists.items())]
    agree(model.node("Slice", inputs, ["y"]))


def test_slice_that_is_refused(load: Load) -> None:
    model = Model({"x": IMAGE})
    inputs = ["x", *(model.constant(k, [n], "int64") for k, n in (("s", 3), ("e", 3), ("a", 1)))]
    with pytest.raises(GraphError, match="nothing is left of a slice"):
        load(model.node("Slice", inputs, ["y"]))


@pytest.mark.parametrize(
    "pads", [[0, 0, 1, 2, 0, 0, 0, 3], [0, 2, 0, 0, 0, 1, 0, 0], [0, 1, 1, 1, 0, 1, 1, 1], [0] * 8]
)
def test_pad(agree: Agree, pads: list[int]) -> None:
    model = Model({"x": IMAGE})
    inputs = ["x", model.constant("pads", pads, "int64"), model.constant("zero", 0.0)]
    model.node("Pad", inputs, ["p"])
    agree(model.node("Relu", ["p"], ["y"]))


def test_pad_of_some_axes(agree: Agree) -> None:
    model = Model({"x": IMAGE}, opset=18)
    pads, axes = model.constant("pads", [1, 2, 0, 1], "int64"), model.constant("a", [3, 2], "int64")
    agree(model.node("Pad", ["x", pads, "", axes], ["y"]))


@pytest.mark.parametrize(
    ("pads", "mode"), [([0, 0, 1, 1] * 2, "mirror"), ([0, 0, -3, 0] * 2, "constant")]
)
def test_pad_that_is_refused(load: Load, pads: list[int], mode: str) -> None:
    model = Model({"x": IMAGE})
    with pytest.raises(GraphError, match="the_Pad_of_y"):
        load(model.node("Pad", ["x", model.constant("pads", pads, "int64")], ["y"], mode=mode))


@pytest.mark.parametrize("opset", [11, 13])
def test_squeeze_and_unsqueeze(agree: Agree, opset: int) -> None:
    model = Model({"x": (1, 6, 1, 1)}, opset=opset)
    if opset < 13:
        model.node("Squeeze", ["x"], ["s"], axes=[2, -1])
        model.node("Unsqueeze", ["s"], ["y"], axes=[0, -1])
    else:
        model.node("Squeeze", ["x", model.constant("a", [2, -1], "int64")], ["s"])
        model.node("Unsqueeze", ["s", model.constant("b", [0, -1], "int64")], ["y"])
    assert names(agree(model)) == ["reshape"]


@pytest.mark.parametrize("groups", [2, 3])
def test_channel_shuffle_in_three_steps(agree: Agree, groups: int) -> None:
    model = Model({"x": (1, 6, 5, 4)})
    model.node("Conv", ["x", model.weights("v", 6, 6, 1, 1)], ["c"])
    shape = model.constant("wide", [1, groups, -1, 5, 4], "int64")
    model.node("Reshape", ["c", shape], ["r"])
    model.node("Transpose", ["r"], ["t"], perm=[0, 2, 1, 3, 4])
    model.node("Reshape", ["t", model.constant("back", [0, 6, 5, -1], "int64")], ["s"])
    model.node("Conv", ["s", model.weights("w", 2, 6, 1, 1)], ["d"])
    model.node("GlobalAveragePool", ["d"], ["y"])
    graph = agree(model)
    assert names(graph)[:4] == ["transpose", "conv2d", "channel_shuffle", "conv2d"]


def test_any_other_transposition_is_computed(agree: Agree) -> None:
    model = Model({"x": IMAGE}).node("Transpose", ["x"], ["t"])
    agree(model.node("Relu", ["t"], ["y"]))


def test_arithmetic_on_shapes_folds(agree: Agree) -> None:
    """view(x.size(0), groups, x.size(1) // groups, -1) as exporters write it out."""
    model = Model({"x": IMAGE}).node("Shape", ["x"], ["shape"])
    parts = []
    for axis in (0, 1):
        index = model.constant(f"i{axis}", axis, "int64")
        parts.append(f"u{axis}")
        model.node("Gather", ["shape", index], [f"g{axis}"])
        model.node("Unsqueeze", [f"g{axis}", model.constant("first", [0], "int64")], [parts[-1]])
    model.node("Div", [parts[1], model.constant("two", [2], "int64")], ["half"])
    model.node("Cast", ["half"], ["half32"], to=6).node("Cast", ["half32"], ["half64"], to=7)
    rest = [model.constant("groups", [2], "int64"), "half64", model.constant("rest", [-1], "int64")]
    model.node("Concat", [parts[0], *rest], ["target"], axis=0)
    model.node("Reshape", ["x", "target"], ["y"])
    assert names(agree(model)) == ["reshape"]


def test_padding_that_an_exporter_computes(agree: Agree) -> None:
    """torch's own form of F.pad before opset 17: zeros for the axes it does not name, reversed."""
    model = Model({"x": IMAGE}, opset=13)
    model.node("ConstantOfShape", [model.constant("four", [4], "int64")], ["zeros"],
               value=_tensor([0]))  # fmt: skip
    model.node("Concat", [model.constant("last", [1, 2, 0, 1], "int64"), "zeros"], ["flat"], axis=0)
    model.node("Reshape", ["flat", model.constant("pairs", [-1, 2], "int64")], ["pairs2"])
    limits = [model.constant(n, v, "int64") for n, v in
              (("s", [-1]), ("e", [-(2**63) + 1]), ("a", [0]), ("t", [-1]))]  # fmt: skip
    model.node("Slice", ["pairs2", *limits], ["reversed"]).node(
        "Transpose", ["reversed"], ["turned"]
    )
    model.node("Reshape", ["turned", model.constant("row", [-1], "int64")], ["pads"])
    model.node("Pad", ["x", "pads", model.constant("zero", 0.0)], ["y"])
    assert "pad" in names(agree(model))


def _tensor(values: list[int]) -> TensorProto:
    import numpy as np
    from onnx.numpy_helper import from_array

    return from_array(np.array(values, np.int64))
