"""Products of matrices: Gemm and MatMul, with constant weights or of two activations."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Value
from netgen.frontends.onnx_order import AxisOrder, as_tensor, emit_aligned, order_of, widened
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.linear import Linear
from netgen.ops.matmul import Matmul

Floats = npt.NDArray[np.float32]


def gemm(call: Call) -> TensorView:
    """Gemm with constant weights -> linear; alpha and beta go into weights and bias.

    With weights that are computed -> matmul, and sums.
    """
    x = call.given(0)
    if not isinstance(x, TensorView) or isinstance(call.given(1), TensorView):
        return _computed_gemm(call)
    if len(x.shape) != 2:
        raise GraphError("A must have two dimensions", found=f"{list(x.shape)}")
    x = x.transposed((1, 0)) if call.flag("transA") else x
    w = call.weights(1, "B")
    if w.ndim != 2:
        raise GraphError("the weights must have two dimensions", found=f"{list(w.shape)}")
    w = w if call.flag("transB") else w.T
    alpha, beta = call.floating("alpha", 1.0), call.floating("beta", 1.0)
    scaled = w if alpha == 1.0 else np.asarray(w.astype(np.float64) * alpha, np.float32)
    added = call.given(2)
    if added is None:
        return _linear(call, x, scaled, None, call.name)
    if isinstance(added, TensorView) or not _is_bias(added.shape, w.shape[0]):
        y = _linear(call, x, scaled, None, f"{call.name}.product")
        return _plus(call, y, added, beta)
    b = call.weights(2, "C")
    wide = np.asarray(b if beta == 1.0 else b.astype(np.float64) * beta, np.float32)
    bias = np.broadcast_to(wide.reshape(-1), (w.shape[0],))
    return _linear(call, x, scaled, bias, call.name)


def _is_bias(shape: tuple[int, ...], outputs: int) -> bool:
    """Whether a constant of this shape is one number for each output, or one for all."""
    return len(shape) <= 2 and (1,) * (2 - len(shape)) + shape in ((1, 1), (1, outputs))


def _plus(call: Call, y: TensorView, added: Value, beta: float) -> TensorView:
    """A product and beta times what is added to it, broadcast."""
    if isinstance(added, np.ndarray):
        return emit_aligned(call, Add(), [y, np.asarray(added * np.float64(beta))], call.name)
    if beta != 1.0:
        added = call.builder.affine(added, np.array([beta]), np.zeros(1), f"{call.name}.beta")
    return emit_aligned(call, Add(), [y, added], call.name)


def _computed_gemm(call: Call) -> TensorView:
    a = as_tensor(call, call.given(0), f"{call.name}.a")
    b = as_tensor(call, call.given(1), f"{call.name}.b")
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise GraphError("A and B must have two dimensions", found=f"{list(a.shape)}")
    a = a.transposed((1, 0)) if call.flag("transA") else a
    b = b.transposed((1, 0)) if call.flag("transB") else b
    alpha, added = call.floating("alpha", 1.0), call.given(2)
    plain = alpha == 1.0 and added is None
    y = _matrices(call, a, b, call.name if plain else f"{call.name}.product")
    if alpha != 1.0:
        name = call.name if added is None else f"{call.name}.alpha"
        y = call.builder.affine(y, np.array([alpha]), np.zeros(1), name)
    return y if added is None else _plus(call, y, added, call.floating("beta", 1.0))


def mat_mul(call: Call) -> TensorView:
    """MatMul by one matrix of weights -> linear, or a convolution of 1 by 1; else matmul."""
    a, b = call.given(0), call.given(1)
    if isinstance(a, TensorView) and isinstance(b, np.ndarray) and b.ndim == 2 and a.axes:
        return _linear(call, a, call.weights(1, "B").T, None, call.name)
    return _matrices(
        call, as_tensor(call, a, f"{call.name}.a"), as_tensor(call, b, f"{call.name}.b"), call.name
    )


def _matrices(call: Call, a: TensorView, b: TensorView, name: str) -> TensorView:
    """Products of matrices of two activations; a vector is a row on the left, or a column."""
    if not a.axes or not b.axes:
        raise GraphError("a product of matrices of what has no axes")
    row, column = len(a.axes) == 1, len(b.axes) == 1
    a = widened(a, 2) if row else a
    b = replace(b, axes=(*b.axes, ())) if column else b
    rank = max(len(a.axes), len(b.axes))
    stored = [call.builder.as_in_file(widened(view, rank)) for view in (a, b)]
    y = call.builder.emit(Matmul(), stored, name)
    shape = call.builder.shape(y)
    found = AxisOrder(tuple(range(rank))).view(y, shape)
    dropped = {*([rank - 2] if row else []), *([rank - 1] if column else [])}
    return replace(found, axes=tuple(a for k, a in enumerate(found.axes) if k not in dropped))


def _linear(call: Call, x: TensorView, w: Floats, b: Floats | None, name: str) -> TensorView:
    """Linear over the last axis of x, in whatever order it is stored: the weights follow.

    So the flattened channels of an image (C, H, W) meet their weights without being reordered.
    Several rows of x are pixels of an image, and the layer is a convolution of 1 by 1.
    """
    *ahead, inputs = x.shape
    if inputs != w.shape[1]:
        raise GraphError(
            "the operand does not fit the weights",
            expected=f"[...,{w.shape[1]}]",
            found=f"{list(x.shape)}",
        )
    if any(extent != 1 for extent in ahead):
        return _pixels(call, x, w, b, name)
    order = x.order
    sizes = [atom.size for atom in order]
    perm = [order.index(atom) for atom in x.storage]
    axes = (0, *(1 + place for place in perm))
    matrix = w.reshape(w.shape[0], *sizes).transpose(axes).reshape(w.shape)
    vector = call.builder.stored(x, x.storage, (1, inputs))
    operands = [vector, call.builder.constant(call.names[1], matrix)]
    if b is not None:
        operands.append(call.builder.constant(call.names[2], b))
    y = call.builder.emit(Linear(), operands, name)
    return call.builder.view(y, (*ahead, w.shape[0]))


def _pixels(call: Call, x: TensorView, w: Floats, b: Floats | None, name: str) -> TensorView:
    """A linear layer of every row of x, as a convolution of 1 by 1 over pixels."""
    last = len(x.shape) - 1
    order = order_of(x)
    if order.perm[-1] != last:
        order = AxisOrder((*(axis for axis in order.perm if axis != last), last))
    shape = order.shape(x.shape)
    value = order.store(call.builder, x)
    if len(shape) != 4 or shape[0] != 1:
        value = call.builder.reshape(value, (1, 1, prod(shape[:-1]), shape[-1]))
    weights = w.reshape(w.shape[0], 1, 1, w.shape[1])
    operands = [value, call.builder.constant(call.names[1], weights)]
    if b is not None:
        operands.append(call.builder.constant(call.names[2], b))
    y = call.builder.emit(Conv2d(), operands, name)
    found = (*x.shape[:-1], w.shape[0])
    return order.view(call.builder.reshape(y, order.shape(found)), found)
