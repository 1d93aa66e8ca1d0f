"""Small models of every operator that the reader knows, by name of operator."""

from __future__ import annotations

from collections.abc import Callable

from tests.frontends.tflite.operator_models import (
    IMAGE,
    alone,
    arg_max,
    by_constant,
    channels_first,
    codes,
    concatenation,
    convolution,
    dense,
    depthwise,
    dilated,
    elementwise_of_codes,
    flatten_by_shape,
    gated_by_hard_sigmoid,
    half_weights,
    hard_swish_written_out,
    mean,
    mean_of_codes,
    mirrored,
    moved_codes,
    packed,
    pad,
    padded_convolution,
    padded_maximum,
    pooling,
    resized,
    shuffle,
    slopes,
    split,
    split_v,
    transposed_convolution,
    two,
    unpacked,
    with_integers,
)
from tests.frontends.tflite.reduced_cases import FURTHER, WIDER
from tests.frontends.tflite.tflite_models import RELU, RELU6, RELU_N1_TO_1, SAME, VALID, Model

Build = Callable[[], Model]

OPERATORS: dict[str, tuple[Build, ...]] = {
    "ADD": (
        lambda: two("ADD"),
        lambda: two("ADD", act=RELU),
        lambda: two("ADD", b=(1, 1, 1, 6)),
        lambda: two("ADD", a=(6,), act=RELU6),
        lambda: by_constant("ADD", (6,)),
        lambda: by_constant("ADD", ()),
        lambda: by_constant("ADD", IMAGE, first=True, act=RELU),
        lambda: by_constant("ADD", (6,), act=RELU_N1_TO_1),
        lambda: elementwise_of_codes("ADD", "int8", b=IMAGE),
        lambda: elementwise_of_codes("ADD", "uint8", b=(6,), act=RELU6),
        lambda: elementwise_of_codes("ADD", "int8", b=(), constant="b"),
        lambda: elementwise_of_codes("ADD", "int8", a=(6,), b=IMAGE, constant="a", act=RELU),
    ),
    "ARG_MAX": (
        lambda: arg_max(IMAGE),
        lambda: arg_max((1, 7), "int64"),
        lambda: arg_max((1, 5, 7), axis=2),
    ),
    "AVERAGE_POOL_2D": (
        lambda: pooling("AVERAGE_POOL_2D", (3, 2), (2, 1), SAME),
        lambda: pooling("AVERAGE_POOL_2D", (2, 3), (1, 2), VALID, RELU),
        lambda: pooling("AVERAGE_POOL_2D", (9, 8), (3, 4), VALID),
    ),
    "BATCH_TO_SPACE_ND": (
        lambda: dilated("CONV_2D", (2, 2), ((2, 3), (2, 2)), ((0, 1), (0, 0)), act=RELU6),
        lambda: dilated("DEPTHWISE_CONV_2D", (3, 4), ((3, 3), (4, 4)), ((0, 0), (1, 2))),
    ),
    "CONCATENATION": (
        lambda: concatenation(3, IMAGE, (1, 9, 8, 2)),
        lambda: concatenation(-1, (1, 4), (1, 3)),
        lambda: concatenation(1, IMAGE, (1, 2, 8, 6)),
        lambda: concatenation(2, IMAGE, (1, 9, 1, 6), IMAGE),
        lambda: concatenation(1, (1, 5, 3), (1, 4, 3)),
    ),
    "CONV_2D": (
        convolution,
        lambda: convolution(padding=VALID, stride=(2, 3), act=RELU),
        lambda: convolution(stride=(2, 2), act=RELU6),
        lambda: convolution(dilation=(2, 3), weights=(4, 3, 2, 6)),
        lambda: convolution(stride=(3, 3), weights=(4, 1, 2, 6)),
        lambda: convolution(weights=(4, 3, 3, 3)),
        lambda: convolution(weights=(12, 3, 3, 1)),
        padded_convolution,
        channels_first,
    ),
    "DEPTHWISE_CONV_2D": (
        depthwise,
        lambda: depthwise(weights=(1, 3, 3, 12), stride=(2, 2), act=RELU6),
        lambda: depthwise(dilation=(2, 2), padding=VALID, act=RELU, bias=False),
        lambda: depthwise(shape=(1, 9, 8, 1), weights=(1, 3, 5, 4)),
    ),
    "DEPTH_TO_SPACE": (
        lambda: alone("DEPTH_TO_SPACE", (1, 3, 5, 24), BlockSize=2),
        lambda: alone("DEPTH_TO_SPACE", (1, 2, 1, 9), BlockSize=3),
    ),
    "DEQUANTIZE": (half_weights, codes, moved_codes),
    "DIV": (lambda: by_constant("DIV", (6,)), lambda: by_constant("DIV", (), act=RELU)),
    "EXPAND_DIMS": (
        lambda: with_integers("EXPAND_DIMS", (1, 4, 6), (1,)),
        lambda: with_integers("EXPAND_DIMS", (1, 4), (-1,)),
    ),
    "FULLY_CONNECTED": (
        lambda: dense((1, 12), 5, 12, act=RELU),
        lambda: dense((1, 3, 4, 2), 5, 24),
        lambda: dense((1, 3, 4, 2), 5, 2, keep=True),
        lambda: dense((1, 6, 4), 5, 8, act=RELU6),
    ),
    "HARD_SWISH": (
        lambda: alone("HARD_SWISH"), hard_swish_written_out, gated_by_hard_sigmoid,
        lambda: elementwise_of_codes("HARD_SWISH", "int8"),
    ),
    "LEAKY_RELU": (
        lambda: alone("LEAKY_RELU", Alpha=0.125),
        lambda: elementwise_of_codes("LEAKY_RELU", "int8", Alpha=-0.25),
    ),
    "LOGISTIC": (
        lambda: alone("LOGISTIC"), lambda: elementwise_of_codes("LOGISTIC", "uint8"),
    ),
    "MAX_POOL_2D": (
        lambda: pooling("MAX_POOL_2D", (3, 2), (2, 1), SAME, RELU6),
        lambda: pooling("MAX_POOL_2D", (2, 2), (2, 2), VALID),
    ),
    "MEAN": (
        lambda: mean(IMAGE, 1, 2),
        lambda: mean(IMAGE, 2, 1, keep=True),
        lambda: mean((1, 7, 5), 1),
        lambda: mean(IMAGE, -1, keep=True),
        lambda: mean(IMAGE, 1),
        lambda: mean((1, 6), 1),
        lambda: mean_of_codes("int8", 0.03125, 0.0071, 3, 1, 2),
        lambda: mean_of_codes("uint8", 0.02, 0.02, 130, 2, 1),
        lambda: mean_of_codes("int8", 0.02, 0.004, -9, 3, 1),
    ),
    "MIRROR_PAD": (
        lambda: mirrored(IMAGE, 0, (0, 0), (3, 8), (7, 0), (0, 0)),
        lambda: mirrored(IMAGE, 1, (0, 0), (9, 1), (2, 8), (0, 0)),
    ),
    "MUL": (
        lambda: two("MUL", act=RELU),
        lambda: two("MUL", a=(1, 1, 1, 6)),
        lambda: by_constant("MUL", (1, 1, 1, 6), first=True),
        lambda: by_constant("MUL", IMAGE),
        lambda: elementwise_of_codes("MUL", "int8", b=(1, 1, 1, 6), act=RELU_N1_TO_1),
        lambda: elementwise_of_codes("MUL", "uint8", a=(), b=IMAGE, constant="a"),
    ),
    "PACK": (
        lambda: packed((1, 4, 6), 2, 3),
        lambda: packed((1, 5), -1, 2),
        lambda: packed((1, 3, 4, 2), 1, 2),
        flatten_by_shape,
    ),
    "PAD": (
        lambda: pad(IMAGE, (0, 0), (1, 2), (0, 3), (0, 0)),
        lambda: pad(IMAGE, (0, 0), (0, 0), (0, 0), (1, 2)),
        lambda: pad(IMAGE, (0, 0), (1, 0), (0, 1), (2, 0)),
        lambda: pad((1, 5, 6), (0, 0), (2, 1), (0, 0)),
    ),
    "PADV2": (
        padded_maximum,
        lambda: pad(IMAGE, (0, 0), (1, 2), (0, 3), (0, 0), value=0.0),
        lambda: pad(IMAGE, (0, 0), (1, 2), (0, 3), (0, 0), value=-2.75),
    ),
    "PRELU": (
        lambda: slopes((1, 1, 6)),
        lambda: slopes(IMAGE),
        lambda: slopes(()),
        lambda: two("PRELU", b=(1, 1, 1, 6)),
        lambda: elementwise_of_codes("PRELU", "uint8", b=(1, 1, 6), constant="b"),
    ),
    "QUANTIZE": (codes, lambda: elementwise_of_codes("QUANTIZE", "int8")),
    "RELU": (lambda: alone("RELU"), lambda: alone("RELU", (1, 7)), lambda: alone("RELU", (1,)),
        lambda: elementwise_of_codes("RELU", "int8")),
    "RELU6": (lambda: alone("RELU6"), lambda: elementwise_of_codes("RELU6", "int8")),
    "RELU_N1_TO_1": (
        lambda: alone("RELU_N1_TO_1"), lambda: elementwise_of_codes("RELU_N1_TO_1", "uint8"),
    ),
    "RESHAPE": (
        lambda: with_integers("RESHAPE", IMAGE, (1, -1)),
        lambda: Model({"x": IMAGE}).node("RESHAPE", ["x"], NewShape=[1, 72, 6]),
        shuffle,
    ),
    "RESIZE_BILINEAR": (
        lambda: resized("RESIZE_BILINEAR", (18, 16), centres=True),
        lambda: resized("RESIZE_BILINEAR", (5, 11)),
        lambda: resized("RESIZE_BILINEAR", (20, 3), corners=True),
    ),
    "RESIZE_NEAREST_NEIGHBOR": (
        lambda: resized("RESIZE_NEAREST_NEIGHBOR", (18, 24)),
        lambda: resized("RESIZE_NEAREST_NEIGHBOR", (7, 11), centres=True),
        lambda: resized("RESIZE_NEAREST_NEIGHBOR", (20, 3), corners=True),
    ),
    "SHAPE": (flatten_by_shape,),
    "SLICE": (
        lambda: with_integers("SLICE", IMAGE, (0, 1, 2, 0), (1, 5, -1, 6)),
        lambda: with_integers("SLICE", IMAGE, (0, 0, 0, 2), (-1, -1, -1, 3)),
        lambda: with_integers("SLICE", IMAGE, (0, 3, 1, 1), (1, 2, 7, 4)),
        lambda: with_integers("SLICE", (1, 6, 4), (0, 2, 0), (1, 3, 4)),
    ),
    "SOFTMAX": (
        lambda: alone("SOFTMAX", (1, 7), Beta=1.0),
        lambda: alone("SOFTMAX", Beta=0.5),
        lambda: elementwise_of_codes("SOFTMAX", "int8", Beta=1.0),
        lambda: elementwise_of_codes("SOFTMAX", "uint8", Beta=0.5),
    ),
    "SPACE_TO_BATCH_ND": (
        lambda: dilated("CONV_2D", (3, 1), ((0, 0), (1, 1)), ((0, 0), (0, 0))),
        lambda: dilated(
            "CONV_2D", (3, 4), ((0, 0), (0, 0)), ((2, 1), (0, 3)), padding=SAME, act=RELU
        ),
        lambda: dilated("DEPTHWISE_CONV_2D", (1, 2), ((0, 0), (1, 3)), ((0, 0), (1, 0)), act=RELU),
    ),
    "SPACE_TO_DEPTH": (lambda: alone("SPACE_TO_DEPTH", (1, 6, 9, 4), BlockSize=3),),
    "SPLIT": (lambda: split(IMAGE, 3, 2), lambda: split((1, 6, 4), 1, 3)),
    "SPLIT_V": (lambda: split_v(IMAGE, -1, 1, -1, 2), lambda: split_v(IMAGE, 1, 4, 5)),
    "SQUEEZE": (
        lambda: Model({"x": (1, 1, 1, 6)}).node("SQUEEZE", ["x"], SqueezeDims=[1, 2]),
        lambda: Model({"x": (1, 1, 4, 6)}).node("SQUEEZE", ["x"], SqueezeDims=[-3]),
    ),
    "STRIDED_SLICE": (
        lambda: with_integers(
            "STRIDED_SLICE", IMAGE, (0, 1, 0, 0), (0, -1, 8, 0), (1, 2, 3, 1),
            BeginMask=8, EndMask=9,
        ),
        lambda: with_integers(
            "STRIDED_SLICE", IMAGE, (0, 0, 0, 1), (1, 9, 8, 6), (1, 1, 1, 2)
        ),
        lambda: with_integers(
            "STRIDED_SLICE", IMAGE, (0, -2, 0, 0), (1, 0, 8, 6), (1, 1, 1, 1), ShrinkAxisMask=2
        ),
    ),
    "SUB": (
        lambda: two("SUB"),
        lambda: two("SUB", b=(1, 1, 1, 6), act=RELU),
        lambda: two("SUB", a=(1, 1, 1, 6)),
        lambda: by_constant("SUB", (6,), first=True),
        lambda: by_constant("SUB", ()),
        lambda: elementwise_of_codes("SUB", "int8", b=IMAGE, act=RELU),
        lambda: elementwise_of_codes("SUB", "uint8", a=(1, 1, 1, 6), b=IMAGE),
        lambda: elementwise_of_codes("SUB", "int8", a=(6,), b=IMAGE, constant="a"),
        lambda: elementwise_of_codes("SUB", "int8", b=IMAGE, constant="b"),
    ),
    "TANH": (lambda: alone("TANH"), lambda: elementwise_of_codes("TANH", "int8")),
    "TRANSPOSE_CONV": (
        lambda: transposed_convolution((3, 3), (2, 2), SAME, (18, 16), RELU),
        lambda: transposed_convolution((2, 4), (3, 1), VALID, (27, 11), bias=False),
        lambda: transposed_convolution((1, 5), (2, 3), SAME, (17, 23), RELU6),
    ),
    "TRANSPOSE": (
        lambda: with_integers("TRANSPOSE", IMAGE, (0, 3, 1, 2)),
        lambda: with_integers("TRANSPOSE", (1, 4, 6), (0, 2, 1)),
    ),
    "UNPACK": (lambda: unpacked((1, 4, 6), 1), lambda: unpacked((1, 3, 2, 5), -1)),
}  # fmt: skip
OPERATORS |= FURTHER
OPERATORS |= {operator: (*OPERATORS[operator], *more) for operator, more in WIDER.items()}

CASES = [
    (f"{operator}-{number}", build)
    for operator, builds in OPERATORS.items()
    for number, build in enumerate(builds)
]
