"""MobileNet v3: "Searching for MobileNetV3", Howard et al. 2019, tables 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.ir.graph import Graph
from netgen.models.blocks import (
    Activation,
    check_width_multiplier,
    convolution,
    make_divisible,
)
from netgen.models.photos import IMAGENET
from netgen.models.torch_names import torch_names, torch_table
from netgen.ops import (
    conv2d,
    dropout,
    flatten,
    global_avg_pool,
    hard_sigmoid,
    hard_swish,
    linear,
    mul,
    relu,
)

EPS = 0.001


@dataclass(frozen=True)
class Row:
    """One row of the paper's tables: kernel, expansion size, output, squeeze-excite, HS or RE."""

    kernel: int
    expand: int
    output: int
    squeeze: bool
    act: Activation
    stride: int


RE: Activation = "relu"
HS: Activation = "hard_swish"
LARGE = (
    Row(3, 16, 16, False, RE, 1),
    Row(3, 64, 24, False, RE, 2),
    Row(3, 72, 24, False, RE, 1),
    Row(5, 72, 40, True, RE, 2),
    Row(5, 120, 40, True, RE, 1),
    Row(5, 120, 40, True, RE, 1),
    Row(3, 240, 80, False, HS, 2),
    Row(3, 200, 80, False, HS, 1),
    Row(3, 184, 80, False, HS, 1),
    Row(3, 184, 80, False, HS, 1),
    Row(3, 480, 112, True, HS, 1),
    Row(3, 672, 112, True, HS, 1),
    Row(5, 672, 160, True, HS, 2),
    Row(5, 960, 160, True, HS, 1),
    Row(5, 960, 160, True, HS, 1),
)
SMALL = (
    Row(3, 16, 16, True, RE, 2),
    Row(3, 72, 24, False, RE, 2),
    Row(3, 88, 24, False, RE, 1),
    Row(5, 96, 40, True, HS, 2),
    Row(5, 240, 40, True, HS, 1),
    Row(5, 240, 40, True, HS, 1),
    Row(5, 120, 48, True, HS, 1),
    Row(5, 144, 48, True, HS, 1),
    Row(5, 288, 96, True, HS, 2),
    Row(5, 576, 96, True, HS, 1),
    Row(5, 576, 96, True, HS, 1),
)


def squeeze_excite(x: Tensor) -> Tensor:
    """Scale every channel by a factor computed from all channels' means (section 5.3)."""
    s = global_avg_pool(x)
    with scope("reduce"):
        s = relu(conv2d(s, make_divisible(x.channels // 4)))
    with scope("restore"):
        s = hard_sigmoid(conv2d(s, x.channels))
    return mul(x, s)


def bottleneck(x: Tensor, row: Row, alpha: float) -> Tensor:
    """Expand, filter, squeeze and excite, project; the shortcut joins the thin ends."""
    wide, thin = make_divisible(row.expand * alpha), make_divisible(row.output * alpha)
    y = x
    if wide != x.channels:
        with scope("expand"):
            y = convolution(y, wide, 1, act=row.act, eps=EPS)
    with scope("depthwise"):
        y = convolution(y, None, row.kernel, stride=row.stride, act=row.act, eps=EPS)
    if row.squeeze:
        with scope("squeeze"):
            y = squeeze_excite(y)
    with scope("project"):
        y = convolution(y, thin, 1, act="none", eps=EPS)
    return x + y if row.stride == 1 and x.channels == thin else y


def mobilenet_v3(
    rows: tuple[Row, ...],
    last: int,
    alpha: float,
    input_size: int,
    classes: int,
    input_channels: int,
) -> Tensor:
    """Stem, bottlenecks, a last convolution, two linear layers."""
    check_width_multiplier(alpha)
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        x = convolution(x, make_divisible(16 * alpha), 3, stride=2, act="hard_swish", eps=EPS)
    for index, row in enumerate(rows, start=1):
        with scope(f"block{index}"):
            x = bottleneck(x, row, alpha)
    with scope("head"):
        x = convolution(x, 6 * x.channels, 1, act="hard_swish", eps=EPS)
    x = flatten(global_avg_pool(x))
    with scope("classifier1"):
        x = dropout(hard_swish(linear(x, make_divisible(last * alpha))))
    with scope("classifier2"):
        return linear(x, classes)


def torchvision_names(rows: tuple[Row, ...]) -> Callable[[Graph], Mapping[str, str]]:
    """torchvision.models.mobilenet_v3_*: the modules of a block are numbered as they come."""

    def names(graph: Graph) -> Mapping[str, str]:
        head = f"features.{len(rows) + 1}"
        units = {
            "stem": ("features.0.0", "features.0.1"),
            "head": (f"{head}.0", f"{head}.1"),
            "classifier1": ("classifier.0", ""),
            "classifier2": ("classifier.3", ""),
        }
        for index in range(1, len(rows) + 1):
            block, place = f"block{index}", 0
            for part in ("expand", "depthwise", "squeeze", "project"):
                if not any(node.name.startswith(f"{block}.{part}.") for node in graph.nodes):
                    continue
                module = f"features.{index}.block.{place}"
                units[f"{block}.{part}"] = (f"{module}.0", f"{module}.1")
                units[f"{block}.{part}.reduce"] = (f"{module}.fc1", "")
                units[f"{block}.{part}.restore"] = (f"{module}.fc2", "")
                place += 1
        return torch_names(graph, units)

    return names


@network(tables=torch_table(torchvision_names(LARGE)), normalisation=IMAGENET)
def mobilenet_v3_large(
    alpha: float = 1.0, input_size: int = 224, classes: int = 1000, input_channels: int = 3
) -> Tensor:
    """MobileNet v3 large (Howard et al. 2019): hard swish, squeeze and excite."""
    return mobilenet_v3(LARGE, 1280, alpha, input_size, classes, input_channels)


@network(tables=torch_table(torchvision_names(SMALL)), normalisation=IMAGENET)
def mobilenet_v3_small(
    alpha: float = 1.0, input_size: int = 224, classes: int = 1000, input_channels: int = 3
) -> Tensor:
    """MobileNet v3 small (Howard et al. 2019)."""
    return mobilenet_v3(SMALL, 1024, alpha, input_size, classes, input_channels)
