"""Activations as an attribute of other operators: `act=relu6` on a convolution, say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from netgen.errors import GraphError
from netgen.ir.tensor_type import Array

Activation = Literal["none", "relu", "relu6", "hard_swish"]

_MEANING: dict[str, Callable[[Array], Array]] = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "hard_swish": lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0,
}

# Mean squares of the activations of a standard normal value: for relu exactly 1/2, for the others
# the integral, to three digits.
_SECOND_MOMENT = {"none": 1.0, "relu": 0.5, "relu6": 0.5, "hard_swish": 0.332}


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
    return _SECOND_MOMENT[name] * moment
