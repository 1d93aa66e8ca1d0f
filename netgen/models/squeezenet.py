"""SqueezeNet 1.1, the authors' later form with 2.4 times less computation.

"SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", Iandola et al. 2016.
"""

from __future__ import annotations

from collections.abc import Mapping

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.models.photos import IMAGENET
from netgen.models.torch_names import torch_names, torch_table
from netgen.ops import (
    concat,
    conv2d,
    dropout,
    flatten,
    global_avg_pool,
    max_pool2d,
    relu,
)

# Squeeze and expand channels of the fire modules; None is a pooling.
STAGES = (
    (16, 64), (16, 64), None, (32, 128), (32, 128), None,
    (48, 192), (48, 192), (64, 256), (64, 256),
)  # fmt: skip


def fire(x: Tensor, squeeze: int, expand: int) -> Tensor:
    """Squeeze by 1x1, expand by 1x1 and 3x3 side by side."""
    with scope("squeeze"):
        x = relu(conv2d(x, squeeze))
    with scope("expand1x1"):
        left = relu(conv2d(x, expand))
    with scope("expand3x3"):
        right = relu(conv2d(x, expand, 3, pad=1))
    return concat(left, right)


def torchvision_names(graph: Graph) -> Mapping[str, str]:
    """torchvision.models.squeezenet1_1: modules are numbered, poolings and activations too."""
    units = {"stem": ("features.0", ""), "classifier": ("classifier.1", "")}
    for place, stage in enumerate(STAGES):
        if stage is not None:
            for part in ("squeeze", "expand1x1", "expand3x3"):
                units[f"fire{place + 1}.{part}"] = (f"features.{place + 3}.{part}", "")
    return torch_names(graph, units)


TABLES = torch_table(torchvision_names)


@network(tables=TABLES, normalisation=IMAGENET)
def squeezenet(input_size: int = 224, classes: int = 1000, input_channels: int = 3) -> Tensor:
    """SqueezeNet 1.1 (Iandola et al. 2016): fire modules."""
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = relu(conv2d(x, 64, 3, stride=2))
        x = max_pool2d(x, 3, stride=2, ceil_mode=True)
    for place, stage in enumerate(STAGES, start=1):
        with scope(f"fire{place}"):
            x = fire(x, *stage) if stage else max_pool2d(x, 3, stride=2, ceil_mode=True)
    with scope("classifier"):
        return flatten(global_avg_pool(relu(conv2d(dropout(x), classes))))
