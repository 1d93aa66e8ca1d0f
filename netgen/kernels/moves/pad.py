"""A padding that no convolution could take over: copies the image into a frame."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.geometry import describe_band
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Kernel, Layer, Shared
from netgen.kernels.moves.channel_copies import describe_copies, describe_zeros
from netgen.kernels.sharing import shared_form
from netgen.kernels.stretches import describe_pitches, is_flat
from netgen.kernels.targets import Target
from netgen.ops.pad import Pad


class PadKernel(Kernel):
    """Rows and columns of one value on any side."""

    name: ClassVar[str] = "pad"
    operators: ClassVar[tuple[type[Operator], ...]] = (Pad,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every pad."""
        return isinstance(layer.op, Pad)

    def title(self, layer: Layer) -> str:
        """Sides and input shape."""
        assert isinstance(layer.op, Pad)
        sides = "_".join(map(str, layer.op.pad))
        value = "_with_value" if layer.op.value else ""
        return f"pad_{sides}{value}_" + "x".join(map(str, layer.operands["x"].shape[1:]))

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the places of channels."""
        return shared_form(layer, self.parameters(layer, target))

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements per row and around it; or sides, and how channels are copied."""
        del target
        assert isinstance(layer.op, Pad)
        if layer.band is not None or not is_flat(layer, ("x",)):
            return _by_pixel(layer, layer.op)
        top, bottom, left, right = layer.op.pad
        _, height, width, channels = layer.operands["x"].shape
        row = (left + width + right) * channels
        return {
            **describe_band(layer),
            "border": _border(layer, layer.op),
            "copies": [],
            "height": height,
            "row_elements": width * channels,
            "above": top * row,
            "below": bottom * row,
            "before": left * channels,
            "behind": right * channels,
        }


def _by_pixel(layer: Layer, op: Pad) -> dict[str, Json]:
    _, height, width, channels = layer.operands["x"].shape
    _, out_height, out_width, _ = layer.result.shape
    x, y = layer.layout("x").places(), layer.layout("y").places()
    return {
        "border": _border(layer, op),
        "height": height,
        "width": width,
        "channels": channels,
        **describe_pitches(layer, ("x", "y")),
        **describe_band(layer),
        "out_height": out_height,
        "out_width": out_width,
        "pad_top": op.pad[0],
        "pad_left": op.pad[2],
        "copies": describe_copies(y, x, "from"),
        "zeros": describe_zeros(y),
    }


def _border(layer: Layer, op: Pad) -> float:
    """The number that the frame holds: 0 by that name, whatever the type."""
    return op.border(layer.operands["x"]) or 0
