"""The operators: attributes, type rule, NumPy meaning, cost and DSL function, one file each.

This list is the registry; adding an operator adds one line.
"""

from netgen.dsl.tensor import constant
from netgen.ir.registry import REGISTRY
from netgen.ops.add import Add, add
from netgen.ops.assign import Assign
from netgen.ops.avg_pool2d import AvgPool2d, avg_pool2d
from netgen.ops.batch_norm import BatchNorm, batch_norm
from netgen.ops.channel_map import ChannelMap
from netgen.ops.channel_pad import ChannelPad, channel_pad
from netgen.ops.channel_shuffle import ChannelShuffle, channel_shuffle
from netgen.ops.channel_slice import ChannelSlice, channel_slice, split
from netgen.ops.concat import Concat, concat
from netgen.ops.conv2d import Conv2d, conv2d
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
from netgen.ops.mul import Mul, mul
from netgen.ops.pad import Pad, pad
from netgen.ops.quantize import Quantize, quantize
from netgen.ops.relu import Relu, relu
from netgen.ops.relu6 import Relu6, relu6
from netgen.ops.reshape import Reshape, flatten, reshape
from netgen.ops.sigmoid import Sigmoid, sigmoid
from netgen.ops.softmax import Softmax, softmax
from netgen.ops.spatial_slice import SpatialSlice, spatial_slice
from netgen.ops.transpose import Transpose, transpose

REGISTRY.add(
    Add,
    Assign,
    AvgPool2d,
    BatchNorm,
    ChannelMap,
    ChannelPad,
    ChannelShuffle,
    ChannelSlice,
    Concat,
    Conv2d,
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
    Mul,
    Pad,
    Quantize,
    Relu,
    Relu6,
    Reshape,
    Sigmoid,
    Softmax,
    SpatialSlice,
    Transpose,
)

__all__ = [
    "add",
    "avg_pool2d",
    "batch_norm",
    "channel_pad",
    "channel_shuffle",
    "channel_slice",
    "concat",
    "constant",
    "conv2d",
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
    "mul",
    "pad",
    "quantize",
    "relu",
    "relu6",
    "reshape",
    "sigmoid",
    "softmax",
    "spatial_slice",
    "split",
    "transpose",
]
