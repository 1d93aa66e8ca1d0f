"""Operators that give images another size, as cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from netgen.weights.seeded import uniform
from tests.frontends.operator_cases import Cases, case

B = 1.5 + uniform("some", (6,))[:4]
V = uniform("v", (6, 4, 3, 2))
NO = np.zeros(0, np.float32)
TWICE = np.array([1, 1, 2, 2], np.float32)
COORDINATES = "coordinate_transformation_mode"
# As netgen has them, too.
KINDS: tuple[dict[str, Any], ...] = (
    {COORDINATES: "asymmetric", "nearest_mode": "floor"},
    {COORDINATES: "align_corners", "nearest_mode": "round_prefer_ceil"},
    {"nearest_mode": "round_prefer_ceil"},
)
SYMMETRIC: dict[str, Any] = {COORDINATES: "half_pixel_symmetric", "mode": "linear"}
OLD: dict[str, Any] = {COORDINATES: "tf_half_pixel_for_nn", "nearest_mode": "floor"}
CUBE: dict[str, Any] = {COORDINATES: "cube"}
TORCH: dict[str, Any] = {COORDINATES: "pytorch_half_pixel"}

RESIZED: Cases = {
    "ConvTranspose": [
        case("ConvTranspose", "x", V, B, strides=[2, 3], pads=[1, 0, 0, 1]),
        case("ConvTranspose", "x", V, kernel_shape=[3, 2], output_padding=[1, 2], strides=[2, 3]),
        case("ConvTranspose", "x", V, output_shape=[10, 11], strides=[2, 3], dilations=[1, 1]),
        *(
            case("ConvTranspose", "x", V, auto_pad=kind, strides=[2, 1])
            for kind in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
        ),
        case("ConvTranspose", "x", V, strides=[4, 3], group=1),
        case("ConvTranspose", "x", V, dilations=[2, 1], refused="in groups or with dilation"),
        case("ConvTranspose", "x", V[:3], group=2, refused="only transposed convolutions"),
        case("ConvTranspose", "x", V, kernel_shape=[3, 3], refused="does not fit the weights"),
        case("ConvTranspose", "x", V, output_shape=[99, 9], refused="larger than all windows"),
        case("ConvTranspose", "x", V, pads=[9, 0, 9, 0], refused="nothing is left"),
        case("ConvTranspose", "x", V, pads=[-1, 0, 0, 0], refused="paddings that do not fit"),
    ],
    "DepthToSpace": [
        case("DepthToSpace", "x", blocksize=2, shape=(1, 12, 3, 2)),
        case("DepthToSpace", "x", blocksize=2, mode="CRD", shape=(1, 12, 3, 2)),
        case("DepthToSpace", "x", blocksize=3, mode="CRD", shape=(1, 9, 3, 2)),
        case("DepthToSpace", "x", blocksize=4, refused="no blocks"),
    ],
    "Resize": [
        *(
            case("Resize", "x", NO, NO, [1, 6, *size], mode=mode, **kind)
            for mode in ("linear", "nearest")
            for size in ((10, 8), (5, 12), (2, 3), (1, 1))
            for kind in KINDS
        ),
        case("Resize", "x", NO, TWICE),
        *(
            case("Resize", "x", NO, np.array([1, 1, 2, n], np.float32), refused="must be finite")
            for n in (np.nan, np.inf, -np.inf)
        ),
        case("Resize", "x", NO, TWICE, mode="linear", cubic_coeff_a=-0.5, extrapolation_value=1.0),
        case("Resize", "x", NO, TWICE, **TORCH),
        case("Resize", "x", NO, TWICE, **OLD, last=12),
        case("Resize", "x", NO, TWICE, **SYMMETRIC, first=19),
        case("Resize", "x", NO, NO, [7, 8], axes=[2, 3], mode="linear", first=18),
        case("Resize", "x", NO, TWICE, mode="cubic", refused="not by cubes"),
        case("Resize", "x", NO, TWICE, antialias=1, first=18, refused="with antialias"),
        case("Resize", "x", NO, TWICE, exclude_outside=1, refused="exclude_outside"),
        case("Resize", "x", NO, TWICE * 0.65, refused="parts of pixels"),
        case("Resize", "x", NO, TWICE * 2, refused="only rows and columns"),
        case("Resize", "x", NO, NO, [1, 3, 5, 4], refused="only rows and columns"),
        case("Resize", "x", NO, NO, [1, 6, 9, 9], **CUBE, refused="coordinates that are not"),
        case("Resize", "x", NO, NO, [1, 6, 1, 9], **TORCH, refused="to one pixel"),
        case("Resize", "x", NO, NO, [1, 6, 3, 2], nearest_mode="ceil", refused="nearest pixels"),
        case(
            *("Resize", "x", NO, NO, [9, 9]),
            axes=[2, 3],
            keep_aspect_ratio_policy="not_larger",
            first=18,
            refused="only keep_aspect_ratio_policy",
        ),
    ],
    "SpaceToDepth": [
        case("SpaceToDepth", "x", blocksize=2, shape=(1, 3, 6, 4)),
        case("SpaceToDepth", "x", blocksize=2, mode="DCR", shape=(1, 3, 6, 4), first=28),
        case("SpaceToDepth", "x", blocksize=2, mode="CRD", shape=(1, 3, 6, 4), first=28),
        case("SpaceToDepth", "x", blocksize=2, mode="RCD", first=28, refused="order of blocks"),
        case("SpaceToDepth", "x", blocksize=3, refused="no blocks"),
    ],
}
