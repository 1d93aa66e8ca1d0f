"""The operators: attributes, type rule, NumPy meaning, cost and DSL function, one file each.

This list is the registry; adding an operator adds one line.
"""

from netgen.ir.operator import REGISTRY
from netgen.ops.add import Add, add
from netgen.ops.batch_norm import BatchNorm, batch_norm
from netgen.ops.conv2d import Conv2d, conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d, depthwise_conv2d
from netgen.ops.dropout import Dropout, dropout
from netgen.ops.global_avg_pool import GlobalAvgPool, global_avg_pool
from netgen.ops.hard_swish import HardSwish, hard_swish
from netgen.ops.identity import Identity, identity
from netgen.ops.linear import Linear, linear
from netgen.ops.pad import Pad, pad
from netgen.ops.relu import Relu, relu
from netgen.ops.relu6 import Relu6, relu6
from netgen.ops.reshape import Reshape, flatten, reshape

REGISTRY.add(
    Add,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Dropout,
    GlobalAvgPool,
    HardSwish,
    Identity,
    Linear,
    Pad,
    Relu,
    Relu6,
    Reshape,
)

__all__ = [
    "add",
    "batch_norm",
    "conv2d",
    "depthwise_conv2d",
    "dropout",
    "flatten",
    "global_avg_pool",
    "hard_swish",
    "identity",
    "linear",
    "pad",
    "relu",
    "relu6",
    "reshape",
]
