"""Layers with weights over images: Conv, BatchNormalization."""

from __future__ import annotations

import numpy as np

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_call import Call
from netgen.frontends.onnx_order import AxisOrder, order_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.onnx_window import padding, two
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d

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
    if len(x.shape) < 2:
        raise GraphError("a tensor without channels", found=f"{list(x.shape)}")
    order = order_of(x)
    if order.perm[-1] != 1:
        order = AxisOrder((*(axis for axis in order.perm if axis != 1), 1))
    parameters = [
        call.builder.constant(call.names[index], call.weights(index, what))
        for index, what in enumerate(("scale", "B", "input_mean", "input_var"), start=1)
    ]
    op = BatchNorm(call.floating("epsilon", 1e-5))
    if not (call.weights(4, "input_var").astype(np.float64) + op.eps > 0.0).all():
        raise WeightsError("input_var and epsilon have no positive sum, of which a root is taken")
    y = call.builder.emit(op, [order.store(call.builder, x), *parameters], call.name)
    return order.view(y, x.shape)
