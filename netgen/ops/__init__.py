"""The operators: attributes, type rule, NumPy meaning, cost and DSL function, one file each.

This list is the registry; adding an operator adds one line.
"""

from netgen.dsl.tensor import constant
from netgen.ir.registry import REGISTRY
from netgen.ops.absolute import Absolute, absolute
from netgen.ops.add import Add, add
from netgen.ops.argmax import Argmax, argmax
from netgen.ops.assign import Assign
from netgen.ops.avg_pool2d import AvgPool2d, avg_pool2d
from netgen.ops.batch_norm import BatchNorm, batch_norm
from netgen.ops.ceil import Ceil, ceil
from netgen.ops.channel_map import ChannelMap
from netgen.ops.channel_pad import ChannelPad, channel_pad
from netgen.ops.channel_shuffle import ChannelShuffle, channel_shuffle
from netgen.ops.channel_slice import ChannelSlice, channel_slice, split
from netgen.ops.clip import Clip, clip
from netgen.ops.concat import Concat, concat
from netgen.ops.conv2d import Conv2d, conv2d
from netgen.ops.depth_to_space import (
    DepthToSpace,
    SpaceToDepth,
    depth_to_space,
    space_to_depth,
)
from netgen.ops.depthwise_conv2d import DepthwiseConv2d, depthwise_conv2d
from netgen.ops.dequantize import Dequantize, dequantize
from netgen.ops.div import Div, div
from netgen.ops.dropout import Dropout, dropout
from netgen.ops.elu import Elu, elu
from netgen.ops.equal import Equal, equal
from netgen.ops.erf import Erf, erf
from netgen.ops.exp import Exp, exp
from netgen.ops.expand import Expand, expand
from netgen.ops.floor import Floor, floor
from netgen.ops.gelu import Gelu, gelu
from netgen.ops.gelu_tanh import GeluTanh, gelu_tanh
from netgen.ops.global_avg_pool import GlobalAvgPool, global_avg_pool
from netgen.ops.global_sum_pool import GlobalSumPool, global_sum_pool
from netgen.ops.hard_sigmoid import HardSigmoid, hard_sigmoid
from netgen.ops.hard_swish import HardSwish, hard_swish
from netgen.ops.identity import Identity, identity
from netgen.ops.l2_normalize import L2Normalize, l2_normalize
from netgen.ops.leaky_relu import LeakyRelu, leaky_relu
from netgen.ops.less import Less, less
from netgen.ops.less_or_equal import LessOrEqual, less_or_equal
from netgen.ops.linear import Linear, linear
from netgen.ops.log import Log, log
from netgen.ops.log_softmax import LogSoftmax, log_softmax
from netgen.ops.matmul import Matmul, matmul
from netgen.ops.max_pool2d import MaxPool2d, max_pool2d
from netgen.ops.maximum import Maximum, maximum
from netgen.ops.minimum import Minimum, minimum
from netgen.ops.mirror_pad import MirrorPad, mirror_pad
from netgen.ops.mish import Mish, mish
from netgen.ops.mul import Mul, mul
from netgen.ops.normalize import Normalize
from netgen.ops.pad import Pad, pad
from netgen.ops.power import Power, power
from netgen.ops.prelu import Prelu, prelu
from netgen.ops.quantize import Quantize, quantize
from netgen.ops.reduce_max import ReduceMax, reduce_max
from netgen.ops.reduce_mean import ReduceMean, reduce_mean
from netgen.ops.reduce_min import ReduceMin, reduce_min
from netgen.ops.reduce_prod import ReduceProd, reduce_prod
from netgen.ops.reduce_sum import ReduceSum, reduce_sum
from netgen.ops.relu import Relu, relu
from netgen.ops.relu6 import Relu6, relu6
from netgen.ops.relu_n1_to_1 import ReluN1To1, relu_n1_to_1
from netgen.ops.rescale import Rescale, rescale
from netgen.ops.reshape import Reshape, flatten, reshape
from netgen.ops.resize_bilinear import ResizeBilinear, resize_bilinear
from netgen.ops.resize_nearest import ResizeNearest, resize_nearest
from netgen.ops.round_even import RoundEven, round_even
from netgen.ops.rsqrt import Rsqrt, rsqrt
from netgen.ops.selu import Selu, selu
from netgen.ops.sigmoid import Sigmoid, sigmoid
from netgen.ops.sign import Sign, sign
from netgen.ops.silu import Silu, silu
from netgen.ops.softmax import Softmax, softmax
from netgen.ops.softplus import Softplus, softplus
from netgen.ops.softsign import Softsign, softsign
from netgen.ops.spatial_slice import SpatialSlice, spatial_slice
from netgen.ops.sqrt import Sqrt, sqrt
from netgen.ops.squared_difference import SquaredDifference, squared_difference
from netgen.ops.strided_slice import StridedSlice, strided_slice
from netgen.ops.sub import Sub, sub
from netgen.ops.table import Table, table
from netgen.ops.tanh import Tanh, tanh
from netgen.ops.thresholded_relu import ThresholdedRelu, thresholded_relu
from netgen.ops.transpose import Transpose, transpose
from netgen.ops.transpose_conv2d import TransposeConv2d, transpose_conv2d
from netgen.ops.where import Where, where

REGISTRY.add(
    Add,
    Argmax,
    Assign,
    AvgPool2d,
    BatchNorm,
    ChannelMap,
    ChannelPad,
    ChannelShuffle,
    ChannelSlice,
    Concat,
    Conv2d,
    DepthToSpace,
    DepthwiseConv2d,
    Dequantize,
    Dropout,
    GlobalAvgPool,
    GlobalSumPool,
    HardSigmoid,
    HardSwish,
    Identity,
    LeakyRelu,
    Linear,
    MaxPool2d,
    MirrorPad,
    Mul,
    Normalize,
    Pad,
    Prelu,
    Quantize,
    Relu,
    Relu6,
    Rescale,
    ReluN1To1,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Sigmoid,
    Softmax,
    SpaceToDepth,
    SpatialSlice,
    Sub,
    Tanh,
    Div,
    Minimum,
    Maximum,
    Less,
    LessOrEqual,
    Equal,
    Where,
    ReduceSum,
    ReduceMean,
    ReduceMax,
    ReduceMin,
    ReduceProd,
    Matmul,
    StridedSlice,
    Expand,
    Table,
    Absolute,
    Exp,
    Log,
    Sqrt,
    Power,
    Floor,
    Ceil,
    RoundEven,
    Sign,
    Erf,
    Gelu,
    GeluTanh,
    Silu,
    Softplus,
    Mish,
    Softsign,
    Selu,
    Elu,
    ThresholdedRelu,
    Clip,
    Transpose,
    TransposeConv2d,
    SquaredDifference,
    Rsqrt,
    L2Normalize,
    LogSoftmax,
)

__all__ = [
    "absolute",
    "add",
    "argmax",
    "avg_pool2d",
    "batch_norm",
    "ceil",
    "channel_pad",
    "channel_shuffle",
    "channel_slice",
    "clip",
    "concat",
    "constant",
    "conv2d",
    "depth_to_space",
    "depthwise_conv2d",
    "dequantize",
    "div",
    "dropout",
    "elu",
    "equal",
    "erf",
    "exp",
    "expand",
    "flatten",
    "floor",
    "gelu",
    "gelu_tanh",
    "global_avg_pool",
    "global_sum_pool",
    "hard_sigmoid",
    "hard_swish",
    "identity",
    "l2_normalize",
    "leaky_relu",
    "less",
    "less_or_equal",
    "linear",
    "log",
    "log_softmax",
    "matmul",
    "max_pool2d",
    "maximum",
    "minimum",
    "mirror_pad",
    "mish",
    "mul",
    "pad",
    "power",
    "prelu",
    "quantize",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "relu",
    "relu6",
    "relu_n1_to_1",
    "rescale",
    "reshape",
    "resize_bilinear",
    "resize_nearest",
    "round_even",
    "rsqrt",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "space_to_depth",
    "spatial_slice",
    "split",
    "sqrt",
    "squared_difference",
    "strided_slice",
    "sub",
    "table",
    "tanh",
    "thresholded_relu",
    "transpose",
    "transpose_conv2d",
    "where",
]
