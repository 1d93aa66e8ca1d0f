"""Others' networks for CIFAR-10: as accurate as in torch, built in or written by a user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.errors import WeightsError
from netgen.ir.graph import Graph

pytestmark = pytest.mark.usefixtures("as_users_compile")

RESNET20 = "resnet20-12fca82f.th"
SHUFFLENET = "cifar10_shufflenetv2_x0_5-1308b4e9.pt"
CIFAR: dict[str, Any] = {"scale": 0.5, "input_size": 32, "classes": 10, "stem": "cifar"}

# What a user writes who has the weights and the paper.
MY_RESNET = '''
from netgen.dsl.network import network
from netgen.dsl.tensor import image, scope
from netgen.ir.normalisation import Normalisation
from netgen.ops import *

IMAGENET = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def unit(x, channels, stride=1):
    return batch_norm(conv2d(x, channels, 3, stride=stride, pad=1, bias=False))


def block(x, channels, stride):
    y = unit(relu(unit(x, channels, stride)), channels)
    if stride > 1:
        missing = channels - x.channels
        x = channel_pad(spatial_slice(x, stride=stride), missing // 2, missing // 2)
    return relu(y + x)


@network(normalisation=IMAGENET)
def my_resnet(n: int = 3, classes: int = 10):
    """Option A, 6n + 2 layers."""
    x = relu(unit(image(32, 32), 16))
    for stage, channels in enumerate((16, 32, 64)):
        for index in range(n):
            with scope(f"stage{stage}.block{index}"):
                x = block(x, channels, 2 if stage > 0 and index == 0 else 1)
    return linear(flatten(global_avg_pool(x)), classes)
'''


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "cifar10"


@pytest.fixture
def my_resnet(tmp_path: Path) -> str:
    (tmp_path / "my_resnet.py").write_text(MY_RESNET)
    return f"{tmp_path / 'my_resnet.py'}:my_resnet"


def accuracy(graph: Graph, folder: Path) -> tuple[float, NDArray[np.float32]]:
    """The share of the 1000 labelled images that are right, and the logits of all."""
    model = netgen.compile(graph)
    with np.load(folder / "cifar10_dev_1000.npz") as file:
        logits, labels = model(model.preprocess(file["x"])), file["y"]
    assert isinstance(logits, np.ndarray)
    assert logits.shape == (1000, 10)
    return float((logits.argmax(axis=1) == labels).mean()), logits


@pytest.mark.heavy  # the next one has resnet20 against the same accuracy
@pytest.mark.parametrize(
    ("name", "parameters", "weights", "expected"),
    [
        ("resnet20", {}, RESNET20, 0.918),
        ("shufflenet_v2", CIFAR, SHUFFLENET, 0.899),
    ],
)
def test_accuracy_of_torch(
    name: str, parameters: dict[str, Any], weights: str, expected: float, folder: Path
) -> None:
    graph = netgen.load(name, weights=folder / weights, **parameters)
    assert abs(accuracy(graph, folder)[0] - expected) <= 0.002


def test_a_users_file(my_resnet: str, folder: Path) -> None:
    """Its names are not the weights' names, and only where asked does the order decide."""
    assert len(MY_RESNET.splitlines()) <= 60
    with pytest.raises(WeightsError, match=r"95 missing, 95 unexpected; .*\(--by-position\)"):
        netgen.load(my_resnet, weights=folder / RESNET20)
    graph = netgen.load(my_resnet, weights=folder / RESNET20, by_position=True)
    found, logits = accuracy(graph, folder)
    assert abs(found - 0.918) <= 0.002
    built_in = netgen.load("resnet20", weights=folder / RESNET20)
    assert np.array_equal(accuracy(built_in, folder)[1], logits)


def test_a_users_file_with_the_weights_names(my_resnet: str, folder: Path) -> None:
    """Layers that are called as torch's modules need neither a table nor the order."""
    file = Path(my_resnet.removesuffix(":my_resnet"))
    text = MY_RESNET.replace("stride=1):", "stride=1, n=1):")
    text = text.replace(
        "pad=1, bias=False))", 'pad=1, bias=False, name=f"conv{n}"), name=f"bn{n}")'
    )
    text = text.replace("stride)), channels)", "stride)), channels, n=2)")
    text = text.replace("stage{stage}.block{index}", "layer{stage + 1}.{index}")
    placed = netgen.load(my_resnet, weights=folder / RESNET20, by_position=True)
    file.write_text(text)
    named = netgen.load(my_resnet, weights=folder / RESNET20)
    assert {"layer3.2.bn2.var", "linear.w"} < named.constants.keys()
    for ours, theirs in zip(named.constants.items(), placed.constants.items(), strict=True):
        assert np.array_equal(ours[1], theirs[1]), ours[0]


def test_a_users_file_of_another_depth(my_resnet: str, folder: Path) -> None:
    with pytest.raises(WeightsError, match="by position, expected 127 tensors, found 97"):
        netgen.load(my_resnet, weights=folder / RESNET20, by_position=True, n=4)
    with pytest.raises(WeightsError, match=r"linear.weight: expected \[100, 64\], found"):
        netgen.load(my_resnet, weights=folder / RESNET20, by_position=True, classes=100)
