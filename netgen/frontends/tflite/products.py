"""BATCH_MATMUL: products of matrices, of two tensors or of one by learned numbers."""

from __future__ import annotations

from math import prod

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.codes import of_codes
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, UnsupportedError
from netgen.ops.conv2d import Conv2d
from netgen.ops.matmul import Matmul


def batch_matmul(call: Call) -> TensorView:
    """BATCH_MATMUL -> matmul; by one matrix of learned numbers a convolution of 1 x 1."""
    if of_codes(call):
        raise UnsupportedError("not supported of codes", hint=WITHOUT_QUANTISATION)
    x = call.tensor()
    if len(x.shape) < 2:
        raise GraphError("no matrix", found=str(list(x.shape)))
    x = _swapped(x) if call.integer("AdjX") else x
    second = call.given(1)
    if isinstance(second, TensorView):
        return _of_two(call, x, second)
    learned = call.weights(1, "the weights")
    w = learned.array
    if w.ndim < 2 or prod(w.shape[:-2]) != 1:
        raise GraphError("only one matrix of weights is supported", found=str(list(w.shape)))
    w = w.reshape(w.shape[-2], w.shape[-1])
    w = w if call.integer("AdjY") else w.T
    outputs, inputs = w.shape[0], w.shape[1]
    if x.shape[-1] != inputs:
        raise GraphError("matrices that do not fit", expected=str(inputs), found=str(x.shape[-1]))
    rows = prod(x.shape[:-1])
    image = call.builder.image(call.builder.reshaped(x, (1, 1, rows, inputs)))
    turned = call.builder.learned(learned.turned(w.reshape(outputs, 1, 1, inputs)))
    y = call.builder.emit(Conv2d(), [image, turned], call.name)
    return call.builder.reshaped(row_major(y, (1, 1, rows, outputs)), (*x.shape[:-1], outputs))


def _of_two(call: Call, a: TensorView, b: TensorView) -> TensorView:
    b = _swapped(b) if call.integer("AdjY") else b
    rank = max(len(a.shape), len(b.shape))
    operands = [
        call.builder.natural(TensorView(x.value, x.storage, ((),) * (rank - len(x.axes)) + x.axes))
        for x in (a, b)
    ]
    y = call.builder.emit(Matmul(), operands, call.name)
    return row_major(y, call.builder.shape(y))


def _swapped(x: TensorView) -> TensorView:
    """The tensor with its last two axes exchanged."""
    rank = len(x.shape)
    return x.transposed([*range(rank - 2), rank - 1, rank - 2])
