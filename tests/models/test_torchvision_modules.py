"""torchvision's modules and ours, with the same weights. Collected only where torchvision is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

import netgen
from netgen.models import NETWORKS

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "mobilenet_v2": ("mobilenet_v2", {}),
    "mobilenet_v3_small": ("mobilenet_v3_small", {}),
    "mobilenet_v3_large": ("mobilenet_v3_large", {}),
    "shufflenet_v2_x0_5": ("shufflenet_v2", {"scale": 0.5}),
    "shufflenet_v2_x1_0": ("shufflenet_v2", {"scale": 1.0}),
    "shufflenet_v2_x1_5": ("shufflenet_v2", {"scale": 1.5}),
    "shufflenet_v2_x2_0": ("shufflenet_v2", {"scale": 2.0}),
    "resnet18": ("resnet18", {}),
    "resnet34": ("resnet34", {}),
    "resnet50": ("resnet50", {}),
    "squeezenet1_1": ("squeezenet", {}),
}
WIDE_OR_DEEP = {"resnet34", "resnet50", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"}
EACH = [pytest.param(n, marks=[pytest.mark.heavy] * (n in WIDE_OR_DEEP)) for n in CASES]
SIZE = 64


def randomised(name: str) -> torch.nn.Module:
    """The module with weights that keep the variance, and no parameter at its first value."""
    torch.manual_seed(3)
    module = torchvision.models.get_model(name, weights=None).eval()
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.normal_(part.bias, 0.0, 0.3)
            torch.nn.init.normal_(part.running_mean, 0.0, 0.3)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
        elif isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                torch.nn.init.normal_(part.bias, 0.0, 0.3)
    return module


@pytest.mark.parametrize("name", EACH)
def test_same_outputs(name: str, tmp_path: Path) -> None:
    module = randomised(name)
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    network, parameters = CASES[name]
    graph = netgen.load(
        network, weights=tmp_path / "weights.pth", input_size=SIZE, by_position=False, **parameters
    )
    images = np.random.default_rng(1).standard_normal((2, SIZE, SIZE, 3)).astype(np.float32)
    with torch.no_grad():
        planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        expected = module(planes).numpy()
    found = netgen.compile(graph)(images)
    assert isinstance(found, np.ndarray)
    assert np.ptp(expected) > 1.0
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("name", EACH)
def test_position_agrees_with_names(name: str, tmp_path: Path) -> None:
    """torch saves layers in the order in which the architectures here declare theirs."""
    torch.save(randomised(name).state_dict(), tmp_path / "weights.pth")
    network, parameters = CASES[name]
    named, placed = (
        netgen.load(network, weights=tmp_path / "weights.pth", by_position=place, **parameters)
        for place in (False, True)
    )
    assert named.constants.keys() == placed.constants.keys()
    for key, array in named.constants.items():
        assert np.array_equal(array, placed.constants[key]), key


@pytest.mark.parametrize("name", CASES)
def test_published_counts(name: str) -> None:
    """Parameters, and thousands of millions of MACs, are as torchvision publishes them."""
    meta = torchvision.models.get_model_weights(name).DEFAULT.meta
    network, parameters = CASES[name]
    graph = NETWORKS[network].build(**parameters)
    assert graph.parameters() == meta["num_params"]
    assert round(graph.macs() / 1e9, 3) == meta["_ops"]


@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.25])
@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"])
def test_widths(name: str, alpha: float) -> None:
    """Every multiplier rounds as torchvision's does."""
    module = torchvision.models.get_model(name, weights=None, width_mult=alpha)
    count = sum(parameter.numel() for parameter in module.parameters())
    assert NETWORKS[name].build(alpha=alpha).parameters() == count
