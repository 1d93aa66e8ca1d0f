"""Networks that are written once: of floats, of halves, or of codes whose scales floats have shown.

A network is a function of a `Writer`. It is called for floats first; LiteRT runs that file. What
its tensors hold gives the shapes and scales of the file that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from tests.frontends.tflite.tflite_models import NONE, SAME, Array, Field, Model, Table

Network: TypeAlias = "Callable[[Writer], object]"
# Results of these have a scale of their own, the same in every file.
_FIXED = {
    "LOGISTIC": (256, 0),
    "SOFTMAX": (256, 0),
    "TANH": (128, 128),
    "L2_NORMALIZATION": (128, 128),
}


class Writer:
    """The operators of a network, written into a file; a result has the name that it is given.

    `kind` is that of activations, and `stored` that of weights of floats. Without `seen` arrays
    there are no scales yet.
    """

    def __init__(self, kind: str, stored: str, seen: Mapping[str, Array]) -> None:
        self.kind, self._stored, self._seen = kind, stored, seen
        self.model = Model({}, ())
        self._channels: dict[str, int] = {}
        self._scales: dict[str, tuple[float, int]] = {}
        self._kinds: dict[str, str] = {}

    @property
    def of_codes(self) -> bool:
        """Whether activations are codes."""
        return self.kind != "float32"

    def input(self, name: str, *shape: int, like: float = 1.0, kind: str = "") -> str:
        """An input whose numbers go from -`like` to `like`; another kind is made one's own."""
        own = kind or self.kind
        self.model.inputs[name] = shape
        if not self.of_codes:
            self.model.tensor(name, shape)
            return self._of(name, shape[-1])
        if own == "float32":
            self.model.tensor(name, shape)
            self._declare(f"{name}.own", self.kind, *_scale_of(-like, like, self.kind), shape)
            self.model.node("QUANTIZE", [name], [f"{name}.own"])
            return self._of(f"{name}.own", shape[-1])
        info = np.iinfo(own)
        scale = 2.0 * like / 255.0
        self._declare(name, own, float(np.float32(scale)), info.min + 127, shape)
        self._of(name, shape[-1])
        return self.requantised(name, f"{name}.own") if own != self.kind else name

    def requantised(self, x: str, name: str, kind: str = "", like: str = "") -> str:
        """QUANTIZE to other codes, or to the scale of another tensor."""
        if not self.of_codes:
            return x
        kind = kind or self.kind
        if like:
            scale, zero = self._scales[like]
        else:
            scale, zero = self._scales[x]
            zero += int(np.iinfo(kind).min) - int(np.iinfo(self._kinds[x]).min)
        self._declare(name, kind, scale, zero, self._shape(x))
        self.model.node("QUANTIZE", [x], [name])
        return self._of(name, self._channels[x])

    def end(self, *names: str) -> None:
        """The outputs."""
        self.model.outputs = names

    def floats(self, x: str, name: str) -> str:
        """DEQUANTIZE, if there are codes."""
        if not self.of_codes:
            return x
        self.model.tensor(name, self._shape(name) or self._shape(x))
        self.model.node("DEQUANTIZE", [x], [name])
        return self._of(name, self._channels[x])

    def op(
        self, operator: str, inputs: list[str], name: str, *, same: bool = False,
        channels: int = 0, result: str = "", **options: Field,
    ) -> str:  # fmt: skip
        """Any operator: its result has the `same` scale as its first input, or one of its own."""
        first = next(each for each in inputs if each in self._channels)
        self._result(operator, name, first if same else "", result)
        self.model.node(operator, inputs, [name], **options)
        return self._of(name, channels or self._channels[first])

    def conv(
        self, x: str, name: str, outputs: int, size: int | tuple[int, int] = 1, *, stride: int = 1,
        act: int = NONE, padding: int = SAME, dilation: int = 1, inputs: int = 0,
    ) -> str:  # fmt: skip
        """CONV_2D with a bias."""
        rows, columns = (size, size) if isinstance(size, int) else size
        shape = (outputs, rows, columns, inputs or self._channels[x])
        weights = self._weights(x, name, shape, 0)
        return self.op(
            "CONV_2D", [x, *weights], name, channels=outputs, Padding=padding, StrideH=stride,
            StrideW=stride, DilationHFactor=dilation, DilationWFactor=dilation,
            FusedActivationFunction=act,
        )  # fmt: skip

    def depthwise(
        self, x: str, name: str, size: int | tuple[int, int] = 3, *, stride: int = 1,
        act: int = NONE, padding: int = SAME, multiplier: int = 1, dilation: int = 1,
    ) -> str:  # fmt: skip
        """DEPTHWISE_CONV_2D with a bias."""
        rows, columns = (size, size) if isinstance(size, int) else size
        outputs = self._channels[x] * multiplier
        weights = self._weights(x, name, (1, rows, columns, outputs), 3)
        return self.op(
            "DEPTHWISE_CONV_2D", [x, *weights], name, channels=outputs, Padding=padding,
            StrideH=stride, StrideW=stride, DilationHFactor=dilation, DilationWFactor=dilation,
            FusedActivationFunction=act, DepthMultiplier=multiplier,
        )  # fmt: skip

    def dense(
        self, x: str, name: str, inputs: int, outputs: int, act: int = NONE, *, keep: bool = False
    ) -> str:
        """FULLY_CONNECTED with a bias."""
        weights = self._weights(x, name, (outputs, inputs), 0)
        return self.op(
            "FULLY_CONNECTED", [x, *weights], name, channels=outputs, KeepNumDims=keep,
            FusedActivationFunction=act,
        )  # fmt: skip

    def transposed(self, x: str, name: str, outputs: int, size: int, *shape: int) -> str:
        """TRANSPOSE_CONV by steps of two with a bias."""
        w, b = self._weights(x, name, (outputs, size, size, self._channels[x]), 0)
        to = self.model.integers(f"{name}.shape", 1, *shape, outputs)
        found = self.op(
            "TRANSPOSE_CONV", [to, w, x, b], name, channels=outputs, Padding=SAME, StrideH=2,
            StrideW=2,
        )  # fmt: skip
        self.model.codes[-1].fields["Version"] = 3
        return found

    def pool(self, operator: str, x: str, name: str, size: int, stride: int, padding: int) -> str:
        """MAX_POOL_2D or AVERAGE_POOL_2D."""
        return self.op(
            operator, [x], name, same=True, Padding=padding, StrideH=stride, StrideW=stride,
            FilterHeight=size, FilterWidth=size,
        )  # fmt: skip

    def reshape(self, x: str, name: str, *shape: int) -> str:
        """RESHAPE."""
        to = self.model.integers(f"{name}.shape", *shape)
        return self.op("RESHAPE", [x, to], name, same=True, channels=shape[-1], NewShape=[*shape])

    def mean(self, x: str, name: str, *axes: int, keep: bool = True) -> str:
        """MEAN."""
        return self.op("MEAN", [x, self.model.integers(f"{name}.axes", *axes)], name, KeepDims=keep)

    def resize(self, x: str, name: str, size: tuple[int, int], how: str = "", to: str = "") -> str:
        """RESIZE_BILINEAR, or what `to` says; `how` is an option that is set."""
        options: dict[str, Any] = {how: True} if how else {}
        at = self.model.integers(f"{name}.size", *size)
        return self.op(to or "RESIZE_BILINEAR", [x, at], name, same=True, **options)

    def concat(self, inputs: list[str], name: str, axis: int = 3) -> str:
        """CONCATENATION; of int8 all are brought to one scale before, of uint8 by the operator."""
        self._result("CONCATENATION", name, "", "")
        if self.kind == "int8":
            inputs = [self.requantised(x, f"{name}.{n}", like=name) for n, x in enumerate(inputs)]
        channels = [self._channels[x] for x in inputs]
        self.model.node("CONCATENATION", inputs, [name], Axis=axis)
        return self._of(name, sum(channels) if axis in {3, -1} else channels[0])

    def split(self, x: str, name: str, parts: int) -> list[str]:
        """SPLIT of the channels into equal parts."""
        axis = self.model.constant(f"{name}.axis", np.int32(3), "int32")
        names = [f"{name}.{n}" for n in range(parts)]
        for each in names:
            self._result("SPLIT", each, x, "")
            self._of(each, self._channels[x] // parts)
        self.model.node("SPLIT", [axis, x], names, NumSplits=parts)
        return names

    def number(self, name: str, value: float, *shape: int) -> str:
        """A constant operand of one number."""
        return self.numbers(name, np.full(shape, value))

    def numbers(self, name: str, array: Array) -> str:
        """A constant operand."""
        if not self.of_codes:
            return self._halves(name, array)
        low, high = min(0.0, float(array.min())), max(0.0, float(array.max()))
        scale, zero = _scale_of(low, high, self.kind)
        self._constant_codes(name, array, scale, zero, self.kind)
        return name

    def _of(self, name: str, channels: int) -> str:
        self._channels[name] = channels
        return name

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._seen[name].shape) if name in self._seen else ()

    def _declare(
        self, name: str, kind: str, scale: float, zero: int, shape: tuple[int, ...]
    ) -> None:
        self.model.codes_of(name, shape, kind, scale, zero)
        self._scales[name], self._kinds[name] = (scale, zero), kind

    def _result(self, operator: str, name: str, like: str, kind: str) -> None:
        """Declare a result."""
        if kind:
            self.model.tensor(name, self._shape(name), kind)
        elif not self.of_codes:
            self.model.tensor(name, self._shape(name))
        else:
            self._declare(name, self.kind, *self._scale(operator, name, like), self._shape(name))

    def _scale(self, operator: str, name: str, like: str) -> tuple[float, int]:
        if like:
            return self._scales[like]
        if operator in _FIXED:
            parts, zero = _FIXED[operator]
            return 1.0 / parts, int(np.iinfo(self.kind).min) + zero
        array = self._seen[name]
        low, high = min(0.0, float(array.min())), max(0.0, float(array.max()))
        return _scale_of(low, high, self.kind)

    def _weights(self, x: str, name: str, shape: tuple[int, ...], axis: int) -> list[str]:
        """Weights that keep the size of numbers, and a bias."""
        draw = np.random.default_rng([len(name), *name.encode(), *shape])
        count, outputs = int(np.prod(shape)), shape[axis]
        w = draw.standard_normal(shape) * np.sqrt(1.5 * outputs / count)
        b = draw.standard_normal(outputs) * 0.3
        if not self.of_codes:
            return [self._halves(f"{name}.w", w), self._halves(f"{name}.b", b)]
        if self.kind == "uint8":
            scale, zero = _scale_of(float(w.min()), float(w.max()), "uint8")
            self._constant_codes(f"{name}.w", w, scale, zero, "uint8")
            scales = np.array([scale], np.float32)
        else:
            over = tuple(k for k in range(len(shape)) if k != axis)
            scales = (np.abs(w).max(over) / 127.0).astype(np.float32)
            wide = scales.reshape([-1 if k == axis else 1 for k in range(len(shape))])
            self._stored_codes(f"{name}.w", np.rint(w / wide), "int8", scales, 0, axis)
        sums = np.float32(self._scales[x][0]) * scales
        self._stored_codes(f"{name}.b", np.rint(b / sums), "int32", sums, 0, 0)
        return [f"{name}.w", f"{name}.b"]

    def _halves(self, name: str, array: Array) -> str:
        if self._stored == "float32":
            return self.model.constant(name, array)
        self.model.constant(f"{name}.half", array, self._stored)
        self.model.tensor(name, np.shape(array))
        self.model.node("DEQUANTIZE", [f"{name}.half"], [name])
        return name

    def _constant_codes(self, name: str, array: Array, scale: float, zero: int, kind: str) -> None:
        info = np.iinfo(kind)
        codes = np.clip(np.rint(array / scale) + zero, info.min, info.max)
        self._stored_codes(name, codes, kind, np.array([scale], np.float32), zero, 0)
        self._scales[name] = scale, zero

    def _stored_codes(
        self, name: str, codes: Array, kind: str, scales: Array, zero: int, axis: int
    ) -> None:
        self.model.constant(name, codes, kind)
        numbers = {
            "Scale": scales, "ZeroPoint": np.full(len(scales), zero, np.int64),
            "QuantizedDimension": axis,
        }  # fmt: skip
        self.model.tensor(
            name, np.shape(codes), kind, Buffer=len(self.model.buffers) - 1,
            Quantization=Table("QuantizationParameters", numbers),
        )  # fmt: skip


def _scale_of(low: float, high: float, kind: str) -> tuple[float, int]:
    """The scale and zero point of codes from one number to another."""
    info = np.iinfo(kind)
    scale = float(np.float32(max(high - low, 1e-3) / (info.max - info.min)))
    return scale, int(np.clip(np.rint(info.min - low / scale), info.min, info.max))


def written(network: Network, kind: str) -> Model:
    """The file of a network; `kind` is float32, float16 (that of weights), int8 or uint8."""
    first = Writer("float32", "float32", {})
    network(first)
    seen = _tensors_of(first.model)
    halves = kind == "float16"
    second = Writer("float32" if halves else kind, kind if halves else "float32", seen)
    network(second)
    return second.model


def _tensors_of(model: Model) -> dict[str, Array]:
    """All tensors of a run of a file of floats by their names."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    runtime = Interpreter(
        model_content=model.content(),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    runtime.allocate_tensors()
    draw = np.random.default_rng(5)
    for given in runtime.get_input_details():
        numbers = draw.uniform(-1, 1, given["shape"]).astype(np.float32)
        runtime.set_tensor(given["index"], numbers)
    runtime.invoke()
    return {
        each["name"]: runtime.get_tensor(each["index"])
        for each in runtime.get_tensor_details()
        if each["name"]
    }
