"""Weights of floats in fewer bytes: how they are rounded, stored, and told from their numbers.

`f16` is binary16, rounded to the nearest, halves to even. `i8` are whole numbers q from -127 to 127
with a scale for each output: w = scale * q, where scale is the largest magnitude over 127, rounded
to float32, and q is w / scale rounded likewise. The C widens them exactly. Of `f16` the sum is that
of a network whose weights are rounded so. Of `i8` it is bias + scale * (sum of x * q): the scale is
multiplied once, behind the sum.

Real numbers stand before the weights that they belong to: the bias, of `i8` then the scale. They
are little-endian words of the weights' own elements, so they can be read in any byte order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netgen.errors import WeightsError
from netgen.ir.tensor_type import ELEMENTS, Array
from netgen.kernels.layer import Json
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling

# The element type as which weights are stored that are not compressed.
PLAIN_WEIGHTS = "f32"
# Real numbers before the weights of an output, by element type of these.
_REALS: Mapping[str, int] = {"f32": 1, "f16": 1, "i8": 2}
# All that some kernels widen.
WIDENED = frozenset({"f16", "i8"})
_MOST_F16 = 65504.0
_MOST_I8 = 127


def describe_weights(weights: str) -> dict[str, Json]:
    """The parameter of templates that widen weights; none where these are floats."""
    return {"weights": weights} if weights in WIDENED else {}


def weights_title(weights: str) -> str:
    """The part of a function's name about its weights; empty where these are floats."""
    return f"_{weights}" if weights in WIDENED else ""


def tiling_of(weights: str, target: Target) -> Tiling:
    """The vectors and tiles for products of floats with such weights."""
    return target.f32.widened(weights) if weights in WIDENED else target.f32


def words_of_real(weights: str) -> int:
    """Elements of the weights' type that one real number takes."""
    return 4 // ELEMENTS[weights].bytes


def header_elements(weights: str) -> int:
    """Elements before the weights of an output."""
    return _REALS[weights] * words_of_real(weights)


def compressed_bytes(weights: str, outputs: int, inputs: int) -> int:
    """Bytes of so many outputs with so many weights each, whole words of 4."""
    size = ELEMENTS[weights].bytes * outputs * (header_elements(weights) + inputs)
    return -(-size // 4) * 4


def compress(weights: str, w: Array, b: Array) -> tuple[Array, Array]:
    """W [outputs, ...] as it is stored, and the real numbers of outputs [1 or 2, outputs].

    Raises WeightsError for numbers that have no such form.
    """
    if weights == PLAIN_WEIGHTS:
        return w, b[None]
    largest = np.abs(w).reshape(len(w), -1).max(axis=1, initial=0.0)
    if not (np.isfinite(largest).all() and np.isfinite(b).all()):
        raise WeightsError("the weights of this layer do not fit into float32 once they are folded")
    if weights == "f16":
        if largest.max(initial=0.0) > _MOST_F16:
            raise WeightsError(
                "a weight of this layer does not fit into float16",
                expected=f"at most {_MOST_F16:g}",
                found=f"{largest.max():g}",
                hint="choose --weights-dtype int8, or float32",
            )
        return w.astype("<f2"), b[None]
    scale = scales(largest)
    # Rows whose scale is zero are zeros.
    divisor = np.where(scale > 0, scale, 1).astype(np.float64)
    codes = np.rint(w / divisor.reshape(-1, *[1] * (w.ndim - 1)))
    return np.clip(codes, -_MOST_I8, _MOST_I8).astype("<i1"), np.stack([b, scale])


def scales(largest: Array) -> Array:
    """The scale of each output, float32, for the largest magnitude of its weights."""
    return np.asarray(largest.astype(np.float64) / _MOST_I8, np.float32)


def restored(weights: str, w: Array) -> Array:
    """The numbers, float32, for which the stored form of w [outputs, ...] stands."""
    stored, reals = compress(weights, w, np.zeros(len(w), np.float32))
    if weights != "i8":
        return stored.astype(np.float32)
    scale = reals[1].astype(np.float64).reshape(-1, *[1] * (w.ndim - 1))
    return np.asarray(stored * scale, np.float32)


def joined(weights: str, parts: Sequence[tuple[Array, Array]]) -> Array:
    """Parts of real numbers and stored weights, each flat, as elements of the weights' type."""
    if weights == PLAIN_WEIGHTS:
        return np.concatenate([half for part in parts for half in part])
    element = "<u2" if weights == "f16" else "<i1"
    words = [
        half for reals, w in parts for half in (reals.astype("<f4").view(element), w.view(element))
    ]
    size = 4 // ELEMENTS[weights].bytes
    missing = -sum(map(len, words)) % size
    return np.concatenate([*words, np.zeros(missing, element)])
