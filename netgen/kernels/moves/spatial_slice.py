"""Some pixels by copying them: y[i][j] = x[first + i*u][first + j*v]."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.geometry import describe_band
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Kernel, Layer, Shared
from netgen.kernels.moves.channel_copies import describe_copies
from netgen.kernels.sharing import shared_form
from netgen.kernels.stretches import describe_pitches, is_flat
from netgen.kernels.targets import Target
from netgen.ops.spatial_slice import SpatialSlice


class SpatialSliceKernel(Kernel):
    """Any rectangle and stride."""

    name: ClassVar[str] = "spatial_slice"
    operators: ClassVar[tuple[type[Operator], ...]] = (SpatialSlice,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every spatial_slice."""
        return isinstance(layer.op, SpatialSlice)

    def title(self, layer: Layer) -> str:
        """Size and stride of the slice, shape of x."""
        op = layer.op
        assert isinstance(op, SpatialSlice)
        numbers = (*op.first, *op.size, *op.stride)
        shape = "x".join(map(str, layer.operands["x"].shape[1:]))
        return f"spatial_slice_{'_'.join(map(str, numbers))}_{shape}"

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the places of channels."""
        return shared_form(layer, self.parameters(layer, target))

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents of x, the slice, and how channels are copied if not whole pixels are."""
        del target
        op = layer.op
        assert isinstance(op, SpatialSlice)
        _, _, width, channels = layer.operands["x"].shape
        x, y = layer.layout("x").places(), layer.layout("y").places()
        return {
            "width": width,
            "channels": channels,
            **describe_pitches(layer, ("x", "y")),
            **describe_band(layer),
            "copies": [] if is_flat(layer, ("x",)) else describe_copies(y, x, "from"),
            "first_row": op.first[0],
            "first_column": op.first[1],
            "out_height": op.size[0],
            "out_width": op.size[1],
            "stride_rows": op.stride[0],
            "stride_columns": op.stride[1],
        }
