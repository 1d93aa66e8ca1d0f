"""DS-CNN for keyword spotting, in the form of the MLPerf Tiny benchmark.

"Hello Edge: Keyword Spotting on Microcontrollers", Zhang et al. 2017.
"""

from __future__ import annotations

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.errors import UsageError
from netgen.models.blocks import Activation, Padding, convolution
from netgen.ops import dropout, flatten, global_avg_pool, linear, softmax

_MOST_BLOCKS = 100  # the paper's largest has 6; what is deeper is a slip


@network
def ds_cnn(
    height: int = 49,
    width: int = 10,
    filters: int = 64,
    blocks: int = 4,
    classes: int = 12,
    padding: Padding = "tensorflow",
    batch_norm: bool = True,
) -> Tensor:
    """DS-CNN (Zhang et al. 2017): depthwise separable convolutions over a spectrogram."""

    def unit(x: Tensor, channels: int | None, kernel: int | tuple[int, int], stride: int) -> Tensor:
        act: Activation = "relu"
        return convolution(
            x, channels, kernel, stride=stride, act=act, padding=padding, normalise=batch_norm,
            bias=True,
        )  # fmt: skip

    if not 1 <= blocks <= _MOST_BLOCKS:
        raise UsageError(
            "the parameter 'blocks' is out of range",
            expected=f"1 to {_MOST_BLOCKS}",
            found=str(blocks),
            hint="for example -p blocks=4",
        )
    x = image(height, width, 1)
    with scope("stem"):
        x = dropout(unit(x, filters, (10, 4), 2))
    for index in range(1, blocks + 1):
        with scope(f"block{index}.depthwise"):
            x = unit(x, None, 3, 1)
        with scope(f"block{index}.pointwise"):
            x = unit(x, filters, 1, 1)
    with scope("classifier"):
        return softmax(linear(flatten(global_avg_pool(dropout(x))), classes))
