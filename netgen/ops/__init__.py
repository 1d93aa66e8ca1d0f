"""The operators: attributes, type rule, NumPy meaning, cost and DSL function, one file each.

This list is the registry; adding an operator adds one line.
"""

from netgen.dsl.tensor import constant
from netgen.ir.registry import REGISTRY
from netgen.ops.add import Add, add
from netgen.ops.argmax import Argmax, argmax
from netgen.ops.assign import Assign
from netgen.ops.avg_pool2d import AvgPool2d, avg_pool2d
from netgen.ops.batch_norm import BatchNorm, batch_norm
from netgen.ops.channel_map import ChannelMap
from netgen.ops.channel_pad import ChannelPad, channel_pad
from netgen.ops.channel_shuffle import ChannelShuffle, channel_shuffle
from netgen.ops.channel_slice import ChannelSlice, channel_slice, split
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
from netgen.ops.dropout import Dropout, dropout
from netgen.ops.global_avg_pool import GlobalAvgPool, global_avg_pool
from netgen.ops.hard_sigmoid import HardSigmoid, hard_sigmoid
from netgen.ops.hard_swish import HardSwish, hard_swish
from netgen.ops.identity import Identity, identity
from netgen.ops.leaky_relu import LeakyRelu, leaky_relu
from netgen.ops.linear import Linear, linear
from netgen.ops.max_pool2d import MaxPool2d, max_pool2d
from netgen.ops.mirror_pad import MirrorPad, mirror_pad
from netgen.ops.mul import Mul, mul
from netgen.ops.normalize import Normalize
from netgen.ops.pad import Pad, pad
from netgen.ops.prelu import Prelu, prelu
from netgen.ops.quantize import Quantize, quantize
from netgen.ops.relu import Relu, relu
from netgen.ops.relu6 import Relu6, relu6
from netgen.ops.relu_n1_to_1 import ReluN1To1, relu_n1_to_1
from netgen.ops.rescale import Rescale, rescale
from netgen.ops.reshape import Reshape, flatten, reshape
from netgen.ops.resize_bilinear import ResizeBilinear, resize_bilinear
from netgen.ops.resize_nearest import ResizeNearest, resize_nearest
from netgen.ops.sigmoid import Sigmoid, sigmoid
from netgen.ops.softmax import Softmax, softmax
from netgen.ops.spatial_slice import SpatialSlice, spatial_slice
from netgen.ops.sub import Sub, sub
from netgen.ops.tanh import Tanh, tanh
from netgen.ops.transpose import Transpose, transpose
from netgen.ops.transpose_conv2d import TransposeConv2d, transpose_conv2d

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
    Transpose,
    TransposeConv2d,
)

__all__ = [
    "add",
    "argmax",
    "avg_pool2d",
    "batch_norm",
    "channel_pad",
    "channel_shuffle",
    "channel_slice",
    "concat",
    "constant",
    "conv2d",
    "depth_to_space",
    "depthwise_conv2d",
    "dequantize",
    "dropout",
    "flatten",
    "global_avg_pool",
    "hard_sigmoid",
    "hard_swish",
    "identity",
    "leaky_relu",
    "linear",
    "max_pool2d",
    "mirror_pad",
    "mul",
    "pad",
    "prelu",
    "quantize",
    "relu",
    "relu6",
    "relu_n1_to_1",
    "rescale",
    "reshape",
    "resize_bilinear",
    "resize_nearest",
    "sigmoid",
    "softmax",
    "space_to_depth",
    "spatial_slice",
    "split",
    "sub",
    "tanh",
    "transpose",
    "transpose_conv2d",
]
