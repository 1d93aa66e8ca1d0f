"""Activations in the words of ONNX, TensorFlow Lite and PyTorch: one line each in ACTIVATIONS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isclose
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_call import Call, one_number
from netgen.frontends.onnx_tensor_view import TensorView, alike
from netgen.ir.operator import Operator
from netgen.ops.absolute import Absolute
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.ceil import Ceil
from netgen.ops.clip import Clip
from netgen.ops.elu import Elu
from netgen.ops.erf import Erf
from netgen.ops.exp import Exp
from netgen.ops.floor import Floor
from netgen.ops.gelu import Gelu
from netgen.ops.gelu_tanh import GeluTanh
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.hard_swish import HardSwish
from netgen.ops.leaky_relu import LeakyRelu
from netgen.ops.log import Log
from netgen.ops.mish import Mish
from netgen.ops.mul import Mul
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.relu_n1_to_1 import ReluN1To1
from netgen.ops.round_even import RoundEven
from netgen.ops.selu import Selu
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.sign import Sign
from netgen.ops.silu import Silu
from netgen.ops.softplus import Softplus
from netgen.ops.softsign import Softsign
from netgen.ops.sqrt import Sqrt
from netgen.ops.tanh import Tanh
from netgen.ops.thresholded_relu import ThresholdedRelu


@dataclass(frozen=True)
class OnnxActivation:
    """An activation of netgen, `kind`, and the operator of ONNX that it is written as.

    `newest` is the last opset that changed that operator, of those that were looked at, `since` the
    one that brought it.
    Attributes that both have are called alike; ONNX takes their `defaults` where a file leaves them
    out. What ONNX has beside them is written as it is `fixed`, and as `inputs` behind the first.
    Where a file may say more than netgen has, `read` is a function of its own.

    `torch` is the function of `torch.nn.functional`, `tflite` the operator of TensorFlow Lite, if
    there is one; both call the attributes as ONNX does. If there is none, `tflite_formula` are
    operators of x and a constant each, with the activation that is fused to them.
    """

    operator: str
    newest: int
    kind: type[ElementwiseActivation]
    torch: str
    tflite: str | None = None
    defaults: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    inputs: tuple[float, ...] = ()
    read: Callable[[Call], TensorView] | None = None
    since: int = 1
    tflite_formula: tuple[tuple[str, float, str], ...] = ()

    def mapping(self, call: Call) -> TensorView:
        """Translate one node of a file."""
        if self.read is not None:
            return self.read(call)
        attributes = {name: call.floating(name, value) for name, value in self.defaults.items()}
        return _activated(self.kind(**cast("Any", attributes)), call)

    def attributes(self, op: Operator) -> dict[str, float]:
        """The attributes of the ONNX node for an operator of this kind."""
        return {**self.fixed, **{name: getattr(op, name) for name in self.defaults}}


def _activated(op: Operator, call: Call) -> TensorView:
    """Activate the first input: the order of its elements stays, whatever it is."""
    x = call.tensor()
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


def clip(call: Call) -> TensorView:
    """Clip to 0..6 -> relu6, to 0 and above -> relu, to -1..1 -> relu_n1_to_1.

    Other limits -> clip.
    """
    low = one_number(call.known(1, "min"), -np.inf, "min")
    high = one_number(call.known(2, "max"), np.inf, "max")
    largest = float(np.finfo(np.float32).max)
    if low <= -largest and high >= largest:  # false where one is no number
        return call.tensor()
    if low == 0.0 and high == 6.0:
        return _activated(Relu6(), call)
    if low == 0.0 and high >= largest:
        return _activated(Relu(), call)
    if low == -1.0 and high == 1.0:
        return _activated(ReluN1To1(), call)
    if np.isnan(low) or np.isnan(high):
        raise GraphError("the limits must be numbers", found=f"{low:g}..{high:g}")
    return _activated(Clip(max(low, -largest), min(high, largest)), call)


def gelu(call: Call) -> TensorView:
    """Gelu, by erf or by tanh."""
    form = call.string("approximate", "none")
    if form not in {"none", "tanh"}:
        raise GraphError("an unknown form of Gelu", expected="none or tanh", found=form)
    return _activated(Gelu() if form == "none" else GeluTanh(), call)


def celu(call: Call) -> TensorView:
    """Celu, alpha elu(x / alpha)."""
    alpha = call.floating("alpha", 1.0)
    if not alpha > 0.0:
        raise GraphError("alpha must be above zero", found=str(alpha))
    x = call.builder.affine(
        call.tensor(), np.array([1.0 / alpha]), np.zeros(1), f"{call.name}.scaled"
    )
    y = replace(x, value=call.builder.emit(Elu(), [x.value], f"{call.name}.elu"))
    return call.builder.affine(y, np.array([alpha]), np.zeros(1), call.name)


def selu(call: Call) -> TensorView:
    """Selu, whose numbers may be others than those of the paper: gamma elu(x)."""
    alpha = call.floating("alpha", _ALPHA)
    gamma = call.floating("gamma", _GAMMA)
    if np.float32(alpha) == np.float32(_ALPHA) and np.float32(gamma) == np.float32(_GAMMA):
        return _activated(Selu(), call)
    x = call.tensor()
    y = replace(x, value=call.builder.emit(Elu(alpha), [x.value], f"{call.name}.elu"))
    return call.builder.affine(y, np.array([gamma]), np.zeros(1), call.name)


# Source: ONNX operators, Selu.
_ALPHA, _GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def hard_sigmoid(call: Call) -> TensorView:
    """HardSigmoid, max(0, min(1, alpha x + beta)); netgen's has 1/6 and 1/2, others are scaled.

    Source: ONNX operators, HardSigmoid: alpha is 0.2 and beta 0.5 unless given.
    """
    alpha, beta = call.floating("alpha", 0.2), call.floating("beta", 0.5)
    x = call.tensor()
    if not isclose(alpha, 1 / 6, rel_tol=1e-6) or beta != 0.5:
        scale, shift = np.array([6.0 * alpha]), np.array([6.0 * beta - 3.0])
        x = call.builder.affine(x, scale, shift, f"{call.name}.scaled")
    return replace(x, value=call.builder.emit(HardSigmoid(), [x.value], call.name))


ACTIVATIONS = (
    OnnxActivation("Abs", 13, Absolute, "abs"),
    OnnxActivation("Ceil", 13, Ceil, "ceil"),
    OnnxActivation("Elu", 22, Elu, "elu", defaults={"alpha": 1.0}),
    OnnxActivation("Erf", 13, Erf, "erf"),
    OnnxActivation("Exp", 13, Exp, "exp"),
    OnnxActivation("Floor", 13, Floor, "floor"),
    OnnxActivation("Gelu", 20, Gelu, "gelu", read=gelu, since=20),
    OnnxActivation("Log", 13, Log, "log"),
    OnnxActivation("Mish", 22, Mish, "mish", since=18),
    OnnxActivation("Round", 22, RoundEven, "round"),
    OnnxActivation("Selu", 22, Selu, "selu", read=selu),
    OnnxActivation("Sign", 13, Sign, "sign"),
    OnnxActivation("Softplus", 22, Softplus, "softplus"),
    OnnxActivation("Softsign", 22, Softsign, "softsign"),
    OnnxActivation("Sqrt", 13, Sqrt, "sqrt"),
    OnnxActivation("ThresholdedRelu", 22, ThresholdedRelu, "threshold", defaults={"alpha": 1.0}),
    OnnxActivation("Clip", 13, Relu6, "relu6", "RELU6", inputs=(0.0, 6.0), read=clip),
    OnnxActivation(
        "HardSigmoid",
        22,
        HardSigmoid,
        "hardsigmoid",
        fixed={"alpha": 1.0 / 6.0, "beta": 0.5},
        read=hard_sigmoid,
        tflite_formula=(("ADD", 3.0, "relu6"), ("MUL", 1.0 / 6.0, "none")),
    ),
    OnnxActivation("HardSwish", 22, HardSwish, "hardswish", "HARD_SWISH"),
    OnnxActivation("LeakyRelu", 16, LeakyRelu, "leaky_relu", "LEAKY_RELU", {"alpha": 0.01}),
    OnnxActivation("Relu", 14, Relu, "relu", "RELU"),
    OnnxActivation(
        "Clip", 13, ReluN1To1, "hardtanh", "RELU_N1_TO_1", inputs=(-1.0, 1.0), read=clip
    ),
    OnnxActivation("Sigmoid", 13, Sigmoid, "sigmoid", "LOGISTIC"),
    OnnxActivation("Tanh", 13, Tanh, "tanh", "TANH"),
)


def in_other_words(op: ElementwiseActivation) -> OnnxActivation | None:
    """The line of ACTIVATIONS for an operator, None if there is none."""
    return next((known for known in ACTIVATIONS if type(op) is known.kind), None)


def written_out(
    builder: Builder, value: str, scale: npt.NDArray[np.float64]
) -> tuple[ElementwiseActivation, str] | None:
    """The activation that `value * scale` ends, written out as a formula, and its operand; or None.

    Exporters write these for opsets before 14: x * relu6(x + 3) / 6 for hard swish, whose product
    would overflow where x does not, and relu6(x + 3) / 6 for hard sigmoid.
    """
    if not np.isclose(scale, 1 / 6, rtol=1e-6, atol=0.0).all():
        return None
    node = builder.nodes[value]
    if isinstance(node.op, Relu6):
        x = _below_three(builder, value)
        return None if x is None else (HardSigmoid(), x)
    if isinstance(node.op, Mul):
        for x, gate in (node.operands, node.operands[::-1]):
            if _below_three(builder, gate) == x:
                return HardSwish(), x
    return None


def gated_by_itself(
    builder: Builder, a: TensorView, b: TensorView
) -> tuple[ElementwiseActivation, TensorView] | None:
    """The activation that a product of x and its own gate is, and the x; None for others."""
    for x, gate in ((a, b), (b, a)):
        node = builder.nodes[gate.value]
        op = next((op for kind, op in _GATED if isinstance(node.op, kind)), None)
        if op is not None and node.operands == (x.value,) and alike(a, b):
            return op, x
    return None


_GATED: tuple[tuple[type[Operator], ElementwiseActivation], ...] = (
    (HardSigmoid, HardSwish()),
    (Sigmoid, Silu()),
)


def _below_three(builder: Builder, value: str) -> str | None:
    """The x of a value that is relu6(x + 3)."""
    gate = builder.nodes[value]
    sum_ = builder.nodes[gate.operands[0]] if isinstance(gate.op, Relu6) else None
    if sum_ is None or not isinstance(sum_.op, BatchNorm) or sum_.op.eps != 0.0:
        return None
    parameters = [builder.constants[name] for name in sum_.operands[1:]]
    as_wanted = all(
        (array == wanted).all()
        for array, wanted in zip(parameters, (1.0, 3.0, 0.0, 1.0), strict=True)
    )
    return sum_.operands[0] if as_wanted else None
