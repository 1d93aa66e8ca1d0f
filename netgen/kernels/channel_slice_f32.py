"""Some channels by copying them: y[c] = x[first + c*step] in each pixel."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.channel_slice import ChannelSlice


class ChannelSliceF32(Kernel):
    """Any first channel, length and step."""

    name: ClassVar[str] = "channel_slice_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (ChannelSlice,)
    numeric_form: ClassVar[str] = "copy"

    def accepts(self, layer: Layer) -> bool:
        """Every channel_slice."""
        return isinstance(layer.op, ChannelSlice)

    def title(self, layer: Layer) -> str:
        """Channels taken, pixels and channels of x."""
        op = layer.op
        assert isinstance(op, ChannelSlice)
        step = "" if op.step == 1 else f"_by_{op.step}"
        x = layer.operands["x"]
        shape = f"{x.elements // x.shape[-1]}x{x.shape[-1]}"
        return f"channel_slice_{op.first}_{op.length}{step}_{shape}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, channels of x, and the slice."""
        del target
        assert isinstance(layer.op, ChannelSlice)
        x = layer.operands["x"]
        return {
            "pixels": x.elements // x.shape[-1],
            "channels": x.shape[-1],
            "first": layer.op.first,
            "length": layer.op.length,
            "step": layer.op.step,
        }
