"""ShuffleNet v1.

"ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices", Zhang et al.
2017, table 1.
"""

from __future__ import annotations

from math import ceil

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.errors import UsageError
from netgen.models.blocks import check_room, check_width_multiplier, convolution
from netgen.models.photos import IMAGENET
from netgen.ops import (
    avg_pool2d,
    channel_shuffle,
    concat,
    flatten,
    global_avg_pool,
    linear,
    max_pool2d,
    relu,
)

# Output channels of stage 2 by number of groups; each further stage doubles them.
STAGE_2 = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
REPETITIONS = (4, 8, 4)


def unit(x: Tensor, channels: int, groups: int, first_groups: int, stride: int) -> Tensor:
    """Figure 2: grouped 1x1, shuffle, depthwise 3x3, grouped 1x1, joined with the shortcut."""
    check_room(x, stride)
    shortcut = x if stride == 1 else avg_pool2d(x, 3, stride=2, pad=1)
    narrow = channels // 4
    with scope("compress"):
        y = convolution(x, narrow, 1, groups=first_groups, act="relu")
    y = channel_shuffle(y, groups)
    with scope("depthwise"):
        y = convolution(y, None, 3, stride=stride, act="none")
    with scope("expand"):
        rest = channels if stride == 1 else channels - x.channels
        y = convolution(y, rest, 1, groups=groups, act="none")
    return relu(shortcut + y if stride == 1 else concat(shortcut, y))


@network(normalisation=IMAGENET)
def shufflenet_v1(
    groups: int = 3,
    scale: float = 1.0,
    input_size: int = 224,
    classes: int = 1000,
    input_channels: int = 3,
) -> Tensor:
    """ShuffleNet v1 (Zhang et al. 2017): grouped convolutions and channel shuffles."""
    check_width_multiplier(scale, "scale")
    if groups not in STAGE_2:
        raise UsageError(
            "the parameter 'groups' has no such choice",
            expected="one of " + ", ".join(map(str, STAGE_2)),
            found=str(groups),
        )
    x = image(input_size, input_size, input_channels)
    with scope("stem"):
        # As in the authors' code, only widened by whole numbers; in whole groups, so that what
        # stage 2 adds to it divides as well.
        first = 24 * (scale if scale < 1.0 else int(scale))
        x = convolution(x, ceil(first / groups) * groups, 3, stride=2, act="relu")
        check_room(x, 2)
        x = max_pool2d(x, 3, stride=2, pad=1)
    for stage, repetitions in enumerate(REPETITIONS, start=2):
        # A quarter of the channels is compressed to, in whole groups.
        channels = ceil((STAGE_2[groups] << (stage - 2)) * scale / (4 * groups)) * 4 * groups
        for index in range(1, repetitions + 1):
            thin = stage == 2 and index == 1  # too few channels for groups
            with scope(f"stage{stage}.unit{index}"):
                x = unit(x, channels, groups, 1 if thin else groups, 2 if index == 1 else 1)
    with scope("classifier"):
        return linear(flatten(global_avg_pool(x)), classes)
