"""Open axes through products, normalisations, repeats and branches: a batch, or to be bound."""

from __future__ import annotations

import pytest

from netgen.errors import GraphError
from tests.frontends.conftest import Load
from tests.frontends.onnx_models import Model
from tests.frontends.test_onnx_open_axis import Build, agree_of_each, integers, reshape, unsqueeze


def turned(model: Model) -> Model:
    return model.node("Transpose", ["x"], ["t"])


def gram(model: Model) -> Model:
    return turned(model).node("MatMul", ["t", "x"], ["y"])


def gram_of_gemm(model: Model) -> Model:
    return model.node("Gemm", ["x", "x"], ["y"], transA=1)


def every_pair(model: Model) -> Model:
    turned(model).node("MatMul", ["x", "t"], ["p"])
    return model.node("Softmax", ["p"], ["y"], axis=1)


def every_pair_of_gemm(model: Model) -> Model:
    model.node("Gemm", ["x", "x"], ["p"], transB=1)
    return model.node("Softmax", ["p"], ["y"], axis=1)


def one_for_all(model: Model) -> Model:
    """Rows of a product, and columns of what is added."""
    turned(model).node("Gemm", [model.weights("q", 1, 6), "t"], ["b"])
    return model.node("Gemm", ["x", model.weights("k", 6, 1), "b"], ["y"])


def columns(model: Model) -> Model:
    """The axis is that of the columns of a product, over which a sum is taken."""
    turned(model).node("MatMul", [model.weights("w", 3, 6), "t"], ["p"])
    return model.node("Softmax", ["p"], ["y"], axis=1)


def rows_of_attention(model: Model) -> Model:
    """Every image looks at all others."""
    reshape(model, "x", [1, -1, 6], "r").node("Transpose", ["r"], ["t"], perm=[0, 2, 1])
    return model.node("MatMul", ["r", "t"], ["y"])


def behind_a_branch(model: Model) -> Model:
    """An If whose condition is known, and a maximum over what it gives."""
    from onnx import TensorProto
    from onnx.helper import make_graph, make_node, make_tensor_value_info

    model.faulty = True
    graphs = {
        f"{name}_branch": make_graph(
            [make_node("Relu", ["x"], [f"{name}.y"])],
            name,
            [],
            [make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, None)],
        )
        for name in ("then", "else")
    }
    model.node("If", [model.constant("c", [True], "bool")], ["i"], **graphs)
    return model.node("ReduceMax", ["i"], ["y"], axes=[0])


def mean_of_pixels(model: Model) -> Model:
    unsqueeze(model, "x", [0], "u")
    model.node("Transpose", ["u"], ["t"], perm=[0, 2, 1])
    parameters = [model.weights(name, 6) for name in ("s", "b")]
    return model.node("InstanceNormalization", ["t", *parameters], ["y"])


def neighbours(model: Model) -> Model:
    return unsqueeze(model, "x", [0, 3], "u").node("LRN", ["u"], ["y"], size=3)


def size_along(model: Model) -> Model:
    return model.node("LpNormalization", ["x"], ["y"], axis=0)


def deviation_along(model: Model) -> Model:
    return model.node("MeanVarianceNormalization", ["x"], ["y"], axes=[0])


def pairs_by_expand(model: Model) -> Model:
    """The axis beside itself."""
    model.node("Shape", ["x"], ["s"]).node("Gather", ["s", integers(model, "i", [0])], ["n"])
    model.node("Concat", ["n", integers(model, "o", [1, 1])], ["wide"], axis=0)
    return model.node("Expand", ["x", "wide"], ["y"])


AGAINST = "different parts of the axis are set against each other"
NO_BATCH: dict[Build, str] = {
    gram: "the_MatMul_of_y the sum is taken over the axis",
    gram_of_gemm: "the_Gemm_of_y the sum is taken over the axis",
    every_pair: f"the_MatMul_of_p {AGAINST}",
    every_pair_of_gemm: f"the_Gemm_of_p {AGAINST}",
    one_for_all: f"the_Gemm_of_y {AGAINST}",
    columns: "the_Softmax_of_y the sum is taken over the axis",
    rows_of_attention: f"the_MatMul_of_y {AGAINST}",
    behind_a_branch: "the_ReduceMax_of_y the axis is reduced",
    mean_of_pixels: "the_InstanceNormalization_of_y the mean is taken over the axis",
    neighbours: "the_LRN_of_y neighbours along the axis are summed",
    size_along: "the_LpNormalization_of_y the size is taken along the axis",
    deviation_along: "the_MeanVarianceNormalization_of_y the mean is taken over the axis",
    pairs_by_expand: f"the_Expand_of_y {AGAINST}",
}


@pytest.mark.parametrize("build", NO_BATCH, ids=lambda build: build.__name__)
def test_axis_that_is_no_batch_must_be_bound(load: Load, build: Build) -> None:
    with pytest.raises(GraphError) as caught:
        load(build(Model({"x": ("T", 6)})))
    assert f"axis 0 is open and no batch, since of {NO_BATCH[build]}" in str(caught.value)


def attention(model: Model) -> Model:
    """Rows of one image look at each other, and at a constant."""
    model.node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]).node("MatMul", ["x", "t"], ["s"])
    model.node("Softmax", ["s"], ["p"]).node("MatMul", ["p", "x"], ["o"])
    return model.node("MatMul", [model.weights("w", 2, 5), "o"], ["y"])


def vectors(model: Model) -> Model:
    """A product with a vector, and one of rows that are columns of the file."""
    model.node("MatMul", ["x", model.weights("v", 6)], ["m"]).node("Flatten", ["m"], ["f"])
    model.node("Transpose", ["f"], ["t"]).node("ReduceMean", ["f"], ["c"], axes=[1])
    return model.node("Gemm", ["t", model.weights("w", 20, 3), "c"], ["y"], transA=1)


def normalised(model: Model) -> Model:
    parameters = [model.weights(name, 4) for name in ("s", "b")]
    model.node("InstanceNormalization", ["x", *parameters], ["i"])
    model.node("LRN", ["i"], ["l"], size=3, alpha=0.5)
    model.node("LpNormalization", ["l"], ["p"], axis=1)
    return model.node("MeanVarianceNormalization", ["p"], ["y"], axes=[2, 3])


def repeated(model: Model) -> Model:
    model.node("Tile", ["x", integers(model, "r", [1, 2, 1, 3])], ["t"])
    model.node("ReduceMean", ["t"], ["m"], axes=[2]).node("Shape", ["t"], ["s"])
    return model.node("Expand", ["m", "s"], ["y"])


def ones(model: Model) -> Model:
    """A power by zero is known, and as long as the batch."""
    model.node("Pow", ["x", model.constant("k", 0.0)], ["p"])
    return model.node("Sub", ["x", "p"], ["y"])


@pytest.mark.parametrize(
    "build", [attention, vectors, normalised, repeated, ones], ids=lambda build: build.__name__
)
def test_batch_has_results_of_its_own(load: Load, build: Build) -> None:
    agree_of_each(load, build)


def test_repeats_of_the_axis_are_followed(load: Load) -> None:
    """The axis is part of the longer one."""
    model = Model({"x": ("T", 6)})
    model.node("Tile", ["x", integers(model, "r", [2, 1])], ["t"])
    model.node("ReduceMean", ["t"], ["y"], axes=[0])
    with pytest.raises(GraphError, match="the_ReduceMean_of_y the axis is reduced"):
        load(model)
