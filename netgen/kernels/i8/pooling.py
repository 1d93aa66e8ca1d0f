"""Pooling of codes: maxima and means of windows, as TensorFlow Lite rounds them.

Both go through the channels of a pixel in the innermost loop, which compilers turn into vectors.
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.pooling import PoolKernel, pool_window
from netgen.kernels.geometry import describe_window
from netgen.kernels.layer import ElementsByLetter, Json, Layer
from netgen.kernels.stretches import (
    describe_pitches,
    describe_stretches,
    describe_vector_runs,
    vector_runs,
)
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.rescaled import clamped_codes

_CODES = frozenset({"i8", "u8", "i16"})
# Sums that wait for the taps of a window side by side: loops of so many. Loops of up to 16 are
# taken apart by gcc before it makes vectors, and then stay scalars, which take ten times as long.
_SUMS = Tiling(vector_widths=(64, 32, 24, 20))
# Taps: fewer are divided by a product, and sums of no more fit int16.
_FEW, _SHORT = 256, 128


class MaxPool2dI8(PoolKernel):
    """Any window: the first tap is copied, the others are compared with what is there."""

    name: ClassVar[str] = "max_pool2d_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (MaxPool2d,)
    numeric_form: ClassVar[str] = "max"
    elements: ClassVar[ElementsByLetter] = {"x": _CODES, "y": _CODES}

    def accepts(self, layer: Layer) -> bool:
        """Every max_pool2d."""
        return isinstance(layer.op, MaxPool2d)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, shape of x, activation."""
        return _title(super().title(layer), layer)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, stretches of channels, bounds of codes."""
        del target
        return {
            **describe_window(layer, pool_window(layer)),
            **describe_pitches(layer, ("x", "y")),
            "stretches": describe_stretches(layer, ("x", "y")),
            **_bounds(layer),
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """A comparison for each tap."""
        del target
        return _cost(layer, 1.0)


class AvgPool2dI8(PoolKernel):
    """Any window: sums of some channels side by side, then one division each."""

    name: ClassVar[str] = "avg_pool2d_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (AvgPool2d,)
    numeric_form: ClassVar[str] = "mean-of-raw-codes"
    elements: ClassVar[ElementsByLetter] = {"x": _CODES, "y": _CODES}

    def accepts(self, layer: Layer) -> bool:
        """Every avg_pool2d."""
        return isinstance(layer.op, AvgPool2d)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, shape of x, activation."""
        return _title(super().title(layer), layer)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, blocks of channels, bounds of codes."""
        blocks = vector_runs(layer, target.retiled(layer.result.dtype, _SUMS), repeat=False)
        return {
            **describe_window(layer, pool_window(layer)),
            **describe_pitches(layer, ("x", "y")),
            "blocks": describe_vector_runs(blocks, _SUMS),
            "reciprocal": _taps(layer) < _FEW,
            "sum_type": "int16_t" if _taps(layer) <= _SHORT else "int32_t",
            **_bounds(layer),
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """An addition for each tap."""
        del target
        return _cost(layer, 2.0)


def _taps(layer: Layer) -> int:
    """The most taps that a window has inside the image; wider codes count as many.

    Sums n of d < 256 codes of 8 bits are divided by a product with m = 2^24 / d + 1, shifted. m d
    is at most d more than 2^24, and n, with a half added, less than 256 d. So n (m d - 2^24) is
    less than 2^24, which makes the quotient exact once its fraction is cut off (Granlund and
    Montgomery 1994, theorem 4.2), and n m less than 2^32.
    """
    size, x = pool_window(layer).size, layer.operands["x"]
    taps = min(size[0], x.shape[1]) * min(size[1], x.shape[2])
    return taps * (1 if x.element.bytes == 1 else _FEW)


def _title(title: str, layer: Layer) -> str:
    act = layer.op.activation
    return f"{title}_{layer.result.dtype}" + ("" if act == "none" else f"_{act}")


def _bounds(layer: Layer) -> dict[str, Json]:
    """The lowest and the highest code, and whether the activation cuts any off."""
    act, element = layer.op.activation or "none", layer.result.element
    low, high = clamped_codes(act, layer.result)
    return {"clamps": (low, high) != (element.low, element.high), "low": low, "high": high}


def _cost(layer: Layer, tap: float) -> float:
    window = pool_window(layer)
    return layer.result.elements * (tap * window.size[0] * window.size[1] + 4.0)
