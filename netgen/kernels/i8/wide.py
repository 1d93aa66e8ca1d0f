"""Layers with weights: codes of 16 bits by weights of 8, the portable loops, in sums of 64 bits."""

from __future__ import annotations

from typing import ClassVar

from netgen.kernels.i8.conv2d_portable import Conv2dPortableI8
from netgen.kernels.i8.depthwise_conv2d_portable import DepthwiseConv2dPortableI8
from netgen.kernels.i8.linear_portable import LinearPortableI8
from netgen.kernels.layer import ElementsByLetter

_WIDE: ElementsByLetter = {
    "x": frozenset({"i16"}),
    "w": frozenset({"i8"}),
    "b": frozenset({"i32"}),
    "y": frozenset({"i16"}),
}


class Conv2dWideI8(Conv2dPortableI8):
    """Any convolution."""

    name: ClassVar[str] = "conv2d_wide_i8"
    elements: ClassVar[ElementsByLetter] = _WIDE
    template: ClassVar[str] = "i8/conv2d_portable"


class DepthwiseConv2dWideI8(DepthwiseConv2dPortableI8):
    """Any depthwise convolution."""

    name: ClassVar[str] = "depthwise_conv2d_wide_i8"
    elements: ClassVar[ElementsByLetter] = _WIDE
    template: ClassVar[str] = "i8/depthwise_conv2d_portable"


class LinearWideI8(LinearPortableI8):
    """Any fully connected layer."""

    name: ClassVar[str] = "linear_wide_i8"
    elements: ClassVar[ElementsByLetter] = _WIDE
    template: ClassVar[str] = "i8/linear_portable"
