"""Some rows of a step's result in NumPy, from what its operator's reference says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.plan.data.execution_order import Band
from netgen.plan.data.plan import Step, is_image


def compute_rows(
    step: Step,
    operands: Mapping[str, Array],
    signature: Signature,
    band: Band,
) -> Array:
    """The rows of a band of a step's result, from whole operands by letter.

    Rows that the band does not reach may be NaN. A result without rows is computed whole.
    """
    op, result = step.op, signature.result
    letters = [letter for letter in op.letters(len(operands)) if letter in operands]
    types = dict(zip(letters, signature.operands, strict=True))
    if isinstance(op, Conv2d | DepthwiseConv2d):
        window = op.window(types["w"].shape)
        begin = band.first * window.stride[0] - window.pad[0]
        reach = (window.size[0] - 1) * window.dilation[0] + 1
        end = (band.end - 1) * window.stride[0] - window.pad[0] + reach
        height = types["x"].shape[1]
        cut = {**operands, "x": operands["x"][:, max(begin, 0) : max(end, 0)]}
        if "residual" in cut:
            cut["residual"] = cut["residual"][:, band.first : band.end]
        # What lies outside the image is padding of this band, so far as it is not all of it.
        inside = cut["x"].shape[1]
        top = min(max(-begin, 0), end - begin)
        bottom = end - begin - inside - top
        assert bottom >= 0
        assert inside == max(min(end, height) - max(begin, 0), 0)
        banded = replace(op, pad=(top, bottom, *window.pad[2:]))
        return banded.reference([cut[letter] for letter in letters], signature)
    whole = op.reference([operands[letter] for letter in letters], signature)
    return whole[:, band.first : band.end] if is_image(result.shape) else whole


def rows_summed(
    x: Array, before: npt.NDArray[np.float32] | np.float32, band: Band, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """A global average after a band of rows: sums in order of rows, divided behind the last."""
    total = np.zeros((1, 1, 1, shape[3]), np.float32) + before
    for row in range(band.first, band.end):
        total = total + x[:, row : row + 1].sum(axis=2, keepdims=True).astype(np.float32)
    return total / np.float32(shape[1] * shape[2]) if band.end == shape[1] else total
