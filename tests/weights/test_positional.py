"""Weights by position: in order, in the layout that fits, and only if everything does."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import WeightsError
from netgen.ir.graph import Graph
from netgen.ops import batch_norm, conv2d, depthwise_conv2d, flatten, global_avg_pool, linear
from netgen.weights.assign import weighted_graph
from netgen.weights.bind import Layout
from netgen.weights.order import order_fault
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
    return WeightFile(Path("foreign.pth"), "torch", dict(arrays), "", None)


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
    """A file that sorts its names is refused: the layers' shapes do not follow each other."""
    backwards = dict(reversed(in_layout("OIHW").items()))
    with pytest.raises(WeightsError, match="misshapen"):
        load(tmp_path, backwards)


def test_only_where_asked(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=re.escape("order decide (--by-position)")):
        load(tmp_path, in_layout("OIHW"), place=False)


# How one batch norm's tensors are called: gamma, beta, mean, variance.
NORMS = {
    "torch": ("bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"),
    "netgen": ("bn.gamma", "bn.beta", "bn.mean", "bn.var"),
    "flax": ("bn/scale", "bn/bias", "bn/mean", "bn/var"),
    "Keras": ("bn/gamma:0", "bn/beta:0", "bn/moving_mean:0", "bn/moving_variance:0"),
    "MXNet": ("bn_gamma", "bn_beta", "bn_running_mean", "bn_running_var"),
    "letters": ("bn.w", "bn.b", "bn.mean", "bn.var"),
    "no layer": ("weight", "bias", "running_mean", "running_var"),
}


@pytest.mark.parametrize("names", NORMS.values(), ids=NORMS.keys())
def test_endings_tell_a_layers_tensors_apart(names: tuple[str, ...]) -> None:
    """In each of the 24 orders of a batch norm's tensors, between layers without such endings."""
    shapes = {name: SHAPES[name] for name in SHAPES if not name.startswith("depthwise")}
    arrays = in_layout("OIHW")
    for order in permutations(range(4)):
        given = {"t0": arrays["t0"]}
        given |= {names[i]: arrays[f"t{i + 1}"] for i in order}
        given |= {"t7": arrays["t7"], "t8": arrays["t8"]}
        found, layout = match_positions(as_file(given), shapes)
        assert layout == "OIHW"
        assert list(found.values()) == ["t0", *names, "t7", "t8"], order


def test_convolution_and_batch_norm_of_one_layer() -> None:
    """Under one name: weight and bias are what gamma and beta, or scale, are not."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv2d.w": (4, 3, 2, 3), "conv2d.b": (4,), "norm.gamma": (4,),
        "norm.beta": (4,), "norm.mean": (4,), "norm.var": (4,),
    }  # fmt: skip
    arrays = {name: stored(array, "OIHW") for name, array in values(shapes).items()}
    names = dict(zip(shapes, ("weight", "bias", "gamma", "beta", "mean", "var"), strict=True))
    for order in permutations(shapes):
        given = {f"unit.{names[name]}": arrays[name] for name in order}
        expected = {name: f"unit.{names[name]}" for name in shapes}
        if list(given) == sorted(given):
            continue  # which is refused
        assert match_positions(as_file(given), shapes)[0] == expected, order
    # Without a bias of the convolution the layer's bias is its batch norm's.
    del shapes["conv2d.b"]
    names |= {"norm.gamma": "scale", "norm.beta": "bias"}
    given = {f"unit.{names[name]}": arrays[name] for name in reversed(shapes)}
    assert match_positions(as_file(given), shapes)[0] == {n: f"unit.{names[n]}" for n in shapes}


def test_tensors_of_a_layer_that_are_apart() -> None:
    """Parameters first, statistics last: each goes to the layer that its name says."""
    norms = {f"n{i}.{letter}": (4,) for i in (1, 2) for letter in ("gamma", "beta", "mean", "var")}
    arrays = values(norms)
    order = sorted(norms, key=lambda name: name.endswith(("mean", "var")))
    given = {f"x.{name}": arrays[name] for name in order}
    assert match_positions(as_file(given), norms)[0] == {name: f"x.{name}" for name in norms}


def test_endings_that_contradict_the_order(tmp_path: Path) -> None:
    """A batch norm where a convolution with a bias should be."""
    arrays = in_layout("OIHW")
    names = ["c.weight", "c.bias", "n.weight", "n.bias", "n.running_mean", "d.weight", "d.bias"]
    given = {name: arrays[f"t{i}"] for i, name in enumerate([*names, "l.weight", "l.bias"])}
    with pytest.raises(WeightsError, match="their names contradict their order") as caught:
        load(tmp_path, given)
    message = str(caught.value)
    assert "expected conv2d.w, batch_norm.gamma, found c.weight, c.bias; name the" in message


def test_names_that_fit_the_network_are_not_passed_over(tmp_path: Path) -> None:
    """netgen's own names: within a layer they decide, and layers in another order are refused."""
    own = {name: stored(array, "OHWI") for name, array in values().items()}
    order = [name for name in SHAPES if name != "batch_norm.gamma"]
    order.insert(2, "batch_norm.gamma")
    graph = load(tmp_path, {name: own[name] for name in order})
    for name, array in values().items():
        assert np.array_equal(graph.constants[name], array), name

    @network
    def twins() -> Tensor:
        return conv2d(conv2d(image(4, 4, 3), 3, name="first"), 3, name="second")

    shapes = {"second.weight": (3, 3, 1, 1), "second.bias": (3,)}
    shapes |= {"first.weight": (3, 3, 1, 1), "first.bias": (3,)}
    np.savez(tmp_path / "twins.npz", allow_pickle=True, **values(shapes))
    with pytest.raises(WeightsError, match="names fit as well, and say otherwise") as caught:
        weighted_graph(twins, "twins", tmp_path / "twins.npz", {}, by_position=True)
    assert "expected first.weight for %first.w, found second.weight" in str(caught.value)
    named = weighted_graph(twins, "twins", tmp_path / "twins.npz", {})
    assert named.constants["first.w"].ravel()[0] == 13.0


def test_safetensors_have_no_order(tmp_path: Path) -> None:
    """Not even one that would fit: who wrote the file did not choose it."""
    (tmp_path / "w.safetensors").write_bytes(save(in_layout("OIHW")))
    words = "cannot be taken by position: a .safetensors file has no order of its own; name the"
    with pytest.raises(WeightsError, match=re.escape(words)):
        weighted_graph(small, "small", tmp_path / "w.safetensors", {}, by_position=True)
    with pytest.raises(WeightsError, match="no tensor has a name that small knows") as caught:
        weighted_graph(small, "small", tmp_path / "w.safetensors", {})
    assert "position" not in str(caught.value)
    assert "or name the network's layers alike" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "trace"),
    [
        # A checkpoint of what was read from a safetensors file.
        (["a.bias", "a.weight"], "a.bias before a.weight"),
        (
            ["n.bias", "n.running_mean", "n.running_var", "n.weight"],
            "n.running_var before n.weight",
        ),
        (["n.beta", "n.gamma", "z"], "n.beta before n.gamma"),
        (["n10.weight", "n2.weight"], "n10.weight before n2.weight"),
        (["t0", "t1", "t10", "t2"], "t10 before t2"),
        (["x9.b10y", "x9.b9"], "x9.b10y before x9.b9"),
    ],
)
def test_sorted_names(names: list[str], trace: str) -> None:
    arrays: dict[str, Floats] = {name: np.zeros(1, np.float32) for name in names}
    assert list(arrays) == sorted(arrays)
    assert order_fault(as_file(arrays)) == f"its tensors are sorted by name ({trace})"
    shapes: dict[str, tuple[int, ...]] = {f"layer{i}.b": (1,) for i in range(len(names))}
    with pytest.raises(WeightsError, match=re.escape(f"sorted by name ({trace}); name the")):
        match_positions(as_file(arrays), shapes)
    # In the order of a network nothing is wrong with these names.
    assert order_fault(as_file(dict(reversed(arrays.items())))) is None


@pytest.mark.parametrize(
    "names",
    [
        ["t0", "t1", "t2"],
        ["a.weight", "b.weight", "c.weight"],
        ["conv.weight", "conv1.weight", "conv10.weight"],
        ["00_CONV_2D_w", "00_b", "01_CONV_2D_w", "01_b"],
        ["v1", "v01a", "v2"],
        [],
    ],
)
def test_names_that_are_sorted_by_chance(names: list[str]) -> None:
    assert order_fault(as_file({name: np.zeros(1) for name in names})) is None


def test_kernels_of_keras_and_flax() -> None:
    """Square ones would fit, transposed."""
    shapes = {"linear.w": (4, 4), "linear.b": (4,)}
    for kernel in ("dense/kernel:0", "Dense_0.kernel"):
        given = {kernel: np.ones((4, 4)), "dense/bias:0": np.ones(4)}
        with pytest.raises(WeightsError, match="kernels are laid out as no weights") as caught:
            match_positions(as_file(given), shapes)
        assert str(caught.value).startswith(f"foreign.pth: {kernel}: ")


@network
def branches() -> Tensor:
    """Two branches of one shape, of which the one that is declared first has the later name."""
    x = image(4, 4, 3)
    y = conv2d(x, 3, name="z", bias=False)
    return y + conv2d(conv2d(x, 3, name="b", bias=False), 3, name="a", bias=False)


def test_order_is_that_of_the_networks_function(tmp_path: Path) -> None:
    """Not that of a graph, where names decide between what is ready to be computed."""
    arrays = values({f"t{i}": (3, 3, 1, 1) for i in range(3)})
    np.savez(tmp_path / "w.npz", allow_pickle=False, **arrays)
    graph = weighted_graph(branches, "branches", tmp_path / "w.npz", {}, by_position=True)
    for name, given in zip(("z.w", "b.w", "a.w"), arrays.values(), strict=True):
        assert np.array_equal(graph.constants[name].ravel(), given.ravel()), name


def test_not_finite_values_are_refused(tmp_path: Path) -> None:
    arrays = in_layout("OIHW")
    arrays["t0"] = arrays["t0"].copy()
    arrays["t0"][0, 0, 0, 0] = np.nan
    with pytest.raises(WeightsError, match="1 not finite"):
        load(tmp_path, arrays)
