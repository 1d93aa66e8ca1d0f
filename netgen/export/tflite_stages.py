"""Stages of TensorFlow Lite's operators: what the mappings of `tflite_operators` are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_activations import ACTIVATIONS, in_other_words
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation, find_activation
from netgen.ops.window import Window, resolve_pad

Numbers: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.int32]"
Operand: TypeAlias = "str | Numbers | Codes"
Shape: TypeAlias = "tuple[int, ...]"

# Values of the schema's enumerations.
_SAME, _VALID = 0, 1
_FUSED = {"none": 0, "relu": 1, "relu6": 3}


@dataclass(frozen=True)
class Codes:
    """A constant of codes: one scale, or one for each index along an axis."""

    array: Array
    scales: Array
    zero: int = 0
    axis: int = 0


@dataclass(frozen=True)
class Stage:
    """One operator. Its first input is the stage before; `inputs` are the further ones.

    A string names a value of the graph, an array becomes a constant. `shape` is that of the result;
    `options` names the table of the schema that holds the attributes, `values` those that differ
    from its defaults.
    """

    operator: str
    shape: Shape
    inputs: tuple[Operand, ...] = ()
    options: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One node and its operands, for the function that maps it; `rest` are the operands after x.

    `scales` gives those that a type names, or its one.
    """

    rest: tuple[str, ...]
    types: tuple[TensorType, ...]
    result: TensorType
    constant: Callable[[str], npt.NDArray[np.float32]]
    scales: Callable[[TensorType], Array]

    @property
    def of_codes(self) -> bool:
        """Whether x holds codes."""
        return not self.types[0].element.is_float


def int32(*numbers: int) -> npt.NDArray[np.int32]:
    """Make a constant of indices or sizes."""
    return np.array(numbers, np.int32)


def activation_stages(op: ElementwiseActivation, shape: Shape) -> list[Stage]:
    """Stages of an activation that is no attribute of the operator before it.

    Raises GraphError for one that TensorFlow Lite does not have.
    """
    known = in_other_words(op)
    if known is not None and known.tflite_formula:
        return [
            Stage(
                operator,
                shape,
                (np.array([constant], np.float32),),
                f"{operator.title()}Options",
                {"fusedActivationFunction": _FUSED[act]},
            )
            for operator, constant, act in known.tflite_formula
        ]
    if known is None or known.tflite is None:
        raise GraphError(
            f"the activation '{op.operator_name}' cannot be written to a .tflite file",
            expected="one of "
            + ", ".join(
                other.kind.operator_name
                for other in ACTIVATIONS
                if other.tflite or other.tflite_formula
            ),
        )
    values = known.attributes(op)
    # The schema calls the table of LEAKY_RELU's attributes LeakyReluOptions.
    options = known.tflite.title().replace("_", "") + "Options" if values else None
    return [Stage(known.tflite, shape, (), options, values)]


def activated(
    act: str,
    operator: str,
    shape: Shape,
    inputs: tuple[Operand, ...],
    options: str,
    values: Mapping[str, object] | None = None,
) -> list[Stage]:
    """An operator with its activation, fused if it can be."""
    fused = {**(values or {}), "fusedActivationFunction": _FUSED.get(act, 0)}
    stage = Stage(operator, shape, inputs, options, fused)
    op = None if act in _FUSED else find_activation(act)
    return [stage] if op is None else [stage, *activation_stages(op, shape)]


def padding_stages(
    window: Window, call: Call, border: float = 0.0, *, may_be_same: bool = True
) -> tuple[int, list[Stage]]:
    """SAME or VALID; what neither describes is a padding of its own, filled with `border`."""
    if not any(window.pad):
        return _VALID, []
    if may_be_same and is_same(window, call):
        return _SAME, []
    top, bottom, left, right = window.pad
    _, rows, columns, channels = call.types[0].shape
    shape = (1, rows + top + bottom, columns + left + right, channels)
    sides = [(0, 0), (top, bottom), (left, right), (0, 0)]
    if call.of_codes and border:
        return _VALID, [_least_stage(shape, sides, call)]
    return _VALID, [pad_stage(shape, sides, border)]


def _least_stage(shape: Shape, sides: Sequence[tuple[int, int]], call: Call) -> Stage:
    """PADV2 by the least code of x."""
    x = call.types[0]
    least = Codes(np.array([x.element.low], x.element.storage), call.scales(x), x.zero)
    return Stage("PADV2", shape, (np.array(sides, np.int32), least), "PadV2Options")


def is_same(window: Window, call: Call) -> bool:
    """Whether the window is padded as TensorFlow's SAME pads it."""
    rows, columns = call.types[0].shape[1:3]
    reach = [(k - 1) * d + 1 for k, d in zip(window.size, window.dilation, strict=True)]
    return window.pad == resolve_pad("same", (rows, columns), (reach[0], reach[1]), window.stride)


def pad_stage(shape: Shape, sides: Sequence[tuple[int, int]], border: float = 0.0) -> Stage:
    """PAD by (before, after) of each axis; PADV2 where the border is not zero."""
    pairs = np.array(sides, np.int32)
    if border == 0.0:
        return Stage("PAD", shape, (pairs,), "PadOptions")
    return Stage("PADV2", shape, (pairs, np.array([border], np.float32)), "PadV2Options")


def slice_stage(shape: Shape, first: Shape, step: Shape) -> Stage:
    """SLICE of `shape` elements, or STRIDED_SLICE where a step is not 1."""
    if set(step) == {1}:
        return Stage("SLICE", shape, (int32(*first), int32(*shape)), "SliceOptions")
    end = (f + (n - 1) * s + 1 for f, n, s in zip(first, shape, step, strict=True))
    inputs = (int32(*first), int32(*end), int32(*step))
    return Stage("STRIDED_SLICE", shape, inputs, "StridedSliceOptions")


def reshape_stage(shape: Shape) -> Stage:
    """RESHAPE."""
    values = {"newShape": list(shape)}
    return Stage("RESHAPE", shape, (int32(*shape),), "ReshapeOptions", values)


def transpose_stage(shape: Shape, axes: Shape) -> Stage:
    """TRANSPOSE to `shape`; axis k of it is axis `axes[k]` of what comes in."""
    return Stage("TRANSPOSE", shape, (int32(*axes),), "TransposeOptions")
