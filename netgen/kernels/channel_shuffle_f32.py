"""Channel shuffle by copying: y[n*g + k] = x[k*C/g + n] in each pixel."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.channel_shuffle import ChannelShuffle


class ChannelShuffleF32(Kernel):
    """Any number of groups."""

    name: ClassVar[str] = "channel_shuffle_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (ChannelShuffle,)
    numeric_form: ClassVar[str] = "copy"

    def accepts(self, layer: Layer) -> bool:
        """Every channel_shuffle."""
        return isinstance(layer.op, ChannelShuffle)

    def title(self, layer: Layer) -> str:
        """Groups, pixels and channels."""
        assert isinstance(layer.op, ChannelShuffle)
        channels = layer.result.shape[-1]
        return f"channel_shuffle_{layer.op.groups}_{layer.result.elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, groups and their channels."""
        del target
        assert isinstance(layer.op, ChannelShuffle)
        channels, groups = layer.result.shape[-1], layer.op.groups
        return {
            "pixels": layer.result.elements // channels,
            "groups": groups,
            "group_channels": channels // groups,
        }
