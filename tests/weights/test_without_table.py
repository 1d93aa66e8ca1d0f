"""Names of a file by the parameters that they stand for, in layers that are called alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save_file

from netgen.dsl import Tensor, image, network, scope
from netgen.errors import WeightsError
from netgen.ops import batch_norm, conv2d
from netgen.weights.assign import weighted_graph
from netgen.weights.read import WeightFile
from netgen.weights.suffixes import suffix_of
from netgen.weights.without_table import match_suffixes


@network
def unit() -> Tensor:
    """A convolution as large one way as the other, so that no shape tells how it is laid out."""
    return batch_norm(conv2d(image(3, 3, 3), 3, 3, bias=False, name="conv"), name="bn")


@network
def scoped() -> Tensor:
    """Layers without names: alone in their scopes, together in one, beside one of its name."""
    x = image(3, 3, 3)
    with scope("first"):
        x = conv2d(x, 3, bias=False)
    with scope("pair"):
        x = batch_norm(conv2d(x, 3, bias=False))
    with scope("twice"):
        x = conv2d(x, 3, bias=False)
    return conv2d(x, 3, bias=False, name="twice")


def names_of(*foreign: str) -> WeightFile:
    return WeightFile(Path("f"), "safetensors", {n: np.zeros(1) for n in foreign}, "", None)


@pytest.mark.parametrize(
    ("name", "layer", "letters"),
    [
        ("layer1.0.bn1.running_mean", "layer1.0.bn1", "mean"),
        ("running_var", "", "var"),
        ("conv1.weight", "conv1", "gamma w"),
        ("a/b/gamma:0", "a/b", "gamma"),
        ("bn0_moving_variance", "bn0", "var"),
        ("x.Bias", "x", "b beta"),
        ("a.b", "a", "b beta"),
        (".w", "", "gamma w"),
    ],
)
def test_endings(name: str, layer: str, letters: str) -> None:
    suffix = suffix_of(name)
    assert suffix is not None
    assert (suffix.layer, " ".join(sorted(suffix.letters))) == (layer, letters)


@pytest.mark.parametrize("name", ["", "t0", "conv1weight", "weights", "a.kernel", "weight.", "w:1"])
def test_names_that_say_nothing(name: str) -> None:
    assert suffix_of(name) is None


@pytest.mark.parametrize("weight", ["w", "weight"])
def test_layout_follows_the_ending(weight: str, tmp_path: Path) -> None:
    """netgen's own `w` is OHWI, whatever a batch norm's parameters are called; torch's is OIHW."""
    w = np.arange(81, dtype=np.float32).reshape(3, 3, 3, 3)
    arrays: dict[str, npt.NDArray[np.float32]] = {f"conv.{weight}": w}
    for number, ending in enumerate(("scale", "bias", "mean", "variance")):
        arrays[f"bn.{ending}"] = np.full(3, number + 1, np.float32)
    save_file(arrays, tmp_path / "w.safetensors")
    graph = weighted_graph(unit, "unit", tmp_path / "w.safetensors", {})
    expected = w if weight == "w" else w.transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(graph.constants["conv.w"], expected)
    for number, letter in enumerate(("gamma", "beta", "mean", "var")):
        assert graph.constants[f"bn.{letter}"].tolist() == [number + 1] * 3


def test_layers_without_names() -> None:
    graph = scoped.build()
    expected = [node.name for node in graph.declared if graph.is_const(node.name)]
    file = names_of("first.weight", "pair.weight", "pair.bias", "twice.weight", "x.y")
    assert match_suffixes(file, graph, expected) == (
        {
            "first.conv2d.w": "first.weight",
            "pair.conv2d.w": "pair.conv2d.weight",  # pair.weight may be either
            "pair.batch_norm.gamma": "pair.batch_norm.weight",
            "pair.batch_norm.beta": "pair.batch_norm.bias",
            "pair.batch_norm.mean": "pair.batch_norm.running_mean",
            "pair.batch_norm.var": "pair.batch_norm.running_var",
            "twice.conv2d.w": "twice.conv2d.weight",
            "twice.w": "twice.weight",
        },
        "OIHW",
    )


def test_two_names_for_one_parameter(tmp_path: Path) -> None:
    """The one that says more is taken, and the other one is not passed over."""
    endings = ("weight", "gamma", "bias", "running_mean", "running_var")
    arrays = {f"bn.{ending}": np.ones(3, np.float32) for ending in endings}
    arrays["conv.weight"] = np.ones((3, 3, 3, 3), np.float32)
    np.savez(tmp_path / "w.npz", allow_pickle=False, **arrays)
    with pytest.raises(WeightsError, match=r": 1 unexpected \(bn\.weight\); "):
        weighted_graph(unit, "unit", tmp_path / "w.npz", {})
