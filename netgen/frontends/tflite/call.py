"""One operator of a `.tflite` file as a mapping sees it, and the checks that mappings share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TypeAlias, cast

import numpy as np

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_call import Known, ReadsInputs, Value, axis_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.tflite.builder import ChannelsLast
from netgen.frontends.tflite.learned import Learned, learned_codes
from netgen.frontends.tflite.parts import FileOperator, FileTensor
from netgen.ir.operator import Operator
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.relu_n1_to_1 import ReluN1To1
from netgen.ops.weighted import Weighted

Result: TypeAlias = "Value | Sequence[Value]"
Mapping: TypeAlias = "Callable[[Call], Result]"

# Values of the schema's enumeration ActivationFunctionType.
_ACTIVATIONS: dict[int, ElementwiseActivation | None] = {
    0: None,
    1: Relu(),
    2: ReluN1To1(),
    3: Relu6(),
}
# The same of codes, where an activation is an attribute.
CLAMPS = {0: "none", 1: "relu", 2: "relu_n1_to_1", 3: "relu6"}
_REFUSED = {4: "TANH", 5: "SIGN_BIT"}


@dataclass(frozen=True)
class Codes:
    """Codes of one scale: element type, scale and zero point."""

    dtype: str
    scale: float
    zero: int


@dataclass(frozen=True)
class Call(ReadsInputs):
    """An operator with its inputs: tensors of activations, or arrays that are known already.

    `read` and `made` are the file's tensors; an input that is left out is None in both `read` and
    `inputs`. `readers` are the operators that read a result, and "" where the network gives it out.
    `profile` is the implementation whose rounding counts, `litert` or `tflm`.
    """

    builder: ChannelsLast
    budget: Budget
    operator: FileOperator
    read: tuple[FileTensor | None, ...]
    made: tuple[FileTensor, ...]
    inputs: tuple[Value | None, ...]
    readers: frozenset[str]
    profile: str

    @property
    def name(self) -> str:
        """Name of the first result."""
        return self.made[0].name

    def known(self, index: int, what: str) -> Known:
        """An input that must be known now; raises GraphError where it is computed or left out."""
        value = self.given(index)
        if value is None or isinstance(value, TensorView):
            found = "nothing" if value is None else "a computed tensor"
            raise GraphError(f"{what} must be a constant", found=found)
        return value

    def weights(self, index: int, what: str, axis: int = 0) -> Learned:
        """An input of learned numbers, whose outputs are an axis.

        They are float32, also by way of DEQUANTIZE, or codes. Raises WeightsError for others.
        """
        array = self.known(index, what)
        tensor = self.read[index]
        assert tensor is not None  # it is known
        outputs = array.shape[axis] if array.ndim else 0
        if array.dtype in {np.dtype(np.int8), np.dtype(np.uint8)} and tensor.scales is not None:
            return learned_codes(tensor, array, outputs)
        if array.dtype == np.float32:
            return Learned(tensor.name, array)
        raise WeightsError(
            f"{what} have an element type that is not supported",
            expected="float32, float16 behind DEQUANTIZE, or codes of one byte",
            found=str(array.dtype),
        )

    def integers(self, index: int, what: str) -> tuple[int, ...]:
        """Numbers of an input of integers; raises GraphError for others and for several axes."""
        array = self.known(index, what)
        if array.dtype.kind not in "iu" or array.ndim > 1:
            raise GraphError(
                f"{what} is no list of integers", found=f"{array.dtype}{list(array.shape)}"
            )
        self.budget.take(array.size)
        return tuple(int(number) for number in array.reshape(-1))

    def axis(self, index: int, rank: int) -> int:
        """The axis that an input of one integer names, from the front."""
        numbers = self.integers(index, "the axis")
        if len(numbers) != 1:
            raise GraphError("the axis must be one number", found=str(list(numbers)))
        return axis_of(numbers[0], rank)

    def integer(self, name: str) -> int:
        """An option that is a number or a flag; raises GraphError where the options are missing."""
        value = self._option(name)
        assert isinstance(value, int)  # as the schema has it
        return value

    def floating(self, name: str) -> float:
        """An option that is a float; raises GraphError where it is not finite."""
        value = self._option(name)
        assert isinstance(value, float)
        if not isfinite(value):
            raise GraphError(f"the option {name} is not finite", found=str(value))
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        """An option that is a list; empty where it is left out."""
        value = self._option(name)
        assert isinstance(value, tuple)
        return value

    def _option(self, name: str) -> object:
        if self.operator.options is None:
            raise GraphError(f"its options are missing, {name} among them")
        return self.operator.options[name]

    def emit(self, op: Operator, operands: Sequence[str]) -> str:
        """Compute an operator and the activation that the options fuse into it."""
        act = self.activation()
        if act is None:
            return self.builder.emit(op, operands, self.name)
        before = self.builder.emit(op, operands, f"{self.name}.{op.operator_name}")
        return self.builder.emit(act, [before], self.name)

    def emit_weighted(
        self, op: Weighted, x: str, w: Learned, bias: Sequence[str], rounding: str
    ) -> str:
        """Compute a layer of floats, or of codes, whose activation is a clamp.

        Weights of codes under activations of floats become floats.
        """
        kind = self.builder.nodes[x].type
        if kind.element.is_float:
            return self.emit(op, [x, self.builder.learned(w.dequantised()), *bias])
        codes, act = self.one_scale(), CLAMPS.get(self.integer("FusedActivationFunction"))
        if act is None:
            self.activation()
            raise GraphError("the fused activation is not supported for codes")
        named = cast("Weighted", op.with_activation(act))
        quantised = replace(named, scale=codes.scale, zero=codes.zero, rounding=rounding)
        return self.builder.emit(quantised, [x, self.builder.learned(w), *bias], self.name)

    def one_scale(self) -> Codes:
        """Scale and zero point of the first result; raises GraphError unless it has one scale."""
        kind = self.made[0].type()
        quantisation = kind.quantisation
        if quantisation is None or not isinstance(quantisation.scale, float):
            raise GraphError("the result has no one scale", found=str(kind))
        return Codes(kind.dtype, quantisation.scale, quantisation.zero)

    def activated(self, make: Callable[[str], TensorView]) -> TensorView:
        """The result of `make` under the name that it is given, then the fused activation."""
        act = self.activation()
        if act is None:
            return make(self.name)
        view = make(f"{self.name}.before")
        return replace(view, value=self.builder.emit(act, [view.value], self.name))

    def activation(self) -> ElementwiseActivation | None:
        """The fused activation, None where there is none; raises GraphError for others."""
        number = self.integer("FusedActivationFunction")
        if number not in _ACTIVATIONS:
            raise GraphError(
                f"the fused activation {_REFUSED.get(number, number)} is not supported",
                expected="NONE, RELU, RELU_N1_TO_1 or RELU6",
            )
        return _ACTIVATIONS[number]
