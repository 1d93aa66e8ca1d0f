"""ONNX's operators in terms of netgen's: one function each, listed in MAPPINGS."""

from __future__ import annotations

from netgen.frontends import onnx_views as views
from netgen.frontends.onnx_call import ValueMapping
from netgen.frontends.onnx_elementwise import (
    add,
    clip,
    div,
    hard_sigmoid,
    mul,
    softmax,
    sub,
    unary,
)
from netgen.frontends.onnx_layers import batch_normalization, conv, gemm, mat_mul
from netgen.frontends.onnx_pooling import (
    average_pool,
    global_average_pool,
    max_pool,
    reduce_mean,
)
from netgen.frontends.onnx_slices import concat, gather, pad, slices, split
from netgen.ops.hard_swish import HardSwish
from netgen.ops.relu import Relu
from netgen.ops.sigmoid import Sigmoid

# Used where an input is activations; where all inputs are known, FOLDS has its word first.
MAPPINGS: dict[str, ValueMapping] = {
    "Add": add,
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": views.cast,
    "Clip": clip,
    "Concat": concat,
    "Conv": conv,
    "Div": div,
    "Dropout": views.dropout,
    "Flatten": views.flatten,
    "Gather": gather,
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": unary(HardSwish()),
    "Identity": views.identity,
    "MatMul": mat_mul,
    "MaxPool": max_pool,
    "Mul": mul,
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "Relu": unary(Relu()),
    "Reshape": views.reshape,
    "Shape": views.shape,
    "Sigmoid": unary(Sigmoid()),
    "Size": views.size,
    "Slice": slices,
    "Softmax": softmax,
    "Split": split,
    "Squeeze": views.squeeze,
    "Sub": sub,
    "Transpose": views.transpose,
    "Unsqueeze": views.unsqueeze,
}
