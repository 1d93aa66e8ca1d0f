"""QuantizeLinear and DequantizeLinear as cases: of activations, each between the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from netgen.weights.seeded import uniform
from tests.frontends.onnx_models import Model
from tests.frontends.operator_cases import Case, Cases, folded

EACH = np.asarray(0.02 + 0.01 * np.abs(uniform("each", (6,))), np.float32)
ZEROS = np.array([0, 255, 128, 3, 7, 200], np.uint8)


def _case(
    first: int = 11,
    *,
    refused: str = "",
    scale: float | npt.NDArray[np.float32] = 0.02,
    zero: npt.NDArray[Any] | None = None,
    reading: Mapping[str, object] | None = None,
    **writing: object,
) -> Case:
    """X as codes, and those as floats again."""

    def build(model: Model) -> Model:
        names = [model.constant("scale", np.asarray(scale, np.float32))]
        if zero is not None:
            names.append(model.constant("zero", zero, str(zero.dtype)))
        model.node("QuantizeLinear", ["x", *names], ["codes"], **writing)
        return model.node("DequantizeLinear", ["codes", *names], ["y"], **(reading or {}))

    return Case(build, first=first, refused=refused)


_BOTH = [
    _case(),
    _case(zero=np.array(3, np.uint8)),
    _case(zero=np.array(-7, np.int8)),
    # Halves: numbers of x over a power of two are seldom any, so the scale is large.
    _case(scale=2.0, zero=np.array(1, np.int8)),
    _case(13, scale=EACH, zero=ZEROS, axis=1, reading={"axis": 1}),
    _case(13, scale=EACH, zero=ZEROS.astype(np.int8), axis=-3, reading={"axis": -3}),
    _case(19, zero=np.array(3, np.uint8), saturate=1),
    _case(21, output_dtype=3),
    _case(21, zero=np.array(9, np.int16), block_size=0, reading={"block_size": 0}),
    _case(23, zero=np.array(9, np.int8), precision=1, reading={"output_dtype": 1}),
    _case(scale=-1.0, refused="scales and zero points that do not fit"),
    _case(zero=np.array(3, np.uint16), first=21, refused="does not read, expected int8, .*uint16"),
    _case(21, block_size=2, refused="scales of blocks are not supported"),
    _case(23, precision=10, refused="computed in another precision"),
]
CODED: Cases = {"QuantizeLinear": _BOTH, "DequantizeLinear": _BOTH}

_CODES = np.array([0, 255, 128, 3, 7, 200], np.uint8)
_REAL = np.array([1.25, -0.75, 0.25, 3.0, -900.0, 900.0], np.float32)
FOLDED_CODES: Cases = {
    "DequantizeLinear": [
        folded("DequantizeLinear", _CODES, np.float32(0.5), np.uint8(3)),
        folded("DequantizeLinear", _CODES.astype(np.int32), np.float32(0.5)),
        folded("DequantizeLinear", _CODES, EACH, ZEROS, axis=0, first=13),
        folded("DequantizeLinear", _REAL, np.float32(0.5), refused="codes of integers"),
    ],
    "QuantizeLinear": [
        folded("QuantizeLinear", _REAL, np.float32(0.5), np.uint8(3)),
        folded("QuantizeLinear", _REAL, np.float32(0.5), np.int8(-3)),
        folded("QuantizeLinear", _REAL, EACH, ZEROS, axis=0, first=13),
        folded("QuantizeLinear", _CODES, np.float32(0.5), refused="floats are quantized"),
    ],
}
