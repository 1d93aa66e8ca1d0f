"""An open first axis is a batch where nothing depends on how long it is, else it must be bound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError
from netgen.export.onnxruntime_session import open_session
from netgen.frontends.onnx_open_rules import RULES
from netgen.frontends.onnx_open_several import OF_SEVERAL
from netgen.frontends.onnx_operators import MAPPINGS
from netgen.ir.interpret import interpret
from netgen.weights.seeded import uniform
from tests.frontends.conftest import Agree, Load
from tests.frontends.onnx_models import Model, names

Build = Callable[[Model], Model]
LAST = 2**63 - 1


def integers(model: Model, name: str, values: list[int]) -> str:
    return model.constant(name, values, "int64")


def reshape(model: Model, x: str, shape: list[int], y: str) -> Model:
    return model.node("Reshape", [x, integers(model, f"{y}.shape", shape)], [y])


def unsqueeze(model: Model, x: str, axes: list[int], y: str) -> Model:
    return model.node("Unsqueeze", [x, integers(model, f"{y}.axes", axes)], [y])


def conv(model: Model, x: str, y: str, *shape: int, **attributes: object) -> Model:
    return model.node("Conv", [x, model.weights(f"{y}.w", *shape)], [y], **attributes)


def image_of_time(model: Model) -> Model:
    """A spectrogram, time first: one image of T rows."""
    conv(unsqueeze(model, "x", [0, 1], "i"), "i", "c", 3, 1, 3, 3, pads=[1, 1, 1, 1])
    return model.node("GlobalAveragePool", ["c"], ["y"])


def softmax_of_all(model: Model) -> Model:
    return reshape(model, "x", [1, -1], "r").node("Softmax", ["r"], ["y"], axis=1)


def flattened_softmax(model: Model) -> Model:
    return model.node("Flatten", ["x"], ["f"], axis=0).node("Softmax", ["f"], ["y"])


def softmax_along(model: Model) -> Model:
    return model.node("Transpose", ["x"], ["t"]).node("Softmax", ["t"], ["y"])


def softmax_of_what_is_behind(model: Model) -> Model:
    """Below opset 13 a softmax is over all axes from its own on."""
    model.opset = 11
    model.node("Transpose", ["x"], ["t"]).node("Unsqueeze", ["t"], ["u"], axes=[0, 3])
    return model.node("Softmax", ["u"], ["y"], axis=1)


def mean_along(model: Model) -> Model:
    unsqueeze(model, "x", [0], "u").node("Transpose", ["u"], ["t"], perm=[0, 2, 1])
    return model.node("ReduceMean", ["t"], ["y"], axes=[2])


def pool_along(model: Model) -> Model:
    unsqueeze(model, "x", [0, 1], "u")
    return model.node("MaxPool", ["u"], ["y"], kernel_shape=[2, 1], pads=[1, 0, 0, 0])


def steps_along(model: Model) -> Model:
    unsqueeze(model, "x", [0, 1], "u")
    return model.node("AveragePool", ["u"], ["y"], kernel_shape=[1, 2], strides=[2, 1])


def first_of(model: Model) -> Model:
    limits = [integers(model, name, [n]) for name, n in (("s", 0), ("e", 1), ("a", 0))]
    return model.node("Slice", ["x", *limits], ["y"])


def last_of(model: Model) -> Model:
    limits = [integers(model, name, [n]) for name, n in (("s", -1), ("e", LAST), ("a", 0))]
    return model.node("Slice", ["x", *limits], ["y"])


def join_along(model: Model) -> Model:
    model.node("Transpose", ["x"], ["t"])
    return model.node("Concat", ["t", "t"], ["y"], axis=1)


def gather_along(model: Model) -> Model:
    model.node("Transpose", ["x"], ["t"])
    return model.node("Gather", ["t", integers(model, "i", [0, 0])], ["y"], axis=1)


def split_along(model: Model) -> Model:
    """Every step in a part of its own."""
    model.opset = 11
    model.node("Transpose", ["x"], ["t"])
    return model.node("Split", ["t"], ["y"], axis=1)


def pad_along(model: Model) -> Model:
    unsqueeze(model, "x", [0, 1], "u")
    return model.node("Pad", ["u", integers(model, "p", [0, 0, 2, 0, 0, 0, 0, 0])], ["y"])


def every_pair(model: Model) -> Model:
    unsqueeze(unsqueeze(model, "x", [0, 1], "a"), "x", [1, 2], "b")
    return model.node("Add", ["a", "b"], ["y"])


def cut_across(model: Model) -> Model:
    model.node("Transpose", ["x"], ["t"])
    return reshape(model, "t", [-1, 2], "y")


def drop_if_one(model: Model) -> Model:
    return reshape(model.node("Squeeze", ["x"], ["s"]), "s", [1, -1], "y")


def by_its_extent(model: Model) -> Model:
    """The extent itself gets into the values."""
    model.node("Shape", ["x"], ["s"]).node("Gather", ["s", integers(model, "i", [0])], ["n"])
    model.node("Cast", ["n"], ["f"], to=1)
    return model.node("Mul", ["x", "f"], ["y"])


NO_BATCH: dict[Build, str] = {
    image_of_time: "the_Conv_of_c the windows reach over the axis",
    softmax_of_all: "the_Softmax_of_y the sum is taken over the axis",
    flattened_softmax: "the_Softmax_of_y the sum is taken over the axis",
    softmax_along: "the_Softmax_of_y the sum is taken over the axis",
    softmax_of_what_is_behind: "the_Softmax_of_y the sum is taken over the axis",
    mean_along: "the_ReduceMean_of_y the axis is reduced",
    pool_along: "the_MaxPool_of_y the windows reach over the axis",
    steps_along: "the_AveragePool_of_y the windows reach over the axis",
    first_of: "the_Slice_of_y the axis is cut",
    last_of: "the_Slice_of_y the axis is cut",
    join_along: "the_Concat_of_y tensors are joined along the axis",
    gather_along: "the_Gather_of_y places along the axis are gathered",
    split_along: "the_Split_of_y the axis is split",
    pad_along: "the_Pad_of_y the axis is made longer",
    every_pair: "the_Add_of_y different parts of the axis are set against each other",
    cut_across: "the_Reshape_of_y the new shape cuts across the axis",
    drop_if_one: "the_Squeeze_of_s the axis is dropped only where it is 1",
    by_its_extent: "the_Mul_of_y the constant depends on the axis",
}


@pytest.mark.parametrize("build", NO_BATCH, ids=lambda build: build.__name__)
@pytest.mark.parametrize("name", ["T", None])
def test_axis_that_is_no_batch_must_be_bound(load: Load, build: Build, name: str | None) -> None:
    with pytest.raises(GraphError) as caught:
        load(build(Model({"x": (name, 6)})))
    text = str(caught.value)
    assert f"input x: axis 0 is open and no batch, since of {NO_BATCH[build]}" in text
    assert f"expected a number, found {name or 'nothing'}; export the model for one size" in text
    assert "make_dynamic_shape_fixed --input_name x --input_shape N,6" in text
    assert text.count("axis 0") == 1


@pytest.mark.parametrize(
    "build",
    [image_of_time, softmax_of_all, flattened_softmax, softmax_along, mean_along, pool_along,
     steps_along, join_along, gather_along, split_along, pad_along, cut_across, by_its_extent],
    ids=lambda build: build.__name__,
)  # fmt: skip
@pytest.mark.parametrize("extent", [1, 6])
def test_bound_axis_is_data(agree: Agree, build: Build, extent: int) -> None:
    agree(build(Model({"x": (extent, 6)})))


def test_c_of_a_bound_axis(load: Load) -> None:
    """The input is the file's: time first, no batch before it."""
    model = Model({"x": (12, 40)})
    conv(unsqueeze(model, "x", [0, 1], "i"), "i", "c", 3, 1, 3, 3, pads=[1, 1, 1, 1])
    model.node("Transpose", ["c"], ["t"], perm=[2, 1, 3, 0])
    reshape(model, "t", [12, 120], "y")
    (expected,) = open_session(model.proto().SerializeToString()).run(None, model.images())
    found = netgen.compile(load(model), target="generic")(model.images()["x"])
    assert isinstance(found, np.ndarray)
    assert found.shape == (12, 120)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def network(model: Model) -> Model:
    """A classifier as exporters write it whose batch is open, with the extent computed."""
    conv(model, "x", "c", 8, 4, 3, 3, pads=[1, 1, 1, 1], strides=[2, 2])
    channels = [model.weights(f"b{k}", 8) for k in range(3)]
    ones = model.constant("v", np.ones(8))
    model.node("BatchNormalization", ["c", *channels, ones], ["n"]).node("Relu", ["n"], ["r"])
    model.node("Shape", ["r"], ["s"]).node("Gather", ["s", integers(model, "i", [0])], ["batch"])
    rest = integers(model, "rest", [2, 4, 3, 3])
    model.node("Concat", ["batch", rest], ["wide"], axis=0).node("Reshape", ["r", "wide"], ["g"])
    model.node("Transpose", ["g"], ["t"], perm=[0, 2, 1, 3, 4])
    reshape(model, "t", [-1, 8, 3, 3], "m").node("MaxPool", ["m"], ["p"], kernel_shape=[2, 2])
    model.node("GlobalAveragePool", ["p"], ["a"]).node("Sigmoid", ["a"], ["w"])
    model.node("Mul", ["p", "w"], ["e"]).node("Split", ["e"], ["e1", "e2"], axis=1)
    model.node("Concat", ["e2", "e1"], ["j"], axis=1).node("Flatten", ["j"], ["f"])
    model.node("Gemm", ["f", model.weights("l", 32, 5)], ["o"])
    return model.node("Softmax", ["o"], ["y"], axis=-1)


def each_pixel(model: Model) -> Model:
    """Time is an axis of the image, but every window is one step high."""
    model.node("Unsqueeze", ["x", integers(model, "u", [0])], ["i"])
    model.node("Transpose", ["i"], ["t"], perm=[0, 2, 1, 3, 4])
    reshape(model, "t", [1, 4, -1, 30], "r")
    conv(model, "r", "c", 3, 4, 1, 5, strides=[1, 2], pads=[0, 2, 0, 2])
    model.node("AveragePool", ["c"], ["p"], kernel_shape=[1, 3], strides=[1, 3])
    return model.node("Softmax", ["p"], ["y"], axis=1)


def repeated_constant(model: Model) -> Model:
    model.node("Shape", ["x"], ["s"])
    model.node("Expand", [model.weights("k", 1, 4, 5, 6), "s"], ["wide"])
    return model.node("Add", ["x", "wide"], ["y"])


def moved_and_merged(model: Model) -> Model:
    """Images by channels and back, as one well-known network shuffles them."""
    reshape(model, "x", [-1, 2, 30], "a").node("Transpose", ["a"], ["b"], perm=[1, 0, 2])
    reshape(model, "b", [2, -1, 2, 5, 6], "c")
    return model.node("Transpose", ["c"], ["y"], perm=[1, 0, 2, 3, 4])


def every_mean(model: Model) -> Model:
    model.node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0)
    model.node("Unsqueeze", ["m", integers(model, "u", [-1, 1])], ["u1"])
    return model.node("Squeeze", ["u1", integers(model, "q", [1])], ["y"])


BATCHES = [network, each_pixel, repeated_constant, moved_and_merged, every_mean]


@pytest.mark.parametrize("build", BATCHES, ids=lambda build: build.__name__)
@pytest.mark.parametrize("name", ["N", None])
def test_batch_has_results_of_its_own(load: Load, build: Build, name: str | None) -> None:
    agree_of_each(load, build, name)


def agree_of_each(load: Load, build: Build, name: str | None = "N") -> None:
    """Assert that ONNX Runtime computes of three images at once what netgen does of each."""
    shape = (4, 5, 6)
    model = build(Model({"x": (name, *shape)}))
    graph = load(model)
    images = (uniform("images", (3, *shape)) * 3**0.5).astype(np.float32)
    (together,) = open_session(model.proto().SerializeToString()).run(None, {"x": images})
    alone = [interpret(graph, {"x": image[np.newaxis]})[graph.outputs[0]] for image in images]
    # Three results of one image each are joined along the axis that differs.
    axis = np.flatnonzero(np.array(np.shape(together)) != alone[0].shape)
    np.testing.assert_allclose(np.concatenate(alone, int(axis[0])), together, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [[1, 6], [1, 1, 6, 1]])
def test_file_that_fits_one_alone(agree: Agree, shape: list[int]) -> None:
    """A shape, or weights, that leave no other extent say what the axis is."""
    model = reshape(Model({"x": ("N", 6)}), "x", shape, "r")
    assert "softmax" in names(agree(model.node("Softmax", ["r"], ["y"], axis=1)))


def test_weights_that_fit_one_alone(agree: Agree) -> None:
    model = Model({"x": ("N", 6)}).node("Transpose", ["x"], ["t"])
    reshape(model, "t", [1, -1], "r")
    model.node("MatMul", ["r", model.weights("w", 6, 4)], ["m"]).node("Softmax", ["m"], ["y"])
    assert names(agree(model)) == ["linear", "softmax"]


def test_weights_that_fit_another_extent(load: Load) -> None:
    """The axis was taken as 1, which the message says."""
    model = reshape(Model({"x": ("T", 6)}), "x", [1, -1], "r")
    model.node("MatMul", ["r", model.weights("w", 60, 4)], ["y"])
    with pytest.raises(GraphError, match=r"expected \[...,60\], found \[1, 6\]; axis 0 of the in"):
        load(model)


def test_every_open_input_is_told_once(load: Load) -> None:
    model = Model({"a": ("T", 6), "b": ("U", 6)}, outputs=("y", "z"))
    for x, y in (("a", "y"), ("b", "z")):
        reshape(model, x, [1, -1], f"r{x}").node("Softmax", [f"r{x}"], [f"s{x}"])
        model.node("Softmax", [f"s{x}"], [y])
    model.node("Det", ["z"], ["e"])
    model.outputs = ("y", "e")
    with pytest.raises(GraphError) as caught:
        load(model)
    text = str(caught.value)
    assert "3 parts of the model" in text
    assert "input a: axis 0 is open and no batch, since of the_Softmax_of_sa" in text
    assert "input b: axis 0 is open and no batch, since of the_Softmax_of_sb" in text
    assert "Det is not supported" in text


def test_two_batches_of_one_name(agree: Agree) -> None:
    model = Model({"a": ("N", 6), "b": ("N", 6), "c": (1, 6)})
    model.node("Add", ["a", "b"], ["s"]).node("Mul", ["s", "c"], ["y"])
    assert names(agree(model)) == ["add", "mul"]


def test_every_operator_has_a_rule() -> None:
    # Results of these are known.
    assert RULES.keys() | OF_SEVERAL.keys() == MAPPINGS.keys() - {"Shape", "Size"}
