"""TensorFlow Lite's operators in terms of netgen's: one function each."""

from __future__ import annotations

from netgen.frontends.tflite import (
    broadcasting,
    dilated,
    elementwise,
    padding,
    picked,
    reduced,
    resize,
    unary,
    views,
)
from netgen.frontends.tflite.call import Mapping
from netgen.frontends.tflite.fold import shape
from netgen.frontends.tflite.images import of_images
from netgen.frontends.tflite.layers import conv_2d, depthwise_conv_2d, fully_connected
from netgen.frontends.tflite.products import batch_matmul
from netgen.frontends.tflite.transposed import transpose_conv, transpose_conv_of_mediapipe
from netgen.frontends.tflite.window import average_pool_2d, max_pool_2d

# Used where an input is activations; where all inputs are known, FOLDS has its word.
MAPPINGS: dict[str, Mapping] = {
    "ADD": elementwise.add,
    "ARG_MAX": reduced.arg_max,
    "ARG_MIN": reduced.arg_min,
    "AVERAGE_POOL_2D": of_images(average_pool_2d),
    "BATCH_MATMUL": batch_matmul,
    "BATCH_TO_SPACE_ND": dilated.batch_to_space,
    "BROADCAST_TO": broadcasting.broadcast_to,
    "CAST": elementwise.cast,
    "CONCATENATION": views.concatenation,
    "CONV_2D": of_images(conv_2d),
    "CUSTOM Convolution2DTransposeBias": transpose_conv_of_mediapipe,
    "DEPTHWISE_CONV_2D": of_images(depthwise_conv_2d),
    "DEPTH_TO_SPACE": of_images(resize.depth_to_space),
    "DEQUANTIZE": elementwise.dequantize,
    "DIV": elementwise.div,
    "EXPAND_DIMS": views.expand_dims,
    "FULLY_CONNECTED": fully_connected,
    "GATHER": picked.gather,
    "GATHER_ND": picked.gather_nd,
    "HARD_SWISH": elementwise.hard_swish,
    "LEAKY_RELU": elementwise.leaky_relu,
    "LOGISTIC": elementwise.logistic,
    "MAX_POOL_2D": of_images(max_pool_2d),
    "MAXIMUM": reduced.maximum,
    "MEAN": reduced.mean,
    "MINIMUM": reduced.minimum,
    "MIRROR_PAD": padding.mirror_pad,
    "MUL": elementwise.mul,
    "PACK": views.pack,
    "PAD": padding.pad,
    "PADV2": padding.pad,
    "PRELU": elementwise.prelu,
    "QUANTIZE": elementwise.quantize,
    "REDUCE_MAX": reduced.reduce_max,
    "REDUCE_MIN": reduced.reduce_min,
    "RELU": elementwise.relu,
    "RELU6": elementwise.relu6,
    "RELU_N1_TO_1": elementwise.relu_n1_to_1,
    "RESHAPE": views.reshape,
    "RESIZE_BILINEAR": of_images(resize.resize_bilinear),
    "RESIZE_NEAREST_NEIGHBOR": of_images(resize.resize_nearest_neighbor),
    "REVERSE_V2": picked.reverse,
    "SHAPE": shape,
    "SLICE": views.slices,
    "SOFTMAX": elementwise.softmax,
    "SPACE_TO_BATCH_ND": dilated.space_to_batch,
    "SPACE_TO_DEPTH": of_images(resize.space_to_depth),
    "SPLIT": views.split,
    "SPLIT_V": views.split_v,
    "SQUEEZE": views.squeeze,
    "STRIDED_SLICE": views.strided_slice,
    "SUB": elementwise.sub,
    "SUM": reduced.total,
    "TANH": elementwise.tanh,
    "TILE": broadcasting.tile,
    "TRANSPOSE": views.transpose,
    "TRANSPOSE_CONV": transpose_conv,
    "UNPACK": views.unpack,
    **unary.MAPPINGS,
}
