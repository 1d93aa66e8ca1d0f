"""ONNX's operators in terms of netgen's: one function each, listed in MAPPINGS."""

from __future__ import annotations

from netgen.frontends import onnx_reshapes as views
from netgen.frontends.onnx_activations import ACTIVATIONS, celu
from netgen.frontends.onnx_call import ValueMapping
from netgen.frontends.onnx_codes import dequantize_linear, quantize_linear
from netgen.frontends.onnx_elementwise import (
    add,
    compare,
    div,
    divided_by_count,
    logical_not,
    mul,
    negative,
    power,
    prelu,
    reciprocal,
    several,
    sub,
    where,
)
from netgen.frontends.onnx_images import of_images
from netgen.frontends.onnx_joins import concat, expand, pad, tile
from netgen.frontends.onnx_layers import batch_normalization, conv
from netgen.frontends.onnx_norms import (
    instance_normalization,
    lp_normalization,
    lrn,
    mean_variance_normalization,
)
from netgen.frontends.onnx_pooling import average_pool, max_pool
from netgen.frontends.onnx_products import gemm, mat_mul
from netgen.frontends.onnx_reductions import (
    REDUCTIONS,
    arg_max,
    arg_min,
    global_average_pool,
    global_max_pool,
    log_softmax,
    softmax,
)
from netgen.frontends.onnx_resize import conv_transpose, depth_to_space, resize, space_to_depth
from netgen.frontends.onnx_slices import gather, slices, split
from netgen.ops.add import Add
from netgen.ops.equal import Equal
from netgen.ops.less import Less
from netgen.ops.less_or_equal import LessOrEqual
from netgen.ops.maximum import Maximum
from netgen.ops.minimum import Minimum

# Used where an input is activations; where all inputs are known, FOLDS has its word first.
MAPPINGS: dict[str, ValueMapping] = {
    **{activation.operator: activation.mapping for activation in ACTIVATIONS},
    "Add": add,
    "And": several(Minimum()),
    "ArgMax": arg_max,
    "ArgMin": arg_min,
    "AveragePool": of_images(average_pool),
    "BatchNormalization": batch_normalization,
    "Cast": views.cast,
    "Celu": celu,
    "Concat": concat,
    "Conv": of_images(conv),
    "ConvTranspose": of_images(conv_transpose),
    "DepthToSpace": of_images(depth_to_space),
    "Div": div,
    "Equal": compare(Equal()),
    "Expand": expand,
    "GlobalMaxPool": global_max_pool,
    "Greater": compare(Less(), exchanged=True),
    "GreaterOrEqual": compare(LessOrEqual(), exchanged=True),
    "InstanceNormalization": instance_normalization,
    "LRN": lrn,
    "Less": compare(Less()),
    "LessOrEqual": compare(LessOrEqual()),
    "LogSoftmax": log_softmax,
    "LpNormalization": lp_normalization,
    "Max": several(Maximum()),
    "MeanVarianceNormalization": mean_variance_normalization,
    "Mean": several(Add(), divided_by_count),
    "Min": several(Minimum()),
    "Neg": negative,
    "Not": logical_not,
    "Or": several(Maximum()),
    "Pow": power,
    "Reciprocal": reciprocal,
    "Sum": several(Add()),
    "Tile": tile,
    "Where": where,
    "Xor": compare(Equal(), negated=True),
    "DequantizeLinear": dequantize_linear,
    "Dropout": views.dropout,
    "Flatten": views.flatten,
    "Gather": gather,
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "Identity": views.identity,
    "MatMul": mat_mul,
    "MaxPool": of_images(max_pool),
    "Mul": mul,
    "PRelu": prelu,
    "Pad": pad,
    **REDUCTIONS,
    "QuantizeLinear": quantize_linear,
    "Reshape": views.reshape,
    "Resize": of_images(resize),
    "Shape": views.shape,
    "Size": views.size,
    "Slice": slices,
    "Softmax": softmax,
    "SpaceToDepth": of_images(space_to_depth),
    "Split": split,
    "Squeeze": views.squeeze,
    "Sub": sub,
    "Transpose": views.transpose,
    "Unsqueeze": views.unsqueeze,
}
