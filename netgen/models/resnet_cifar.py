"""Small ResNets for 32 x 32 images.

ResNet-20: "Deep Residual Learning for Image Recognition", He et al. 2015, section 4.2. ResNet-8:
"MLPerf Tiny Benchmark", Banbury et al. 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.models.blocks import Activation, Padding, check_room, convolution
from netgen.models.photos import IMAGENET
from netgen.models.torch_names import torch_names, torch_table
from netgen.ops import (
    channel_pad,
    conv2d,
    flatten,
    global_avg_pool,
    linear,
    relu,
    softmax,
    spatial_slice,
)

Shortcut = Literal["A", "B"]


def shortcut(x: Tensor, channels: int, stride: int, option: str) -> Tensor:
    """Option A: every other pixel, and channels of zeros around; option B: a projection."""
    if stride == 1 and x.channels == channels:
        return x
    if option == "B":
        with scope("shortcut"):
            return convolution(x, channels, 1, stride=stride, act="none")
    missing = channels - x.channels
    return channel_pad(spatial_slice(x, stride=stride), missing // 2, missing - missing // 2)


def block(x: Tensor, channels: int, stride: int, option: str) -> Tensor:
    """Convolve twice, 3x3."""
    check_room(x, stride)
    with scope("first"):
        y = convolution(x, channels, 3, stride=stride, act="relu")
    with scope("second"):
        y = convolution(y, channels, 3, act="none")
    return relu(y + shortcut(x, channels, stride, option))


def akamaster_names(graph: Graph) -> Mapping[str, str]:
    """akamaster/pytorch_resnet_cifar10."""
    units = {"stem": ("conv1", "bn1"), "classifier": ("linear", "")}
    for stage in range(1, 4):
        for index in range(1, 4):
            ours, theirs = f"stage{stage}.block{index}", f"layer{stage}.{index - 1}"
            units[f"{ours}.first"] = (f"{theirs}.conv1", f"{theirs}.bn1")
            units[f"{ours}.second"] = (f"{theirs}.conv2", f"{theirs}.bn2")
            units[f"{ours}.shortcut"] = (f"{theirs}.shortcut.0", f"{theirs}.shortcut.1")
    return torch_names(graph, units)


TABLES = torch_table(akamaster_names, "akamaster's pytorch_resnet_cifar10")


@network(tables=TABLES, normalisation=IMAGENET)
def resnet20(
    input_size: int = 32, classes: int = 10, input_channels: int = 3, shortcuts: Shortcut = "A"
) -> Tensor:
    """ResNet-20 for CIFAR (He et al. 2015); shortcuts: A without parameters, B projections."""
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = convolution(x, 16, 3, act="relu")
    for stage in range(1, 4):
        for index in range(1, 4):
            stride = 2 if stage > 1 and index == 1 else 1
            with scope(f"stage{stage}.block{index}"):
                x = block(x, 8 << stage, stride, shortcuts)
    with scope("classifier"):
        return linear(flatten(global_avg_pool(x)), classes)


@network
def resnet8(
    input_size: int = 32,
    classes: int = 10,
    input_channels: int = 3,
    padding: Padding = "tensorflow",
    batch_norm: bool = True,
) -> Tensor:
    """ResNet-8 of MLPerf Tiny (Banbury et al. 2021), with softmax; pixels from 0 to 255."""

    def unit(x: Tensor, channels: int, stride: int, act: Activation) -> Tensor:
        return convolution(
            x, channels, 3, stride=stride, act=act, padding=padding, normalise=batch_norm, bias=True
        )

    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = unit(x, 16, 1, "relu")
    for stage in range(1, 4):
        stride = 1 if stage == 1 else 2
        check_room(x, stride)
        with scope(f"stage{stage}"):
            with scope("first"):
                y = unit(x, 8 << stage, stride, "relu")
            with scope("second"):
                y = unit(y, 8 << stage, 1, "none")
            if stage > 1:
                with scope("shortcut"):
                    x = conv2d(x, 8 << stage, 1, stride=2)
            x = relu(x + y)
    with scope("classifier"):
        return softmax(linear(flatten(global_avg_pool(x)), classes))
