"""Networks that torch exports come in with torch's own outputs. Collected only where torch is."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from netgen.frontends.onnx_file import load_onnx
from netgen.ir.interpret import interpret

NAMES = ["mobilenet_v2", "shufflenet_v2_x1_0", "resnet18", "squeezenet1_1", "mobilenet_v3_small"]
if importlib.util.find_spec("torchvision") is None:
    NAMES = []
SIZE = 96
EXPORTERS: dict[str, dict[str, Any]] = {
    "script-11": {"dynamo": False, "opset_version": 11},
    "script-17": {"dynamo": False, "opset_version": 17, "do_constant_folding": False},
    "dynamo": {"dynamo": True, "verbose": False},
}
if importlib.util.find_spec("onnxscript") is None:
    del EXPORTERS["dynamo"]


class Shuffled(torch.nn.Module):  # type: ignore[misc]  # without torch its classes are Any
    """Groups, a shuffle, slices, a padded shortcut, attention over channels: written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 12, 3, stride=2, padding=1)
        self.grouped = torch.nn.Conv2d(12, 24, 1, groups=3)
        self.squeeze = torch.nn.Linear(24, 6)
        self.excite = torch.nn.Linear(6, 24)
        self.head = torch.nn.Linear(24 * 6 * 6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.relu6(self.stem((x - 0.5) / 0.25))
        y = self.grouped(x)
        n, c, h, w = y.shape
        y = y.view(n, 3, c // 3, h, w).transpose(1, 2).reshape(n, c, h, w)
        gate = self.excite(torch.relu(self.squeeze(y.mean((2, 3)))))
        y = y * torch.sigmoid(gate)[:, :, None, None]
        y = y + torch.nn.functional.pad(x, (0, 0, 0, 0, 6, 6))
        a, b = y.chunk(2, 1)
        y = torch.cat([torch.nn.functional.hardswish(b), a[:, :, :, :]], 1)[:, :, ::2, ::2]
        y = torch.nn.functional.avg_pool2d(y, 3, 2, padding=1, count_include_pad=False)
        y = torch.nn.functional.max_pool2d(y, 3, 2, ceil_mode=True)
        return self.head(torch.flatten(y, 1)).softmax(-1)


def module(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    if name == "by_hand":
        return Shuffled().eval()
    import torchvision

    made: torch.nn.Module = getattr(torchvision.models, name)(weights=None).eval()
    for part in made.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.running_mean, std=0.1)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
    return made


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", [*NAMES, "by_hand"])
def test_export(tmp_path: Path, name: str, exporter: str) -> None:
    net, x = module(name), torch.randn(1, 3, SIZE, SIZE)
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch's own, about its exporters
        torch.onnx.export(net, (x,), str(path), **EXPORTERS[exporter])
        expected = net(x).numpy()
    graph = load_onnx(path)
    (output,) = graph.outputs
    found = interpret(graph, {graph.inputs[0].name: x.numpy()})[output]
    assert found.shape == expected.shape
    assert float(np.abs(found - expected).max()) < 1e-4 * float(np.abs(expected).max())
    operators = [node.op.operator_name for node in graph.activations]
    assert operators.count("transpose") == 1
    assert operators.index("transpose") < operators.index("conv2d")
