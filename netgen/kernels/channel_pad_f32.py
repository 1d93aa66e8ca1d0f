"""Channels of zeros before and behind those of x, by copying."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.channel_pad import ChannelPad


class ChannelPadF32(Kernel):
    """Any number of channels on either side."""

    name: ClassVar[str] = "channel_pad_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (ChannelPad,)
    numeric_form: ClassVar[str] = "copy"

    def accepts(self, layer: Layer) -> bool:
        """Every channel_pad."""
        return isinstance(layer.op, ChannelPad)

    def title(self, layer: Layer) -> str:
        """Channels on both sides, pixels and channels of x."""
        op, x = layer.op, layer.operands["x"]
        assert isinstance(op, ChannelPad)
        shape = f"{x.elements // x.shape[-1]}x{x.shape[-1]}"
        return f"channel_pad_{op.front}_{op.back}_{shape}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, channels of x and around them."""
        del target
        op, x = layer.op, layer.operands["x"]
        assert isinstance(op, ChannelPad)
        return {
            "pixels": x.elements // x.shape[-1],
            "channels": x.shape[-1],
            "front": op.front,
            "back": op.back,
        }
