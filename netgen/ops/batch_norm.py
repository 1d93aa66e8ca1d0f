"""batch_norm: y = gamma (x - mean) / sqrt(var + eps) + beta, per channel, with fixed statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located, parameter, value_name
from netgen.errors import GraphError
from netgen.ir.magnitude import Seed
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_shape


@dataclass(frozen=True)
class BatchNorm(Operator):
    """Batch normalisation at inference (Ioffe and Szegedy 2015); all parameters are f32[C]."""

    operator_name: ClassVar[str] = "batch_norm"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "gamma", "beta", "mean", "var")
    statistics: ClassVar[frozenset[str]] = frozenset({"mean", "var"})
    # The mean square of x stays: shifts of reach 0.2 have r = 0.2^2 / 3 of it, the mean of 1 / var
    # is 1.01366, and gamma is drawn around the root of (1 - r) / (1.01366 (1 + r)^2).
    seeds: ClassVar[Mapping[str, Seed]] = {
        "gamma": Seed(0.9736, 0.2 * 0.9736),
        "beta": Seed(0.0, 0.2, relative=True),
        "mean": Seed(0.0, 0.2, relative=True),
        "var": Seed(1.0, 0.2),
    }
    keeps_spread: ClassVar[bool] = True
    fate: ClassVar[str] = "batch norms, now part of the weights before them"
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})
    eps: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isfinite(self.eps) and self.eps >= 0.0):
            raise GraphError("eps must be finite and not negative", found=str(self.eps))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        x = operands[0]
        for found, what in zip(operands[1:], self.operand_names[1:], strict=True):
            check_shape(found, x.shape[-1:], what)
        return x

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Apply the formula as it stands."""
        x, gamma, beta, mean, var = operands
        result: Array = gamma * (x - mean) / np.sqrt(var + self.eps) + beta
        return result

    def second_moment(self, operands: Sequence[float]) -> float:
        """Seeded statistics and parameters scatter around the identity: x keeps its mean square."""
        return operands[0]


def batch_norm(x: Tensor, *, eps: float = 1e-5, name: str | None = None) -> Tensor:
    """Batch normalisation with its own parameters `gamma`, `beta`, `mean` and `var`."""
    with located():
        op = BatchNorm(eps)
    owner = value_name("batch_norm", name)
    letters = ("gamma", "beta", "mean", "var")
    parameters = [parameter(owner, letter, (x.channels,)) for letter in letters]
    return apply(op, x, *parameters, name=name)
