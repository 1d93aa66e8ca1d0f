"""The schema of `.tflite` files: the package that has it, and the options that netgen reads."""

from __future__ import annotations

import importlib
from types import ModuleType

from netgen.errors import MissingExtraError

_POOLING = (
    *("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth"),
    "FusedActivationFunction",
)
_CONVOLUTION = (
    *("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor"),
    "FusedActivationFunction",
)

_RESIZING = ("AlignCorners", "HalfPixelCenters")

# Of each operator the table of its options and the fields that netgen reads.
OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ADD": ("AddOptions", ("FusedActivationFunction", "PotScaleInt16")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOLING),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "CALL_ONCE": ("CallOnceOptions", ("InitSubgraphIndex",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "CONV_2D": ("Conv2DOptions", _CONVOLUTION),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _CONVOLUTION),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "DIV": ("DivOptions", ("FusedActivationFunction",)),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        ("FusedActivationFunction", "WeightsFormat", "KeepNumDims"),
    ),
    "GELU": ("GeluOptions", ("Approximate",)),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "MAX_POOL_2D": ("Pool2DOptions", _POOLING),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "MIRROR_PAD": ("MirrorPadOptions", ("Mode",)),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "PACK": ("PackOptions", ("Axis", "ValuesCount")),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MIN": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_PROD": ("ReducerOptions", ("KeepDims",)),
    "RESHAPE": ("ReshapeOptions", ("NewShape",)),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _RESIZING),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _RESIZING),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "SQUEEZE": ("SqueezeOptions", ("SqueezeDims",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"),
    ),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "SUB": ("SubOptions", ("FusedActivationFunction", "PotScaleInt16")),
    "VAR_HANDLE": ("VarHandleOptions", ("Container", "SharedName")),
    "TRANSPOSE_CONV": (
        "TransposeConvOptions", ("Padding", "StrideH", "StrideW", "FusedActivationFunction"),
    ),
    "UNPACK": ("UnpackOptions", ("Num", "Axis")),
}  # fmt: skip

# Of custom operators that are read the int32 numbers that their options begin with.
CUSTOM_OPTIONS: dict[str, tuple[str, ...]] = {
    "CUSTOM Convolution2DTransposeBias": ("Padding", "StrideW", "StrideH"),
}


def import_schema() -> ModuleType:
    """The classes that flatbuffers' compiler made of TensorFlow Lite's schema.

    Raises MissingExtraError where they are not installed.
    """
    try:
        return importlib.import_module("tflite")
    except ModuleNotFoundError:
        raise MissingExtraError("tflite", "tflite", "reading a .tflite file") from None
