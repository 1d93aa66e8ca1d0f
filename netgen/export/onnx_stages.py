"""Stages of ONNX's operators: what the mappings of operators are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_activations import ACTIVATIONS, in_other_words
from netgen.ir.tensor_type import TensorType
from netgen.ops.activation import ElementwiseActivation, find_activation

Scalars: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.int64]"
Attribute: TypeAlias = "int | float | str | Sequence[int]"

# HardSwish came with 14; 17 with IR 8 is what every runtime in use has read for years.
OPSET = 17


@dataclass(frozen=True)
class Stage:
    """One ONNX operator. Its first input is the stage before; `inputs` are the further ones.

    A string names an ONNX value, an array becomes an initializer.
    """

    operator: str
    inputs: tuple[str | Scalars, ...] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One node for the function that maps it: operands and result as netgen types them, NHWC.

    `rest` are the ONNX names of the operands after the first.
    """

    rest: tuple[str, ...]
    types: tuple[TensorType, ...]
    result: TensorType


def activation(act: str) -> list[Stage]:
    """Stages of an `act` attribute; none for `none`."""
    op = find_activation(act)
    return [] if op is None else written(op)


def written(op: ElementwiseActivation) -> list[Stage]:
    """Stages of an activation; raises GraphError for one that ONNX does not have."""
    known = in_other_words(op)
    if known is None:
        raise GraphError(
            f"the activation '{op.operator_name}' cannot be exported to ONNX",
            expected="one of " + ", ".join(known.kind.operator_name for known in ACTIVATIONS),
        )
    if known.since > OPSET:
        raise GraphError(
            f"the activation '{op.operator_name}' cannot be exported to ONNX",
            expected=f"what opset {OPSET} has",
            found=f"{known.operator}, which came with opset {known.since}",
        )
    inputs = tuple(np.array(number, np.float32) for number in known.inputs)
    return [Stage(known.operator, inputs, {**known.attributes(op)})]
