"""Layers with weights: Conv, Gemm, MatMul, BatchNormalization."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_call import Call
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.onnx_window import padding, two
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear

_TO_OHWI = (0, 2, 3, 1)


def conv(call: Call) -> TensorView:
    """Conv over images -> conv2d, or depthwise_conv2d where every channel is its own group."""
    x = call.tensor()
    w = call.weights(1, "W")
    if w.ndim != 4:
        raise GraphError(
            "only convolutions over images are supported",
            expected="weights [O,I,R,S]",
            found=f"{list(w.shape)}",
        )
    image = call.builder.image(x)
    groups = call.integer("group", 1)
    if groups < 1 or w.shape[1] * groups != x.shape[1]:
        raise GraphError(
            "the weights do not fit",
            expected=f"{x.shape[1]} input channels",
            found=f"{w.shape[1]} in each of {groups} groups",
        )
    kernel = w.shape[2:]
    if call.integers("kernel_shape") not in (None, kernel):
        raise GraphError("kernel_shape does not fit the weights", expected=f"{list(kernel)}")
    stride = two(call.integers("strides"), "strides")
    dilation = two(call.integers("dilations"), "dilations")
    pad = padding(call, x.shape[2:], kernel, stride, dilation)
    operands = [image, call.builder.constant(call.names[1], w.transpose(_TO_OHWI))]
    if call.given(2) is not None:
        operands.append(call.builder.constant(call.names[2], call.weights(2, "B")))
    op: Conv2d | DepthwiseConv2d
    if groups == x.shape[1] and groups > 1:
        op = DepthwiseConv2d(stride, pad, dilation)
    else:
        op = Conv2d(stride, pad, dilation, groups)
    y = call.builder.emit(op, operands, call.name)
    _, rows, columns, channels = call.builder.shape(y)
    return call.builder.view(y, (1, channels, rows, columns))


def gemm(call: Call) -> TensorView:
    """Gemm with constant weights -> linear; alpha and beta go into weights and bias."""
    if len(call.tensor().shape) != 2:
        raise GraphError("A must have two dimensions", found=f"{list(call.tensor().shape)}")
    if call.flag("transA"):
        raise GraphError("transA is not supported", expected="0", found="1")
    w = call.weights(1, "B")
    if w.ndim != 2:
        raise GraphError("the weights must have two dimensions", found=f"{list(w.shape)}")
    b = call.weights(2, "C") if call.given(2) is not None else None
    w = w if call.flag("transB") else w.T
    alpha, beta = call.floating("alpha", 1.0), call.floating("beta", 1.0)
    scaled = w if alpha == 1.0 else np.asarray(w.astype(np.float64) * alpha, np.float32)
    if b is not None:
        if b.ndim > 2 or (1,) * (2 - b.ndim) + b.shape not in ((1, 1), (1, w.shape[0])):
            raise GraphError(
                "the bias does not fit", expected=f"{w.shape[0]} numbers", found=f"{list(b.shape)}"
            )
        wide = np.asarray(b if beta == 1.0 else b.astype(np.float64) * beta, np.float32)
        b = np.broadcast_to(wide.reshape(-1), (w.shape[0],))
    return _linear(call, scaled, b)


def mat_mul(call: Call) -> TensorView:
    """MatMul with constant weights on the right -> linear."""
    w = call.weights(1, "B")
    if w.ndim != 2:
        raise GraphError("the weights must have two dimensions", found=f"{list(w.shape)}")
    return _linear(call, w.T, None)


def _linear(
    call: Call, w: npt.NDArray[np.float32], b: npt.NDArray[np.float32] | None
) -> TensorView:
    """Linear over the last axis of x, in whatever order it is stored: the weights follow.

    So the flattened channels of an image (C, H, W) meet their weights without being reordered.
    """
    x = call.tensor()
    *ahead, inputs = x.shape
    if any(extent != 1 for extent in ahead) or inputs != w.shape[1]:
        raise GraphError(
            "the operand does not fit the weights",
            expected=f"[1,{w.shape[1]}]",
            found=f"{list(x.shape)}",
        )
    order = x.order
    sizes = [atom.size for atom in order]
    perm = [order.index(atom) for atom in x.storage]
    axes = (0, *(1 + place for place in perm))
    matrix = w.reshape(w.shape[0], *sizes).transpose(axes).reshape(w.shape)
    vector = call.builder.stored(x, x.storage, (1, inputs))
    operands = [vector, call.builder.constant(call.names[1], matrix)]
    if b is not None:
        operands.append(call.builder.constant(call.names[2], b))
    y = call.builder.emit(Linear(), operands, call.name)
    return call.builder.view(y, (*ahead, w.shape[0]))


def batch_normalization(call: Call) -> TensorView:
    """BatchNormalization at inference -> batch_norm; its channels are axis 1.

    Source: ONNX operators, BatchNormalization: before opset 14 there is no `training_mode`, but
    with more than one output it is the training form. Those outputs say so even if nothing reads
    them.
    """
    x = call.tensor()
    if call.flag("training_mode") or (call.opset < 14 and call.outputs > 1):
        raise GraphError(
            "a batch norm in training mode, which takes the statistics of the batch",
            expected="one output" if call.opset < 14 else "training_mode 0",
            found=f"{call.outputs} outputs" if call.opset < 14 else "1",
            hint="export the model in eval mode",
        )
    call.only_output()
    if len(x.shape) not in (2, 4):
        raise GraphError("only ranks 2 and 4 are supported", found=f"{list(x.shape)}")
    parameters = [
        call.builder.constant(call.names[index], call.weights(index, what))
        for index, what in enumerate(("scale", "B", "input_mean", "input_var"), start=1)
    ]
    op = BatchNorm(call.floating("epsilon", 1e-5))
    if not (call.weights(4, "input_var").astype(np.float64) + op.eps > 0.0).all():
        raise WeightsError("input_var and epsilon have no positive sum, of which a root is taken")
    y = call.builder.emit(op, [call.builder.natural(x), *parameters], call.name)
    return call.builder.view(y, x.shape)
