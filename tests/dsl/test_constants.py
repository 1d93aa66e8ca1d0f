"""Constants whose data the network itself gives: through weights, passes, files and the C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save_file

import netgen.ops as dsl
from netgen.compiler import compile as compile_graph
from netgen.compiler import load
from netgen.dsl import Tensor, constant, image, network
from netgen.errors import GraphError
from netgen.ir.files import load_graph, save_graph
from netgen.ir.interpret import interpret
from netgen.ir.verify import verify
from netgen.passes import run_pipeline

SCALE = np.array([0.5, 2.0, -1.0], np.float32).reshape(1, 1, 1, 3)


@network
def scaled(channels: int = 4) -> Tensor:
    """A convolution of pixels that the network scales itself."""
    x = image(5, 6, 3)
    x = dsl.mul(constant(SCALE, name="scale"), x)
    x = x + constant(np.full((1, 5, 6, 3), 0.25))
    return dsl.relu(dsl.conv2d(x, channels, 3, pad=1, name="conv"))


def photo() -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((1, 5, 6, 3)).astype(np.float32)


def test_the_graph_has_the_data_of_constants_and_of_nothing_else() -> None:
    graph = verify(scaled.build())
    assert set(graph.constants) == {"scale", "constant"}
    np.testing.assert_array_equal(graph.constant("scale"), SCALE)


def test_constants_count_as_weights_whether_loaded_or_not() -> None:
    count = 3 + 5 * 6 * 3 + 4 * 3 * 3 * 3 + 4
    assert scaled.build().parameters() == load(scaled).parameters() == count


def test_seeded_weights_leave_constants_alone() -> None:
    graph = load(scaled)
    np.testing.assert_array_equal(graph.constant("scale"), SCALE)
    assert set(graph.constants) == {"scale", "constant", "conv.w", "conv.b"}


def test_a_weight_file_needs_no_constants(tmp_path: Path) -> None:
    w = np.random.default_rng(2).standard_normal((4, 3, 3, 3)).astype(np.float32)
    arrays = {"conv.w": w, "conv.b": np.zeros(4, np.float32)}
    save_file(arrays, tmp_path / "w.safetensors")
    graph = load(scaled, weights=tmp_path / "w.safetensors")
    np.testing.assert_array_equal(graph.constant("scale"), SCALE)
    np.testing.assert_array_equal(graph.constant("conv.w"), w)


def test_compiled_and_saved(tmp_path: Path) -> None:
    graph = load(scaled)
    save_graph(graph, tmp_path / "scaled.ir")
    again = load_graph(tmp_path / "scaled.ir")
    expected = interpret(graph, {"image": photo()})["relu"]
    np.testing.assert_array_equal(interpret(again, {"image": photo()})["relu"], expected)
    found = compile_graph(again, target="generic")(photo()[0])
    np.testing.assert_allclose(found, expected[0], atol=1e-5)


def test_names_and_rounding() -> None:
    @network
    def twice() -> Tensor:
        """Two constants of one name."""
        x = image(1, 1, 1)
        return x + constant([[[[0.1]]]], name="c") + constant([[[[0.1]]]], name="c")

    graph = twice.build()
    assert set(graph.constants) == {"c", "c_2"}
    assert graph.constant("c").dtype == np.float32
    assert graph.constant("c").item() == np.float32(0.1)


def test_the_given_array_may_change_afterwards() -> None:
    values = np.ones((1, 1, 1, 3), np.float32)

    @network
    def kept() -> Tensor:
        """One constant."""
        return image(1, 1, 3) * constant(values)

    graph = kept.build()
    values[:] = 7.0
    assert graph.constant("constant").tolist() == [[[[1.0, 1.0, 1.0]]]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0], [1.0, 2.0]], "a constant is no array of numbers"),
        (["a"], "a constant is no array of numbers, expected real numbers, found <U1"),
        (["1.5"], "a constant is no array of numbers, expected real numbers, found <U3"),
        ([1j], "a constant is no array of numbers, expected real numbers, found complex128"),
        (np.ones(1, np.complex64), "a constant is no array of numbers.* found complex64"),
        ([10**400], "a constant is no array of numbers, expected real numbers, found object"),
        ([None], "a constant is no array of numbers, expected real numbers, found object"),
        ([np.nan], "the values of a constant are not finite"),
        ([1e300], "the values of a constant are not finite"),
        (np.zeros((1, 0)), "has an empty dimension"),
    ],
)
def test_what_is_no_constant(values: npt.ArrayLike, message: str) -> None:
    @network
    def wrong() -> Tensor:
        """A constant that cannot be."""
        return image(1, 1, 1) + constant(values)

    with pytest.raises(GraphError, match=rf"test_constants\.py:\d+.*{message}"):
        wrong.build()


def test_outside_a_network() -> None:
    with pytest.raises(GraphError, match="operators can only be used while a network is built"):
        constant([1.0])


def test_passes_fold_what_has_no_data_yet() -> None:
    @network
    def normalised() -> Tensor:
        """A batch norm behind a convolution of scaled pixels."""
        x = image(2, 2, 3) * constant(SCALE)
        return dsl.batch_norm(dsl.conv2d(x, 4))

    graph = run_pipeline(normalised.build())
    assert [node.op.operator_name for node in graph.activations] == ["mul", "conv2d"]
    assert set(graph.constants) == {"constant"}
