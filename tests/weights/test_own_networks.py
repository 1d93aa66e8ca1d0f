"""A network of one's own whose weights torch wrote: the same outputs from every format.

The judge computes in torch's layouts, NCHW and OIHW, from the state dict itself.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save_file

from netgen.dsl import Tensor, image, network, scope
from netgen.dsl.network import Network
from netgen.errors import WeightsError
from netgen.ir.interpret import interpret
from netgen.ops import (
    batch_norm,
    conv2d,
    depthwise_conv2d,
    flatten,
    global_avg_pool,
    linear,
    relu,
)
from netgen.weights.assign import weighted_graph

if TYPE_CHECKING:
    from tests.weights.conftest import Writer

Numbers = npt.NDArray[np.generic]
State = OrderedDict[str, Numbers]
Doubles = npt.NDArray[np.float64]

PIXELS = np.random.default_rng(5).standard_normal((1, 7, 6, 3))


@network
def alike() -> Tensor:
    """Scopes and layers are called as torch's modules are, or are alone in a scope that is."""
    x = relu(batch_norm(conv2d(image(7, 6, 3), 4, 3, bias=False, name="conv1"), name="bn1"))
    with scope("layer1.0"):
        y = conv2d(x, 4, 3, pad=1, name="conv1")
        with scope("norm"):
            y = batch_norm(y)
        with scope("depthwise"):
            y = depthwise_conv2d(relu(y), 3, pad=1, bias=False)
    return linear(flatten(global_avg_pool(x + y)), 4, name="fc")


@network
def unlike() -> Tensor:
    """The same, with names that nobody else has."""
    x = relu(batch_norm(conv2d(image(7, 6, 3), 4, 3, bias=False)))
    y = relu(batch_norm(conv2d(x, 4, 3, pad=1)))
    y = depthwise_conv2d(y, 3, pad=1, bias=False)
    return linear(flatten(global_avg_pool(x + y)), 4)


def state() -> State:
    """A state dict as torch keeps it, every channel of every layer unlike all others."""
    random = np.random.default_rng(7)

    def norm(name: str) -> list[tuple[str, Numbers]]:
        return [
            (f"{name}.weight", random.uniform(0.5, 1.5, 4).astype(np.float32)),
            (f"{name}.bias", random.normal(0.0, 1.0, 4).astype(np.float32)),
            (f"{name}.running_mean", random.normal(0.0, 1.0, 4).astype(np.float32)),
            (f"{name}.running_var", random.uniform(0.3, 3.0, 4).astype(np.float32)),
            (f"{name}.num_batches_tracked", np.array(9)),
        ]

    def weights(name: str, *shape: int) -> list[tuple[str, Numbers]]:
        return [(name, random.normal(0.0, 0.5, shape).astype(np.float32))]

    return OrderedDict(
        weights("conv1.weight", 4, 3, 3, 3)
        + norm("bn1")
        + weights("layer1.0.conv1.weight", 4, 4, 3, 3)
        + weights("layer1.0.conv1.bias", 4)
        + norm("layer1.0.norm")
        + weights("layer1.0.depthwise.weight", 4, 1, 3, 3)
        + weights("fc.weight", 4, 4)
        + weights("fc.bias", 4)
    )


def convolved(x: Doubles, w: Numbers, pad: int) -> Doubles:
    """Correlation of (C, H, W), pixel by pixel; one input per output where w is (C, 1, 3, 3)."""
    x, taps = np.pad(x, ((0, 0), (pad, pad), (pad, pad))), w.astype(np.float64)
    outputs, inputs, rows, columns = w.shape
    y = np.zeros((outputs, x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for o, i, j in np.ndindex(*y.shape):
        window = x[:, i : i + rows, j : j + columns]
        y[o, i, j] = ((window if inputs == len(x) else window[[o]]) * taps[o]).sum()
    return y


def computed(state: State) -> Doubles:
    """The results of torch's modules, from torch's names."""
    s = {name: array.astype(np.float64)[..., None, None] for name, array in state.items()}

    def conv(name: str, x: Doubles, pad: int = 0) -> Doubles:
        y = convolved(x, state[f"{name}.weight"], pad)
        return y + s[f"{name}.bias"] if f"{name}.bias" in s else y

    def norm(name: str, x: Doubles) -> Doubles:
        centred = (x - s[f"{name}.running_mean"]) / np.sqrt(s[f"{name}.running_var"] + 1e-5)
        return np.asarray(centred * s[f"{name}.weight"] + s[f"{name}.bias"])

    x = np.maximum(norm("bn1", conv("conv1", PIXELS[0].transpose(2, 0, 1))), 0.0)
    y = np.maximum(norm("layer1.0.norm", conv("layer1.0.conv1", x, 1)), 0.0)
    pooled = (x + conv("layer1.0.depthwise", y, 1)).mean(axis=(1, 2))
    return np.asarray(state["fc.weight"].astype(np.float64) @ pooled + state["fc.bias"])


@pytest.fixture(params=["pth", "pth of old", "safetensors", "npz", "npz sorted"])
def written(request: pytest.FixtureRequest, writer: Writer, tmp_path: Path) -> Path:
    """The state dict in a file, as the library of each format writes it."""
    arrays, file = state(), tmp_path / str(request.param)
    if request.param.startswith("pth"):
        file.write_bytes(writer.form("legacy" if "old" in file.name else "zip", arrays))
    elif request.param == "safetensors":
        save_file(arrays, file)  # sorts by type and name, as for torch
    else:
        names = sorted(arrays) if "sorted" in file.name else list(arrays)
        with file.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **{name: arrays[name] for name in names})
    return file


def outputs(file: Path, own: Network, *, by_position: bool) -> Doubles:
    graph = weighted_graph(own, "own", file, {}, by_position=by_position)
    return np.asarray(interpret(graph, {"image": PIXELS})[graph.outputs[0]][0])


def test_by_name(written: Path) -> None:
    expected = computed(state())
    found = outputs(written, alike, by_position=False)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_by_position(written: Path) -> None:
    """Right where the format has an order, refused where it has none; never something else."""
    if written.name in {"safetensors", "npz sorted"}:
        for own in (alike, unlike):
            with pytest.raises(WeightsError, match="cannot be taken by position: "):
                outputs(written, own, by_position=True)
        return
    expected = computed(state())
    for own in (alike, unlike):
        found = outputs(written, own, by_position=True)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_other_names_are_refused(written: Path) -> None:
    with pytest.raises(WeightsError, match="no tensor has a name that unlike knows") as caught:
        outputs(written, unlike, by_position=False)
    ordered = written.name not in {"safetensors", "npz sorted"}
    assert ("by-position" in str(caught.value)) == ordered
    assert "torch's names (conv2d.weight, ...)" in str(caught.value)
