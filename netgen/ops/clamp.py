"""Activations that clamp: the nearest number within limits, of floats and of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.fixed_point import bounded_multiplier, float_ratio
from netgen.ops.rescaled import clamped_codes, scale_of


@dataclass(frozen=True)
class Clamp(ElementwiseActivation):
    """Base of the activations that clamp to their `limits`.

    Codes are brought to the scale of the result, and then clamped to the codes of the limits.
    Source: TensorFlow Lite, `activations.cc`, ReluPrepare and QuantizedReluX.
    """

    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})

    def activate(self, x: Array) -> Array:
        """The nearest number within the limits."""
        nearest: Array = np.clip(x, *self.limits)
        return nearest

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """Rescaled by a multiplier whose real number is a quotient of float32, then clamped."""
        ratio = float_ratio(scale_of(kind), over=scale_of(result))
        rescaled = bounded_multiplier(ratio, 255).times(x - kind.zero) + result.zero
        clamped: Array = np.clip(rescaled, *clamped_codes(self.operator_name, result))
        return clamped
