"""ShuffleNet v1 and v2 against their papers, torchvision, and formulas from the papers' tables."""

from __future__ import annotations

import math

import pytest

from netgen.ir.graph import Graph
from netgen.models import NETWORKS
from netgen.ops.concat import Concat
from netgen.ops.conv2d import Conv2d
from tests.cases import heavy

V1, V2 = NETWORKS["shufflenet_v1"], NETWORKS["shufflenet_v2"]
# Table 1 of v1: channels of stage 2 by groups.
STAGE_2 = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}


class Count:
    """Parameters and MACs, added up."""

    def __init__(self) -> None:
        self.parameters = self.macs = 0

    def unit(self, weights: int, channels: int, pixels: int) -> None:
        """A convolution without bias, and its batch norm."""
        self.parameters += weights + 2 * channels
        self.macs += weights * pixels

    def classifier(self, channels: int, classes: int) -> tuple[int, int]:
        return self.parameters + (channels + 1) * classes, self.macs + channels * classes


def formula_v1(groups: int, scale: float, size: int, classes: int, inputs: int) -> tuple[int, int]:
    """Figure 2 and table 1 of v1, unit by unit."""
    count = Count()
    c = math.ceil(24 * (scale if scale < 1 else math.floor(scale)) / groups) * groups
    size = math.ceil(size / 2)
    count.unit(9 * inputs * c, c, size**2)
    size = math.ceil(size / 2)
    for stage, repetitions in enumerate((4, 8, 4)):
        width = STAGE_2[groups] * 2**stage * scale
        out = next(n for n in range(4 * groups, 10**5, 4 * groups) if n >= width)
        for index in range(repetitions):
            thin, rest = out // 4, out if index else out - c
            ungrouped = stage == 0 and index == 0
            count.unit(c * thin // (1 if ungrouped else groups), thin, size**2)
            size = size if index else math.ceil(size / 2)
            count.unit(9 * thin, thin, size**2)
            count.unit(thin * rest // groups, rest, size**2)
            c = out
    return count.classifier(c, classes)


def formula_v2(scale: float, size: int, classes: int, inputs: int, cifar: bool) -> tuple[int, int]:
    """Figure 3 and table 5 of v2, unit by unit."""
    widths = {
        0.5: (48, 96, 192, 1024),
        1.0: (116, 232, 464, 1024),
        1.5: (176, 352, 704, 1024),
        2.0: (244, 488, 976, 2048),
    }[scale]
    count, c = Count(), 24
    size = size if cifar else math.ceil(size / 2)
    count.unit(9 * inputs * c, c, size**2)
    size = size if cifar else math.ceil(size / 2)
    for out, repetitions in zip(widths, (4, 8, 4), strict=False):
        half, before = out // 2, size**2
        size = math.ceil(size / 2)
        pixels = size**2
        count.unit(9 * c, c, pixels)
        count.unit(c * half, half, pixels)
        for entering, first in [(c, before)] + [(half, pixels)] * (repetitions - 1):
            count.unit(entering * half, half, first)
            count.unit(9 * half, half, pixels)
            count.unit(half * half, half, pixels)
        c = out
    count.unit(c * widths[3], widths[3], size**2)
    return count.classifier(widths[3], classes)


def counts(graph: Graph) -> tuple[int, int]:
    return graph.parameters(), graph.macs()


@pytest.mark.parametrize("groups", STAGE_2)
@pytest.mark.parametrize("scale", [0.25, heavy(0.5), 0.7, 1.0, heavy(1.5), heavy(2.0)])
@pytest.mark.parametrize(("size", "classes", "inputs"), [(224, 1000, 3), heavy(33, 10, 1)])
def test_v1_is_the_table(groups: int, scale: float, size: int, classes: int, inputs: int) -> None:
    graph = V1.build(
        groups=groups, scale=scale, input_size=size, classes=classes, input_channels=inputs
    )
    assert counts(graph) == formula_v1(groups, scale, size, classes, inputs)


@pytest.mark.parametrize(("groups", "millions"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)])
def test_v1_complexity_of_table_1(groups: int, millions: int) -> None:
    graph = V1.build(groups=groups)
    # The last row of the paper's table is without the classifier: so every number is met.
    classifier = graph["classifier.linear.w"].type.elements
    assert round((graph.macs() - classifier) / 1e6) == millions


@pytest.mark.parametrize(("scale", "millions"), [(1.5, 292), (2.0, 524)])
def test_v1_complexity_of_wide_networks(scale: float, millions: int) -> None:
    # Table 5 counts the classifier too.
    assert round(V1.build(groups=3, scale=scale).macs() / 1e6) == millions


@pytest.mark.parametrize("groups", STAGE_2)
@pytest.mark.parametrize(("scale", "millions", "tolerance"), [(0.5, 38, 2.5), (0.25, 13, 2.0)])
def test_v1_complexity_of_thin_networks(
    groups: int, scale: float, millions: int, tolerance: float
) -> None:
    # Table 2 has one number for all groups and does not say how thin channels are rounded.
    assert abs(V1.build(groups=groups, scale=scale).macs() / 1e6 - millions) < tolerance


@pytest.mark.parametrize("groups", STAGE_2)
def test_v1_units(groups: int) -> None:
    graph = V1.build(groups=groups)
    units = {node.name.rpartition(".")[0]: node for node in graph.activations}
    for stage, repetitions, size in ((2, 4, 28), (3, 8, 14), (4, 4, 7)):
        channels = STAGE_2[groups] << (stage - 2)
        for index in range(1, repetitions + 1):
            unit = f"stage{stage}.unit{index}"
            assert units[unit].type.shape == (1, size, size, channels)
            joined = graph[units[unit].operands[0]]
            assert isinstance(joined.op, Concat) == (index == 1)
            compress, expand = (graph[f"{unit}.{n}.conv2d"].op for n in ("compress", "expand"))
            assert isinstance(compress, Conv2d)
            assert isinstance(expand, Conv2d)
            assert compress.groups == (1 if unit == "stage2.unit1" else groups)
            assert expand.groups == groups
            assert graph[f"{unit}.depthwise.batch_norm"].type.shape[3] == channels // 4
            assert not [n for n in graph.nodes if n.name == f"{unit}.depthwise.relu"]


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize(
    ("size", "classes", "inputs", "stem"),
    [(224, 1000, 3, "imagenet"), (33, 7, 1, "imagenet"), (32, 10, 3, "cifar"), (9, 2, 4, "cifar")],
)
def test_v2_is_the_table(scale: float, size: int, classes: int, inputs: int, stem: str) -> None:
    graph = V2.build(
        scale=scale, input_size=size, classes=classes, input_channels=inputs, stem=stem
    )
    assert counts(graph) == formula_v2(scale, size, classes, inputs, stem == "cifar")


@pytest.mark.parametrize(
    ("scale", "parameters", "giga_macs", "millions"),
    [
        # "num_params" and "_ops" of torchvision.models.shufflenet_v2_*; table 5 of the paper.
        (0.5, 1_366_792, 0.040, 41),
        (1.0, 2_278_604, 0.145, 146),
        (1.5, 3_503_624, 0.296, 299),
        (2.0, 7_393_996, 0.583, 591),
    ],
)
def test_v2_published_counts(
    scale: float, parameters: int, giga_macs: float, millions: int
) -> None:
    graph = V2.build(scale=scale)
    assert graph.parameters() == parameters
    assert round(graph.macs() / 1e9, 3) == giga_macs
    # The paper counts more than multiplications of convolutions, by at most 1.5 %.
    assert 0.985 * millions < graph.macs() / 1e6 < millions


def test_v2_units() -> None:
    graph = V2.build()
    units = {node.name.rpartition(".")[0]: node for node in graph.activations}
    for stage, repetitions, size, channels in ((2, 4, 28, 116), (3, 8, 14, 232), (4, 4, 7, 464)):
        for index in range(1, repetitions + 1):
            unit = units[f"stage{stage}.unit{index}"]
            assert unit.op.operator_name == "channel_shuffle"
            assert unit.type.shape == (1, size, size, channels)
    assert units["head"].type.shape == (1, 7, 7, 1024)


def test_v2_stem_of_cifar() -> None:
    small = V2.build(stem="cifar", input_size=32, scale=0.5)
    large = V2.build(stem="imagenet", input_size=32, scale=0.5)
    assert small["stem.relu"].type.shape == (1, 32, 32, 24)
    assert small["stage2.unit1.branch1.depthwise.batch_norm"].type.shape == (1, 16, 16, 24)
    assert large["stem.relu"].type.shape == (1, 16, 16, 24)
    assert large["stem.max_pool2d"].type.shape == (1, 8, 8, 24)
    assert "max_pool2d" not in {node.op.operator_name for node in small.activations}
    assert small.parameters() == large.parameters()
