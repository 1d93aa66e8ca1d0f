"""ResNet: "Deep Residual Learning for Image Recognition", He et al. 2015, table 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.models.blocks import check_room, convolution
from netgen.models.photos import IMAGENET
from netgen.models.torch_names import torch_names, torch_table
from netgen.ops import flatten, global_avg_pool, linear, max_pool2d, relu

Block = Callable[[Tensor, int, int], Tensor]


def shortcut(x: Tensor, channels: int, stride: int) -> Tensor:
    """The input itself, or its projection where the shape changes (option B)."""
    if stride == 1 and x.channels == channels:
        return x
    with scope("shortcut"):
        return convolution(x, channels, 1, stride=stride, act="none")


def basic(x: Tensor, width: int, stride: int) -> Tensor:
    """Convolve twice, 3x3."""
    with scope("first"):
        y = convolution(x, width, 3, stride=stride, act="relu")
    with scope("second"):
        y = convolution(y, width, 3, act="none")
    return relu(y + shortcut(x, width, stride))


def bottleneck(x: Tensor, width: int, stride: int) -> Tensor:
    """Compress, convolve, expand: the shortcut joins the wide ends."""
    with scope("compress"):
        y = convolution(x, width, 1, act="relu")
    with scope("convolve"):
        y = convolution(y, width, 3, stride=stride, act="relu")
    with scope("expand"):
        y = convolution(y, 4 * width, 1, act="none")
    return relu(y + shortcut(x, 4 * width, stride))


def residual_network(
    block: Block, repetitions: Sequence[int], input_size: int, classes: int, input_channels: int
) -> Tensor:
    """Stem, four stages, classifier."""
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = convolution(x, 64, 7, stride=2, act="relu")
        check_room(x, 2)
        x = max_pool2d(x, 3, stride=2, pad=1)
    for stage, count in enumerate(repetitions, start=1):
        for index in range(1, count + 1):
            stride = 2 if stage > 1 and index == 1 else 1
            check_room(x, stride)
            with scope(f"stage{stage}.block{index}"):
                x = block(x, 64 << (stage - 1), stride)
    with scope("classifier"):
        return linear(flatten(global_avg_pool(x)), classes)


def torchvision_names(graph: Graph) -> Mapping[str, str]:
    """torchvision.models.resnet18, 34 and 50."""
    units = {"stem": ("conv1", "bn1"), "classifier": ("fc", "")}
    layers = {"first": 1, "second": 2, "compress": 1, "convolve": 2, "expand": 3}
    for stage in range(1, 5):
        for index in range(1, 7):
            ours, theirs = f"stage{stage}.block{index}", f"layer{stage}.{index - 1}"
            units[f"{ours}.shortcut"] = (f"{theirs}.downsample.0", f"{theirs}.downsample.1")
            for name, number in layers.items():
                units[f"{ours}.{name}"] = (f"{theirs}.conv{number}", f"{theirs}.bn{number}")
    return torch_names(graph, units)


TABLES = torch_table(torchvision_names)


@network(tables=TABLES, normalisation=IMAGENET)
def resnet18(input_size: int = 224, classes: int = 1000, input_channels: int = 3) -> Tensor:
    """ResNet-18 (He et al. 2015)."""
    return residual_network(basic, (2, 2, 2, 2), input_size, classes, input_channels)


@network(tables=TABLES, normalisation=IMAGENET)
def resnet34(input_size: int = 224, classes: int = 1000, input_channels: int = 3) -> Tensor:
    """ResNet-34 (He et al. 2015)."""
    return residual_network(basic, (3, 4, 6, 3), input_size, classes, input_channels)


@network(tables=TABLES, normalisation=IMAGENET)
def resnet50(input_size: int = 224, classes: int = 1000, input_channels: int = 3) -> Tensor:
    """ResNet-50 (He et al. 2015), the stride in the 3x3 convolution as in torchvision."""
    return residual_network(bottleneck, (3, 4, 6, 3), input_size, classes, input_channels)
