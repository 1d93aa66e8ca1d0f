"""MobileNet v1: Howard et al. 2017, table 1.

"MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications".
"""

from __future__ import annotations

from collections.abc import Mapping

from netgen.dsl.network import WeightTable, network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.models.blocks import Padding, check_width_multiplier, convolution
from netgen.models.photos import SYMMETRIC
from netgen.ops import dropout, flatten, global_avg_pool, linear

# Channels and stride of each depthwise separable convolution.
STAGES = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def separable(x: Tensor, channels: int, stride: int, padding: str, batch_norm: bool) -> Tensor:
    """Depthwise 3x3, then pointwise."""
    with scope("depthwise"):
        x = convolution(
            x, None, 3, stride=stride, padding=padding, normalise=batch_norm, act="relu6"
        )
    with scope("pointwise"):
        return convolution(x, channels, 1, padding=padding, normalise=batch_norm, act="relu6")


def dequantised_names(graph: Graph) -> Mapping[str, str]:
    """Layers numbered in order, named as TFLite's operators: 00_CONV_2D_w, 00_b, ..."""
    names: dict[str, str] = {}
    kinds = {
        "conv2d": "CONV_2D",
        "depthwise_conv2d": "DEPTHWISE_CONV_2D",
        "linear": "CONV_2D",
    }
    layers = [node for node in graph.activations if node.op.operator_name in kinds]
    for index, node in enumerate(layers):
        endings = (f"{kinds[node.op.operator_name]}_w", "b")
        for operand, ending in zip(node.operands[1:], endings, strict=False):
            names[operand] = f"{index:02d}_{ending}"
    return names


TABLES = (
    WeightTable(
        title="TFLite operators in order, batch norm folded",
        layout="TFLite",
        names=dequantised_names,
        parameters={"batch_norm": False},
        normalisation=Normalisation(mean=(128 / 255,) * 3, std=(128 / 255,) * 3),
    ),
)


@network(tables=TABLES, normalisation=SYMMETRIC)
def mobilenet_v1(
    alpha: float = 1.0,
    input_size: int = 224,
    classes: int = 1000,
    input_channels: int = 3,
    padding: Padding = "tensorflow",
    batch_norm: bool = True,
) -> Tensor:
    """MobileNet v1 (Howard et al. 2017): depthwise separable convolutions, multiplied by alpha."""

    def width(channels: int) -> int:
        return max(int(channels * alpha), 8)

    check_width_multiplier(alpha)
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = convolution(
            x, width(32), 3, stride=2, padding=padding, normalise=batch_norm, act="relu6"
        )
    for index, (channels, stride) in enumerate(STAGES, start=1):
        with scope(f"block{index}"):
            x = separable(x, width(channels), stride, padding, batch_norm)
    with scope("classifier"):
        x = dropout(flatten(global_avg_pool(x)))
        return linear(x, classes)
