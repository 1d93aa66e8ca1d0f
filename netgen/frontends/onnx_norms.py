"""Normalisations in terms of means, products and roots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, axis_of
from netgen.frontends.onnx_elementwise import quotient_of_root
from netgen.frontends.onnx_order import emit_aligned
from netgen.frontends.onnx_reductions import reduced
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ops.absolute import Absolute
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.div import Div
from netgen.ops.mul import Mul
from netgen.ops.power import Power
from netgen.ops.reduce_mean import ReduceMean
from netgen.ops.reduce_sum import ReduceSum
from netgen.ops.sqrt import Sqrt
from netgen.ops.sub import Sub


def instance_normalization(call: Call) -> TensorView:
    """InstanceNormalization: each channel less its mean, over the root of its variance."""
    x, axes = call.tensor(), range(2, len(call.tensor().shape))
    name = call.name
    scale, shift = (call.weights(index, what) for index, what in ((1, "scale"), (2, "B")))
    shape = (1, -1, *(1 for _ in axes))
    mean = reduced(call, x, ReduceMean, axes, f"{name}.mean")
    centred = emit_aligned(call, Sub(), [x, mean], f"{name}.centred")
    square = replace(centred, value=call.builder.emit(Mul(), [centred.value] * 2, f"{name}.square"))
    variance = reduced(call, square, ReduceMean, axes, f"{name}.variance")
    y = quotient_of_root(call, centred, variance, call.floating("epsilon", 1e-5))
    y = emit_aligned(call, Mul(), [y, scale.reshape(shape)], f"{name}.scaled")
    return emit_aligned(call, Add(), [y, shift.reshape(shape)], name)


def lp_normalization(call: Call) -> TensorView:
    """LpNormalization along one axis: by sizes (p = 1), or by the root of squares (p = 2).

    Source: ONNX operators, LpNormalization: what has the size zero stays zero.
    """
    x, p = call.tensor(), call.integer("p", 2)
    axis = axis_of(call.integer("axis", -1), len(x.shape))
    if p not in (1, 2):
        raise GraphError("only p of 1 and 2 are supported", found=str(p))
    emit = call.builder.emit
    sizes = emit(Mul(), [x.value] * 2, f"{call.name}.squares") if p == 2 else ""
    sizes = sizes or emit(Absolute(), [x.value], f"{call.name}.sizes")
    total = reduced(call, replace(x, value=sizes), ReduceSum, [axis], f"{call.name}.total")
    if p == 2:
        total = replace(total, value=emit(Sqrt(), [total.value], f"{call.name}.root"))
    # The least number that is not zero, where all are: zero by it is zero.
    least = np.array(np.finfo(np.float32).tiny)
    total = emit_aligned(call, Add(), [total, least], f"{call.name}.size")
    return emit_aligned(call, Div(), [x, total], call.name)


def mean_variance_normalization(call: Call) -> TensorView:
    """MeanVarianceNormalization: x less its mean along some axes, over its deviation and 1e-9."""
    x, name = call.tensor(), call.name
    along = normalised_axes(call, len(x.shape))
    mean = reduced(call, x, ReduceMean, along, f"{name}.mean")
    centred = emit_aligned(call, Sub(), [x, mean], f"{name}.centred")
    square = replace(centred, value=call.builder.emit(Mul(), [centred.value] * 2, f"{name}.square"))
    variance = reduced(call, square, ReduceMean, along, f"{name}.variance")
    root = replace(variance, value=call.builder.emit(Sqrt(), [variance.value], f"{name}.root"))
    size = call.builder.affine(root, np.ones(1), np.array([1e-9]), f"{name}.size")
    return emit_aligned(call, Div(), [centred, size], name)


def normalised_axes(call: Call, rank: int) -> list[int]:
    """The axes of a MeanVarianceNormalization."""
    axes = call.integers("axes")
    return [axis_of(axis, rank) for axis in ((0, 2, 3) if axes is None else axes)]


def lrn(call: Call) -> TensorView:
    """LRN: x over a power of the bias and the mean square of neighbouring channels.

    Sums over neighbours are a convolution of 1 by 1, whose weights are a band of equal numbers.
    """
    x, size = call.tensor(), call.integer("size")
    if len(x.shape) != 4 or x.shape[0] != 1:
        raise GraphError("only images are supported", found=f"{list(x.shape)}")
    if size < 1:
        raise GraphError("a sum over no channels", expected="a size of at least 1", found=str(size))
    alpha, beta = call.floating("alpha", 1e-4), call.floating("beta", 0.75)
    channels, name = x.shape[1], call.name
    call.budget.take(channels * channels)
    image = call.builder.image(x)
    square = call.builder.emit(Mul(), [image, image], f"{name}.square")
    far = np.arange(channels) - np.arange(channels)[:, None]
    near = (far >= -((size - 1) // 2)) & (far <= size // 2)
    weights = (near * (alpha / size)).reshape(channels, 1, 1, channels)
    operands = [
        square,
        call.builder.constant(f"{name}.w", weights),
        call.builder.constant(f"{name}.b", np.full(channels, call.floating("bias", 1.0))),
    ]
    total = call.builder.emit(Conv2d(), operands, f"{name}.total")
    factor = call.builder.emit(Power(-beta), [total], f"{name}.factor")
    return call.builder.view(call.builder.emit(Mul(), [image, factor], name), x.shape)
