"""Sums of products of codes: their bounds, and the numbers that rescale them, as kernels pack them.

Packed constants are words of int32: numbers of outputs first, then weights of one byte, four to a
word, the first in its lowest bits.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.ir.tensor_type import Array
from netgen.kernels.layer import Json, Layer, Packed
from netgen.ops.rescaled import clamped_codes
from netgen.ops.weighted import Weighted

Words = npt.NDArray[np.int32]
# A zero point is added to rescaled sums.
_MOST = 2**31 - 1 - 255
# Bits by which a sum of 64 bits may be shifted to the left.
_MOST_LEFT = 7
# Words of each output before the weights: bias, and the two that rescale its sum.
NUMBERS = 3
# What the types of x and y may be.
CODES = frozenset({"i8", "u8"})


def rounding_of(op: Weighted) -> str:
    """The rounding of sums as kernels have it: `real`, `even`, or `fixed` for both of those."""
    return "fixed" if op.rounding == "fixed32" else op.rounding


def words_of(codes: Array) -> Words:
    """Bytes of codes as words, filled up with zeros."""
    flat = np.ascontiguousarray(codes).view(np.uint8).ravel()
    padded = np.zeros(word_bytes(flat.size), np.uint8)
    padded[: flat.size] = flat
    return padded.view("<i4").astype(np.int32)


def word_bytes(count: int) -> int:
    """The bytes of the words that hold so many bytes."""
    return -(-count // 4) * 4


def bias_of(constants: Mapping[str, Packed]) -> Packed:
    """The bias of each output, zeros where the layer has none."""
    return constants.get("b", np.zeros(len(constants["w"]), np.int32))


def checked_sums(layer: Layer, constants: Mapping[str, Packed]) -> tuple[Array, Array]:
    """The least and the greatest sum of each output, over all codes and with any taps skipped.

    Raises WeightsError where a sum, or what is shifted left to be rescaled, does not fit int32:
    such are none of a trained network, and TensorFlow Lite's overflow.
    """
    x, w = layer.operands["x"], layer.operands["w"]
    weights = constants["w"].astype(np.int64).reshape(len(constants["w"]), -1) - w.zero
    bias = bias_of(constants).astype(np.int64)
    least, most = x.element.low - x.zero, x.element.high - x.zero
    above, below = np.maximum(weights, 0).sum(axis=1), np.minimum(weights, 0).sum(axis=1)
    low, high = bias + least * above + most * below, bias + most * above + least * below
    largest = np.maximum(np.abs(low), np.abs(high))
    op = layer.op
    assert isinstance(op, Weighted)
    if x.dtype == "i16":
        _check_wide(op, layer, constants, largest)
        return low, high
    left = np.zeros(1, np.int64)
    if rounding_of(op) == "fixed":
        shift = op.multipliers(x, w, layer.result, _scales(layer, constants)).shift
        left = np.maximum(shift, 0)
    if (np.ldexp(largest.astype(np.float64), left) > _MOST).any():
        raise WeightsError(
            "sums of products of this layer do not fit into int32",
            expected=f"at most {_MOST} before they are rescaled",
            found=f"up to {int(largest.max())}, shifted by up to {int(np.max(left))} bits",
            hint="check the scales of the layer and its bias",
        )
    return low, high


def _check_wide(
    op: Weighted, layer: Layer, constants: Mapping[str, Packed], largest: Array
) -> None:
    """Raise WeightsError where sums of 64 bits, rescaled, do not fit into int32."""
    x, w = layer.operands["x"], layer.operands["w"]
    scales = _scales(layer, constants)
    rescaled = largest * op.factors(x, w, layer.result, scales)
    shift = op.multipliers(x, w, layer.result, scales).shift
    if (rescaled > _MOST).any() or (shift > _MOST_LEFT).any():
        raise WeightsError(
            "sums of products of this layer do not fit into int32 once they are rescaled",
            expected=f"at most {_MOST}",
            found=f"up to {float(np.max(rescaled)):g}",
            hint="check the scales of the layer and its bias",
        )


def rescaling_words(layer: Layer, constants: Mapping[str, Packed]) -> Words:
    """[outputs, 2]: multiplier and shift of each output's sum, or the two halves of a double.

    Or a float, behind which stands 0.
    """
    op, outputs = layer.op, len(constants["w"])
    assert isinstance(op, Weighted)
    x, w = layer.operands["x"], layer.operands["w"]
    scales = _scales(layer, constants)
    if op.rounding == "real":
        factors = np.broadcast_to(op.factors(x, w, layer.result, scales), outputs)
        return factors.astype("<f8").view("<i4").reshape(outputs, 2).astype(np.int32)
    if op.rounding == "even":
        factors = np.broadcast_to(op.factors(x, w, layer.result, scales), outputs)
        words = factors.astype("<f4").view("<i4").astype(np.int32)
        return np.stack([words, np.zeros(outputs, np.int32)], axis=1)
    found = op.multipliers(x, w, layer.result, scales)
    both = np.stack([found.mantissa, found.shift], axis=-1)
    return np.broadcast_to(both, (outputs, 2)).astype(np.int32)


def _scales(layer: Layer, constants: Mapping[str, Packed]) -> Mapping[str, Array]:
    """The scales of weights along their axis, by the name that their type gives them."""
    quantisation = layer.operands["w"].quantisation
    assert quantisation is not None
    name = quantisation.scale
    return {name: constants["w.scale"]} if isinstance(name, str) else {}


def codes_title(layer: Layer) -> str:
    """The element types of the layer in a function's name: that of x only where it is another."""
    x, y = layer.operands["x"].dtype, layer.result.dtype
    return y if x == y else f"{x}_{y}"


def describe_codes(layer: Layer) -> dict[str, Json]:
    """Zero points and bounds as templates print them, and how sums are rescaled."""
    op, y = layer.op, layer.result
    assert isinstance(op, Weighted)
    low, high = clamped_codes(op.activation or "none", y)
    wide: dict[str, Json] = {"wide": True} if y.dtype == "i16" else {}
    return {
        **wide,
        "x_zero": layer.operands["x"].zero,
        "w_zero": layer.operands["w"].zero,
        "zero": y.zero,
        "low": low,
        "high": high,
        "rounding": rounding_of(op),
    }
