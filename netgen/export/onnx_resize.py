"""Operators that give images another size, in terms of ONNX's."""

from __future__ import annotations

import numpy as np

from netgen.export.onnx_stages import Attribute, Call, Stage, activation
from netgen.ops.depth_to_space import DepthToSpace, SpaceToDepth
from netgen.ops.resize import Resize
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.ops.transpose_conv2d import TransposeConv2d

# OHWI weights as ConvTranspose has them: [I,O,R,S].
TO_INPUTS_FIRST = (3, 0, 1, 2)


def resize_bilinear(op: ResizeBilinear, call: Call) -> list[Stage]:
    """Resize by `linear`, to the sizes of the result."""
    return [_resize(op, call, {"mode": "linear"})]


def resize_nearest(op: ResizeNearest, call: Call) -> list[Stage]:
    """Resize by `nearest`: floor, or halves up where half a pixel is added and taken away."""
    rounding = "floor" if op.coordinates == "asymmetric" else "round_prefer_ceil"
    return [_resize(op, call, {"mode": "nearest", "nearest_mode": rounding})]


def _resize(op: Resize, call: Call, attributes: dict[str, Attribute]) -> Stage:
    _, _, _, channels = call.result.shape
    sizes = np.array((1, channels, *op.size), np.int64)
    kind: dict[str, Attribute] = {"coordinate_transformation_mode": op.coordinates}
    # Neither a region of interest nor scales.
    return Stage("Resize", ("", "", sizes), kind | attributes)


def depth_to_space(op: DepthToSpace, _call: Call) -> list[Stage]:
    """DepthToSpace by DCR, its default."""
    return [Stage("DepthToSpace", (), {"blocksize": op.block})]


def space_to_depth(op: SpaceToDepth, _call: Call) -> list[Stage]:
    """SpaceToDepth."""
    return [Stage("SpaceToDepth", (), {"blocksize": op.block})]


def transpose_conv2d(op: TransposeConv2d, call: Call) -> list[Stage]:
    """ConvTranspose, whose result ends as padding or as more padding of the output."""
    kernel = call.types[1].shape[1:3]
    ends = []
    for axis in (0, 1):
        full = (call.types[0].shape[1 + axis] - 1) * op.stride[axis] + kernel[axis]
        ends.append(full - op.before[axis] - op.size[axis])
    attributes: dict[str, Attribute] = {
        "kernel_shape": kernel,
        "strides": op.stride,
        "pads": (*op.before, *(max(end, 0) for end in ends)),
        "output_padding": tuple(max(-end, 0) for end in ends),
    }
    return [Stage("ConvTranspose", call.rest, attributes), *activation(op.act)]
