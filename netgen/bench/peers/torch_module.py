"""ONNX model -> PyTorch module: each operator becomes one call of a graph of `torch.fx`.

Its generated code forgets each value after its last use, as a hand-written `forward` would.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.fx
from torch.nn import functional

from netgen.bench.peers.peer import channels_last
from netgen.bench.worker import Array, Loaded
from netgen.errors import GraphError
from netgen.export.onnx_operators import TO_CHANNELS_FIRST
from netgen.frontends.onnx_activations import ACTIVATIONS, OnnxActivation

# Values of torch.fx, and whatever constants its calls take.
Value: TypeAlias = Any

# Their results are new memory that nobody else looks at, so an activation may overwrite it.
_FRESH = {"Add", "Conv", "Gemm", "Mul"}


def load_onnx(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    """Load an ONNX file as a module that runs on so many threads without recording gradients."""
    torch.set_num_threads(threads)
    module = module_of_onnx(onnx.load_from_string(content))
    # NHWC seen as NCHW is what PyTorch calls channels last: no copy.
    feed = [
        torch.from_numpy(array.transpose(TO_CHANNELS_FIRST) if array.ndim == 4 else array)
        for array in inputs
    ]
    forward = torch.inference_mode()(module.forward)
    outputs = tuple(channels_last(output.numpy()) for output in forward(*feed))
    return Loaded(str(torch.__version__), outputs, lambda: forward(*feed))


def module_of_onnx(model: onnx.ModelProto) -> torch.fx.GraphModule:
    """Translate the operators that netgen's exporter writes, with NCHW at the interface.

    The module takes one tensor per input and returns a tuple. Raises GraphError for others.
    """
    return _Translation(model.graph).module()


class _Translation:
    def __init__(self, model: onnx.GraphProto) -> None:
        self._model = model
        self._arrays = {
            given.name: onnx.numpy_helper.to_array(given) for given in model.initializer
        }
        read = [name for node in model.node for name in node.input]
        read += [given.name for given in model.output]
        self._overwritable = {
            name
            for node in model.node
            for name in node.output
            if node.op_type in _FRESH and read.count(name) == 1
        }
        self._root = torch.nn.Module()
        self._graph = torch.fx.Graph()
        self._values: dict[str, Value] = {}

    def module(self) -> torch.fx.GraphModule:
        """Translate every node."""
        for index, given in enumerate(self._model.input):
            self._values[given.name] = self._graph.placeholder(f"x{index}")
        for node in self._model.node:
            if node.op_type not in _CALLS:
                raise GraphError(
                    f"the ONNX operator {node.op_type} cannot be translated to PyTorch",
                    where=f"%{node.name}",
                    expected="one of " + ", ".join(_CALLS),
                )
            self._values[node.output[0]] = _CALLS[node.op_type](_Call(self, node))
        self._graph.output(tuple(self.value(given.name) for given in self._model.output))
        return torch.fx.GraphModule(self._root, self._graph)

    def emit(self, function: Callable[..., object], *args: Value, **named: Value) -> Value:
        """Add one call."""
        return self._graph.call_function(function, args, named)

    def value(self, name: str) -> Value:
        """One value; an initializer becomes a buffer on its first use."""
        if name not in self._values:
            tensor = torch.from_numpy(np.array(self._arrays[name]))
            if tensor.ndim == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            buffer = f"w{len(self._values)}"
            self._root.register_buffer(buffer, tensor)
            self._values[name] = self._graph.get_attr(buffer)
        return self._values[name]

    def numbers(self, name: str) -> list[Any]:
        """Elements of an initializer."""
        elements: list[Any] = self._arrays[name].reshape(-1).tolist()
        return elements

    def may_overwrite(self, name: str) -> bool:
        """Whether a value is read only once, and from memory of its own."""
        return name in self._overwritable


class _Call:
    """One ONNX node and the translation that it is part of."""

    def __init__(self, translation: _Translation, node: onnx.NodeProto) -> None:
        self._names = list(node.input)
        self.emit = translation.emit
        self.attributes: dict[str, Any] = {
            given.name: onnx.helper.get_attribute_value(given) for given in node.attribute
        }
        self._translation = translation

    @property
    def count(self) -> int:
        """The number of inputs."""
        return len(self._names)

    @property
    def operands(self) -> list[Value]:
        """All inputs as values."""
        return [self._translation.value(name) for name in self._names]

    @property
    def x(self) -> Value:
        """The first input as a value; the others may be numbers."""
        return self._translation.value(self._names[0])

    def numbers(self, position: int) -> list[Any]:
        """An input as numbers."""
        return self._translation.numbers(self._names[position])

    @property
    def inplace(self) -> bool:
        """Whether the first input may be overwritten."""
        return self._translation.may_overwrite(self._names[0])


def _plain(function: Callable[..., object]) -> Callable[[_Call], Value]:
    """A function that takes the operands as they are."""
    return lambda call: call.emit(function, *call.operands)


def _activation(activation: OnnxActivation) -> Callable[[_Call], Value]:
    """A function of an activation and its attributes, in place where there is such a form."""
    function = getattr(functional, activation.torch)
    may_overwrite = "inplace" in inspect.signature(function).parameters

    def emit(call: _Call) -> Value:
        numbers = [call.attributes[name] for name in activation.defaults]
        named = {"inplace": call.inplace} if may_overwrite else {}
        return call.emit(function, call.x, *numbers, **named)

    return emit


def _average_pool(call: _Call) -> Value:
    counted = bool(call.attributes.get("count_include_pad", 0))
    x, padding = _padded(call, 0.0, may_pad=counted)
    return call.emit(
        functional.avg_pool2d,
        x,
        tuple(call.attributes["kernel_shape"]),
        stride=tuple(call.attributes["strides"]),
        padding=padding,
        count_include_pad=counted,
    )


def _batch_norm(call: _Call) -> Value:
    x, gamma, beta, mean, var = call.operands
    return call.emit(
        functional.batch_norm, x, mean, var, gamma, beta, eps=call.attributes["epsilon"]
    )


def _concat(call: _Call) -> Value:
    return call.emit(torch.cat, call.operands, call.attributes["axis"])


def _conv(call: _Call) -> Value:
    x, padding = _padded(call, 0.0)
    return call.emit(
        functional.conv2d,
        x,
        *call.operands[1:],
        stride=tuple(call.attributes["strides"]),
        padding=padding,
        dilation=tuple(call.attributes["dilations"]),
        groups=call.attributes["group"],
    )


def _padded(call: _Call, border: float, *, may_pad: bool = True) -> tuple[Value, tuple[int, int]]:
    """The first input and the padding left to the window: PyTorch's has one number per axis."""
    top, left, bottom, right = call.attributes["pads"]
    if (top, left) == (bottom, right):
        return call.x, (top, left)
    if not may_pad:
        raise GraphError("PyTorch has no average over windows that are padded on one side only")
    return call.emit(functional.pad, call.x, (left, right, top, bottom), value=border), (0, 0)


def _global_average_pool(call: _Call) -> Value:
    return call.emit(functional.adaptive_avg_pool2d, call.x, 1)


def _max_pool(call: _Call) -> Value:
    x, padding = _padded(call, float("-inf"))
    return call.emit(
        functional.max_pool2d,
        x,
        tuple(call.attributes["kernel_shape"]),
        stride=tuple(call.attributes["strides"]),
        padding=padding,
    )


def _pad(call: _Call) -> Value:
    sides = call.numbers(1)
    rank = len(sides) // 2
    # ONNX lists the beginnings, then the ends; PyTorch pairs of both, last axis first.
    pairs = [(sides[axis], sides[axis + rank]) for axis in reversed(range(rank))]
    value = call.numbers(2)[0] if call.count > 2 else 0.0
    flat = tuple(side for pair in pairs for side in pair)
    return call.emit(functional.pad, call.x, flat, value=value)


def _reshape(call: _Call) -> Value:
    return call.emit(torch.reshape, call.x, tuple(call.numbers(1)))


def _slice(call: _Call) -> Value:
    slices = zip(*(call.numbers(position) for position in (1, 2, 4)), strict=True)
    x = call.x
    for axis, (first, end, step) in zip(call.numbers(3), slices, strict=True):
        x = call.emit(torch.ops.aten.slice.Tensor, x, axis, first, end, step)
    return x


def _softmax(call: _Call) -> Value:
    return call.emit(torch.softmax, call.x, call.attributes["axis"])


def _transpose(call: _Call) -> Value:
    return call.emit(torch.permute, call.x, tuple(call.attributes["perm"]))


_CALLS: dict[str, Callable[[_Call], Value]] = {
    **{activation.operator: _activation(activation) for activation in ACTIVATIONS},
    "Add": _plain(torch.add),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concat": _concat,
    "Conv": _conv,
    "Gemm": _plain(functional.linear),  # netgen writes no other form than PyTorch's
    "GlobalAveragePool": _global_average_pool,
    "Identity": lambda call: call.x,
    "MaxPool": _max_pool,
    "Mul": _plain(torch.mul),
    "Pad": _pad,
    "Reshape": _reshape,
    "Slice": _slice,
    "Softmax": _softmax,
    "Transpose": _transpose,
}
