"""MobileNet v2: Sandler et al. 2018, table 2.

"MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

from __future__ import annotations

from collections.abc import Mapping

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.models.blocks import Padding, check_width_multiplier, convolution, make_divisible
from netgen.models.photos import IMAGENET
from netgen.models.torch_names import torch_names, torch_table
from netgen.ops import dropout, flatten, global_avg_pool, linear

# Expansion factor t, channels c, repetitions n, stride s of the first block of each row.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def inverted_residual(
    x: Tensor, expansion: int, channels: int, stride: int, padding: str, batch_norm: bool
) -> Tensor:
    """Expand, filter, project; the shortcut joins the thin ends."""
    y = x
    if expansion > 1:
        with scope("expand"):
            wide = x.channels * expansion
            y = convolution(y, wide, 1, padding=padding, normalise=batch_norm, act="relu6")
    with scope("depthwise"):
        y = convolution(
            y, None, 3, stride=stride, padding=padding, normalise=batch_norm, act="relu6"
        )
    with scope("project"):
        y = convolution(y, channels, 1, padding=padding, normalise=batch_norm, act="none")
    return x + y if x.shape == y.shape and stride == 1 else y


def torchvision_names(graph: Graph) -> Mapping[str, str]:
    """torchvision.models.mobilenet_v2: a convolution and its batch norm stand side by side."""
    units = {"stem": ("features.0.0", "features.0.1"), "head": ("features.18.0", "features.18.1")}
    for index in range(1, 18):
        block, features = f"block{index}", f"features.{index}.conv"
        first = 0 if index == 1 else 1  # the first block does not expand
        units[f"{block}.expand"] = (f"{features}.0.0", f"{features}.0.1")
        units[f"{block}.depthwise"] = (f"{features}.{first}.0", f"{features}.{first}.1")
        units[f"{block}.project"] = (f"{features}.{first + 1}", f"{features}.{first + 2}")
    units["classifier"] = ("classifier.1", "")
    return torch_names(graph, units)


TABLES = torch_table(torchvision_names)


@network(tables=TABLES, normalisation=IMAGENET)
def mobilenet_v2(
    alpha: float = 1.0,
    input_size: int = 224,
    classes: int = 1000,
    input_channels: int = 3,
    padding: Padding = "torch",
    batch_norm: bool = True,
) -> Tensor:
    """MobileNet v2 (Sandler et al. 2018): inverted residuals, width multiplier alpha."""
    check_width_multiplier(alpha)
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        wide = make_divisible(32 * alpha)
        x = convolution(x, wide, 3, stride=2, padding=padding, normalise=batch_norm, act="relu6")
    index = 0
    for expansion, channels, repetitions, first_stride in STAGES:
        for repetition in range(repetitions):
            index += 1
            stride = first_stride if repetition == 0 else 1
            width = make_divisible(channels * alpha)
            with scope(f"block{index}"):
                x = inverted_residual(x, expansion, width, stride, padding, batch_norm)
    with scope("head"):
        # The last convolution is not thinned below 1280 channels (section 3.2 of the paper's code).
        wide = make_divisible(1280 * max(alpha, 1.0))
        x = convolution(x, wide, 1, padding=padding, normalise=batch_norm, act="relu6")
    with scope("classifier"):
        x = dropout(flatten(global_avg_pool(x)))
        return linear(x, classes)
