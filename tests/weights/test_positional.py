"""Weights by position: in order, in the layout that fits, and only if everything does."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import WeightsError
from netgen.ir.graph import Graph
from netgen.ops import batch_norm, conv2d, depthwise_conv2d, flatten, global_avg_pool, linear
from netgen.weights.assign import weighted_graph
from netgen.weights.bind import Layout
from netgen.weights.positional import match_positions
from netgen.weights.read import WeightFile

Floats = npt.NDArray[np.float32]


@network
def small(classes: int = 5) -> Tensor:
    """A convolution, its batch norm, a depthwise one with a bias, a classifier."""
    x = batch_norm(conv2d(image(8, 8, 3), 4, (3, 2), bias=False))
    x = depthwise_conv2d(x, 3, bias=True)
    return linear(flatten(global_avg_pool(x)), classes)


SHAPES: dict[str, tuple[int, ...]] = {
    "conv2d.w": (4, 3, 2, 3),
    "batch_norm.gamma": (4,),
    "batch_norm.beta": (4,),
    "batch_norm.mean": (4,),
    "batch_norm.var": (4,),
    "depthwise_conv2d.w": (4, 3, 3, 1),
    "depthwise_conv2d.b": (4,),
    "linear.w": (5, 4),
    "linear.b": (5,),
}


def values(shapes: Mapping[str, tuple[int, ...]] = SHAPES) -> dict[str, Floats]:
    """Parameters in netgen's layout, no two numbers alike."""
    result, first = {}, 1
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        result[name] = np.arange(first, first + size, dtype=np.float32).reshape(shape)
        first += size
    return result


def stored(array: Floats, layout: Layout) -> Floats:
    """The array as a file of that layout has it."""
    if array.ndim == 4 and layout == "OIHW":
        return np.ascontiguousarray(array.transpose(0, 3, 1, 2))
    if array.ndim == 4 and layout == "TFLite" and array.shape[3] == 1:
        return np.ascontiguousarray(array.transpose(3, 1, 2, 0))
    return array


def as_file(arrays: Mapping[str, npt.NDArray[np.generic]]) -> WeightFile:
    return WeightFile(Path("foreign.pth"), dict(arrays), "", None)


def in_layout(layout: Layout) -> dict[str, Floats]:
    """The values under names that nobody knows, in the same order."""
    return {f"t{i}": stored(array, layout) for i, array in enumerate(values().values())}


def load(
    folder: Path, arrays: Mapping[str, npt.NDArray[np.generic]], *, place: bool = True
) -> Graph:
    """The network with these arrays, by way of a file."""
    with zipfile.ZipFile(folder / "w.npz", "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as entry:
                np.lib.format.write_array(entry, array)
    return weighted_graph(small, "small", folder / "w.npz", {}, by_position=place)


def test_the_network_declares_what_is_expected() -> None:
    graph = small.build()
    constants = {n.name: n.type.shape for n in graph.nodes if graph.is_const(n.name)}
    assert list(constants.items()) == list(SHAPES.items())


@pytest.mark.parametrize("layout", ["OIHW", "OHWI", "TFLite"])
def test_order_and_layout(layout: Layout) -> None:
    names, found = match_positions(as_file(in_layout(layout)), SHAPES)
    assert found == layout
    assert names == {name: f"t{i}" for i, name in enumerate(SHAPES)}


@pytest.mark.parametrize("layout", ["OIHW", "OHWI", "TFLite"])
def test_values_arrive(layout: Layout, tmp_path: Path) -> None:
    graph = load(tmp_path, in_layout(layout))
    expected = values()
    assert graph.constants.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(graph.constants[name], array), name
    assert graph.origin is not None
    assert graph.origin.weights_file == "w.npz"


def test_ambiguous_layouts_are_torchs() -> None:
    """A 3x3 kernel over three channels has the same shape in every layout."""
    shapes = {"w": (3, 3, 3, 3)}
    assert match_positions(as_file({"a": np.zeros((3, 3, 3, 3))}), shapes)[1] == "OIHW"


def test_1x1_convolutions_are_linear(tmp_path: Path) -> None:
    arrays = in_layout("OIHW")
    arrays["t7"] = arrays["t7"].reshape(5, 4, 1, 1)
    graph = load(tmp_path, arrays)
    assert np.array_equal(graph.constants["linear.w"], values()["linear.w"])


def test_counters_are_passed_over(tmp_path: Path) -> None:
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, array in in_layout("OIHW").items():
        arrays[name] = array
        if name == "t4":
            arrays["bn.num_batches_tracked"] = np.array(7, np.int64)
    names, _ = match_positions(as_file(arrays), SHAPES)
    assert "bn.num_batches_tracked" not in names.values()
    graph = load(tmp_path, arrays)
    assert np.array_equal(graph.constants["linear.b"], values()["linear.b"])


@pytest.mark.parametrize("change", [-1, 1])
def test_numbers_of_tensors_must_agree(change: int) -> None:
    arrays = in_layout("OIHW")
    if change < 0:
        del arrays["t8"]
    else:
        arrays["t9"] = np.zeros(5, np.float32)
    words = f"cannot be taken by position, expected 9 tensors, found {9 + change}; choose the model"
    with pytest.raises(WeightsError, match=re.escape(words)) as caught:
        match_positions(as_file(arrays), SHAPES)
    assert str(caught.value).startswith("foreign.pth: ")


def test_one_wrong_shape_refuses_all(tmp_path: Path) -> None:
    """Named as the file names it, with both shapes in the file's layout."""
    arrays = in_layout("OIHW")
    arrays["t5"] = arrays["t5"][:, :, :2]
    words = "1 misshapen (t5: expected [4, 1, 3, 3], found [4, 1, 2, 3])"
    with pytest.raises(WeightsError, match=re.escape(words)):
        load(tmp_path, arrays)


def test_another_order_is_refused(tmp_path: Path) -> None:
    """As of files that sort their names: the layers' shapes do not follow each other."""
    backwards = dict(reversed(in_layout("OIHW").items()))
    with pytest.raises(WeightsError, match="misshapen"):
        load(tmp_path, backwards)


def test_only_where_asked(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=re.escape("order decide (--by-position)")):
        load(tmp_path, in_layout("OIHW"), place=False)


def test_names_do_not_matter_where_asked(tmp_path: Path) -> None:
    """netgen's own names in an order of their own are taken by their order all the same."""
    swapped = values()
    gamma, beta = swapped["batch_norm.gamma"], swapped["batch_norm.beta"]
    order = [n for n in SHAPES if n != "batch_norm.gamma"]
    order.insert(2, "batch_norm.gamma")
    graph = load(tmp_path, {name: swapped[name] for name in order})
    assert np.array_equal(graph.constants["batch_norm.gamma"], beta)
    assert np.array_equal(graph.constants["batch_norm.beta"], gamma)
    named = load(tmp_path, {name: swapped[name] for name in order}, place=False)
    assert np.array_equal(named.constants["batch_norm.gamma"], gamma)


def test_not_finite_values_are_refused(tmp_path: Path) -> None:
    arrays = in_layout("OIHW")
    arrays["t0"] = arrays["t0"].copy()
    arrays["t0"][0, 0, 0, 0] = np.nan
    with pytest.raises(WeightsError, match="1 not finite"):
        load(tmp_path, arrays)
