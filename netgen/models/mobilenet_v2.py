"""MobileNet v2: Sandler et al. 2018, table 2.

"MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

from __future__ import annotations

from collections.abc import Mapping

from netgen.dsl.network import WeightTable, network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.models.blocks import Padding, check_width_multiplier, convolution, make_divisible
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

# torchvision's: (rgb / 255 - mean) / std.
NORMALISATION = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def inverted_residual(
    x: Tensor, expansion: int, channels: int, stride: int, padding: str, batch_norm: bool
) -> Tensor:
    """Expand, filter, project; the shortcut joins the thin ends."""
    y = x
    if expansion > 1:
        with scope("expand"):
            wide = x.channels * expansion
            y = convolution(y, wide, 1, stride=1, padding=padding, normalise=batch_norm)
    with scope("depthwise"):
        y = convolution(y, None, 3, stride=stride, padding=padding, normalise=batch_norm)
    with scope("project"):
        y = convolution(
            y, channels, 1, stride=1, padding=padding, normalise=batch_norm, activate=False
        )
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
    letters = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
    names = {
        "classifier.linear.w": "classifier.1.weight",
        "classifier.linear.b": "classifier.1.bias",
    }
    for unit, (convolution_name, normalisation_name) in units.items():
        for operator in ("conv2d", "depthwise_conv2d"):
            names[f"{unit}.{operator}.w"] = f"{convolution_name}.weight"
        for letter, foreign in letters.items():
            names[f"{unit}.batch_norm.{letter}"] = f"{normalisation_name}.{foreign}"
    return {name: foreign for name, foreign in names.items() if name in graph}


TABLES = (
    WeightTable(
        title="torchvision",
        layout="OIHW",
        names=torchvision_names,
        ignored=("num_batches_tracked",),
    ),
)


@network(tables=TABLES, normalisation=NORMALISATION)
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
        x = convolution(
            x, make_divisible(32 * alpha), 3, stride=2, padding=padding, normalise=batch_norm
        )
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
        x = convolution(
            x, make_divisible(1280 * max(alpha, 1.0)), 1, stride=1, padding=padding,
            normalise=batch_norm,
        )  # fmt: skip
    with scope("classifier"):
        x = dropout(flatten(global_avg_pool(x)))
        return linear(x, classes)
