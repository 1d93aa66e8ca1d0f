"""Activations: as operators, and as an attribute of others (`act=relu6` on a convolution, say)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType

Activation = Literal["none", "relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid"]


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), of numbers below zero as exp(x) / (1 + exp(x)): nothing overflows."""
    power = np.exp(-np.abs(x))
    return np.where(x < 0.0, power, 1.0) / (1.0 + power)


_MEANING: dict[str, Callable[[Array], Array]] = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "hard_swish": lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0,
    "hard_sigmoid": lambda x: np.clip(x + 3.0, 0.0, 6.0) / 6.0,
    "sigmoid": _sigmoid,
}

# Mean squares of the activations of a standard normal value: for relu exactly 1/2, for the others
# the integral, to three digits. Sigmoids are 1/2 and a little that grows with the argument: their
# mean square is a constant and a slope.
_SECOND_MOMENT = {
    "none": (0.0, 1.0),
    "relu": (0.0, 0.5),
    "relu6": (0.0, 0.5),
    "hard_swish": (0.0, 0.332),
    "hard_sigmoid": (0.25, 0.028),
    "sigmoid": (0.25, 0.043),
}


def check_activation(name: str) -> None:
    """Raise GraphError unless `name` is an activation."""
    if name not in get_args(Activation):
        raise GraphError(
            f"unknown activation '{name}'", expected="one of " + ", ".join(get_args(Activation))
        )


def activate(name: str, x: Array) -> Array:
    """NumPy meaning, elementwise; NaN stays NaN."""
    return _MEANING[name](x)


def activated_moment(name: str, moment: float) -> float:
    """Mean square after the activation of a centred normal value with mean square `moment`."""
    constant, slope = _SECOND_MOMENT[name]
    return constant + slope * moment


@dataclass(frozen=True)
class ElementwiseActivation(Operator):
    """Base of the activations as operators; the operator's name is the activation's."""

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Elementwise; NaN stays NaN."""
        return activate(self.operator_name, operands[0])

    def second_moment(self, operands: Sequence[float]) -> float:
        """That of a centred normal value after the activation."""
        return activated_moment(self.operator_name, operands[0])
