"""ShuffleNet v2.

"ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", Ma et al. 2018,
table 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from netgen.dsl.network import ParameterValue, network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.errors import UsageError
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.models.blocks import check_room, convolution
from netgen.models.photos import CIFAR, IMAGENET
from netgen.models.torch_names import torch_names, torch_table
from netgen.ops import (
    channel_shuffle,
    concat,
    flatten,
    global_avg_pool,
    linear,
    max_pool2d,
    split,
)

# Output channels of stages 2 to 4, and of the last convolution, by scale.
CHANNELS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
REPETITIONS = (4, 8, 4)


def right_branch(x: Tensor, channels: int, stride: int) -> Tensor:
    """1x1, depthwise 3x3, 1x1."""
    with scope("branch2.first"):
        x = convolution(x, channels, 1, act="relu")
    with scope("branch2.depthwise"):
        x = convolution(x, None, 3, stride=stride, act="none")
    with scope("branch2.second"):
        return convolution(x, channels, 1, act="relu")


def unit(x: Tensor, channels: int, stride: int) -> Tensor:
    """Figure 3: half of the channels pass by, or both halves are made from all, at stride 2."""
    half = channels // 2
    if stride == 1:
        left, right = split(x, 2)
        return channel_shuffle(concat(left, right_branch(right, half, 1)), 2)
    check_room(x, stride)
    with scope("branch1.depthwise"):
        left = convolution(x, None, 3, stride=stride, act="none")
    with scope("branch1.pointwise"):
        left = convolution(left, half, 1, act="relu")
    return channel_shuffle(concat(left, right_branch(x, half, stride)), 2)


def torchvision_names(graph: Graph) -> Mapping[str, str]:
    """torchvision.models.shufflenet_v2_*, and what follows its names."""
    units = {
        "stem": ("conv1.0", "conv1.1"),
        "head": ("conv5.0", "conv5.1"),
        "classifier": ("fc", ""),
    }
    for stage, repetitions in enumerate(REPETITIONS, start=2):
        for index in range(repetitions):
            ours, theirs = f"stage{stage}.unit{index + 1}", f"stage{stage}.{index}"
            for name, branch, layer in (
                ("branch1.depthwise", 1, 0),
                ("branch1.pointwise", 1, 2),
                ("branch2.first", 2, 0),
                ("branch2.depthwise", 2, 3),
                ("branch2.second", 2, 5),
            ):
                module = f"{theirs}.branch{branch}"
                units[f"{ours}.{name}"] = (f"{module}.{layer}", f"{module}.{layer + 1}")
    return torch_names(graph, units)


TABLES = torch_table(torchvision_names)


def expected_pixels(parameters: Mapping[str, ParameterValue]) -> Normalisation:
    """CIFAR's statistics for its stem, ImageNet's for the other."""
    return CIFAR if parameters["stem"] == "cifar" else IMAGENET


@network(tables=TABLES, normalisation=expected_pixels)
def shufflenet_v2(
    scale: float = 1.0,
    input_size: int = 224,
    classes: int = 1000,
    input_channels: int = 3,
    stem: Literal["imagenet", "cifar"] = "imagenet",
) -> Tensor:
    """ShuffleNet v2 (Ma et al. 2018): split, transform a half, concatenate, shuffle.

    stem: for CIFAR's 32 x 32 images the first convolution has stride 1 and no pooling follows.
    """
    if scale not in CHANNELS:
        raise UsageError(
            "the parameter 'scale' has no such choice",
            expected="one of " + ", ".join(map(str, CHANNELS)),
            found=str(scale),
        )
    *stages, last = CHANNELS[scale]
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = convolution(x, 24, 3, stride=2 if stem == "imagenet" else 1, act="relu")
        if stem == "imagenet":
            check_room(x, 2)
            x = max_pool2d(x, 3, stride=2, pad=1)
    for stage, (channels, repetitions) in enumerate(zip(stages, REPETITIONS, strict=True), start=2):
        for index in range(1, repetitions + 1):
            with scope(f"stage{stage}.unit{index}"):
                x = unit(x, channels, 2 if index == 1 else 1)
    with scope("head"):
        x = convolution(x, last, 1, act="relu")
    with scope("classifier"):
        return linear(flatten(global_avg_pool(x)), classes)
