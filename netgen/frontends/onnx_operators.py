"""ONNX's operators in terms of netgen's: one function each, listed in MAPPINGS."""

from __future__ import annotations

from netgen.frontends import onnx_reshapes as views
from netgen.frontends.onnx_activations import ACTIVATIONS
from netgen.frontends.onnx_call import ValueMapping
from netgen.frontends.onnx_elementwise import add, arg_max, div, mul, prelu, softmax, sub
from netgen.frontends.onnx_layers import batch_normalization, conv, gemm, mat_mul
from netgen.frontends.onnx_pooling import (
    average_pool,
    global_average_pool,
    max_pool,
    reduce_mean,
)
from netgen.frontends.onnx_resize import conv_transpose, depth_to_space, resize, space_to_depth
from netgen.frontends.onnx_slices import concat, gather, pad, slices, split

# Used where an input is activations; where all inputs are known, FOLDS has its word first.
MAPPINGS: dict[str, ValueMapping] = {
    **{activation.operator: activation.mapping for activation in ACTIVATIONS},
    "Add": add,
    "ArgMax": arg_max,
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": views.cast,
    "Concat": concat,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DepthToSpace": depth_to_space,
    "Div": div,
    "Dropout": views.dropout,
    "Flatten": views.flatten,
    "Gather": gather,
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "Identity": views.identity,
    "MatMul": mat_mul,
    "MaxPool": max_pool,
    "Mul": mul,
    "PRelu": prelu,
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "Reshape": views.reshape,
    "Resize": resize,
    "Shape": views.shape,
    "Size": views.size,
    "Slice": slices,
    "Softmax": softmax,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": views.squeeze,
    "Sub": sub,
    "Transpose": views.transpose,
    "Unsqueeze": views.unsqueeze,
}
