"""The base of portable kernels of codes with weights: what they read, and how it is packed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.sums import (
    CODES,
    NUMBERS,
    bias_of,
    checked_sums,
    rescaling_words,
    word_bytes,
    words_of,
)
from netgen.kernels.layer import ElementsByLetter, Kernel, Layer, Packed
from netgen.kernels.layout import Places
from netgen.kernels.targets import Target


class WeightedI8(Kernel):
    """Packed for each output: bias and two words of rescaling; behind all of them the weights."""

    numeric_form: ClassVar[str] = "codes"
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    weights_element: ClassVar[str] = "i32"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True

    @abstractmethod
    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The outputs in the order in which their numbers are packed."""

    @abstractmethod
    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """The codes of the weights in the order in which they are packed."""

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of outputs, then weights. Raises WeightsError where sums do not fit int32."""
        checked_sums(layer, constants)
        order = self.packed_outputs(layer, target)
        bias = bias_of(constants)[order].reshape(-1, 1)
        numbers = np.concatenate([bias, rescaling_words(layer, constants)[order]], axis=1)
        weights = words_of(self.packed_weights(layer, target, constants["w"]))
        return np.concatenate([numbers.ravel(), weights])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and three words for each output."""
        del target
        w = layer.operands["w"]
        return 4 * NUMBERS * w.shape[0] + word_bytes(w.bytes)
