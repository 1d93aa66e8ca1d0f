"""Cases of operators that reduce, pick, repeat and compare; of functions of one tensor."""

from __future__ import annotations

from collections.abc import Callable

from tests.frontends.tflite.operator_models import (
    IMAGE,
    alone,
    by_constant,
    convolution,
    depthwise,
    elementwise_of_codes,
    mirrored,
    pad,
    pooling,
    resized,
    two,
    with_integers,
)
from tests.frontends.tflite.reduced_models import (
    arg_min,
    beside_a_constant,
    bytes_without_scale,
    channels_first_by,
    compared,
    gathered,
    gathered_at,
    in_codes,
    multiplied,
    of_positive,
    of_version,
    quotient,
    reduced,
    root_of_codes,
    scaled_up,
    sparse_weights,
    weights_as_codes,
    weights_of_four_bits,
)
from tests.frontends.tflite.tflite_models import RELU, SAME, Model

Build = Callable[[], Model]

# Operators that LiteRT's reference kernels do not have.
UNJUDGED = {"CEIL", "ELU", "ROUND"}

COLUMN, ROW = (1, 9, 1, 6), (1, 1, 8, 6)
BATCH = (3, 9, 8, 6)
FLAT = (1, 9, 8, 1)

FURTHER: dict[str, tuple[Build, ...]] = {
    "ABS": (lambda: alone("ABS"),),
    "ARG_MIN": (lambda: arg_min(2), lambda: arg_min(3, "int8"), lambda: arg_min(1, "uint8")),
    "BATCH_MATMUL": (
        lambda: multiplied((1, 3, 5, 4), (1, 1, 7, 4), turned=(False, True)),
        lambda: multiplied((1, 4, 5), (4, 6), learned=True, turned=(True, False)),
        lambda: multiplied((2, 5, 4), (1, 6, 4), learned=True, turned=(False, True)),
        lambda: multiplied((1, 4, 5), (1, 4, 6), turned=(True, False)),
    ),
    "BROADCAST_TO": (
        lambda: of_version(with_integers("BROADCAST_TO", ROW, IMAGE), 2),
        lambda: of_version(in_codes(with_integers("BROADCAST_TO", (1, 9, 1), (2, 9, 4))), 2),
    ),
    "CAST": (lambda: bytes_without_scale("uint8"), lambda: bytes_without_scale("int16")),
    "CEIL": (lambda: alone("CEIL"),),
    "ELU": (lambda: alone("ELU"),),
    "EXP": (lambda: alone("EXP"),),
    "FLOOR": (lambda: alone("FLOOR"),),
    "GATHER": (
        lambda: gathered(3, (5, 0, 0, 1, 2)),
        lambda: gathered(1, (3,), ()),
        lambda: in_codes(gathered(2, (7, 0, 1, 1), (2, 2))),
        lambda: gathered(-1, (5, 3, 1)),
    ),
    "GATHER_ND": (
        lambda: gathered_at(((0, 8), (0, 0), (0, 3)), IMAGE[:3]),
        lambda: gathered_at((((0, 1, 1), (0, 8, 7)), ((0, 2, 1), (0, 3, 0)))),
        lambda: in_codes(gathered_at(((1,), (0,), (1,)), (2, 3, 4))),
        lambda: gathered_at((0, 2, 1, 5)),
        lambda: in_codes(gathered_at(((0, 2, 1, 5), (0, 0, 7, 1)))),
    ),
    "GELU": (
        lambda: alone("GELU", Approximate=False), lambda: alone("GELU", Approximate=True),
    ),
    "L2_NORMALIZATION": (
        lambda: alone("L2_NORMALIZATION"),
        lambda: elementwise_of_codes("L2_NORMALIZATION", "int8"),
        lambda: elementwise_of_codes("L2_NORMALIZATION", "uint8", a=(2, 5, 7)),
        lambda: alone("L2_NORMALIZATION", (1, 7)),
    ),
    "LOG": (lambda: of_positive("LOG"),),
    "LOG_SOFTMAX": (
        lambda: alone("LOG_SOFTMAX", (1, 7)),
        lambda: elementwise_of_codes("LOG_SOFTMAX", "int8"),
        lambda: elementwise_of_codes("LOG_SOFTMAX", "uint8", a=(2, 5, 7)),
        lambda: scaled_up("LOG_SOFTMAX", (1, 7), 200.0),
        lambda: scaled_up("LOG_SOFTMAX", IMAGE, 50.0),
    ),
    "MAXIMUM": (
        lambda: two("MAXIMUM", b=FLAT),
        lambda: by_constant("MAXIMUM", (6,), first=True),
        lambda: compared("MAXIMUM", "int8", b=ROW),
        lambda: compared("MAXIMUM", "uint8", a=(), constant="a"),
    ),
    "MINIMUM": (
        lambda: two("MINIMUM", a=(1, 1, 1, 6)),
        lambda: by_constant("MINIMUM", ()),
        lambda: compared("MINIMUM", "int8"),
        lambda: compared("MINIMUM", "uint8", b=(), constant="b"),
    ),
    "NEG": (lambda: alone("NEG"),),
    "REDUCE_MAX": (
        lambda: reduced("REDUCE_MAX", (1, 2)),
        lambda: reduced("REDUCE_MAX", (-1,), (1, 5, 7), keep=True),
        lambda: reduced("REDUCE_MAX", (1, 3), kind="int8", keep=True),
    ),
    "REDUCE_MIN": (
        lambda: reduced("REDUCE_MIN", (3,)),
        lambda: reduced("REDUCE_MIN", (1, 2), kind="uint8", keep=True),
        lambda: reduced("REDUCE_MIN", (2,), kind="int8", keep=True),
    ),
    "RELU_0_TO_1": (lambda: alone("RELU_0_TO_1"),),
    "REVERSE_V2": (
        lambda: with_integers("REVERSE_V2", IMAGE, (1, 2)),
        lambda: in_codes(with_integers("REVERSE_V2", IMAGE, (3,))),
    ),
    "ROUND": (lambda: alone("ROUND"),),
    "RSQRT": (root_of_codes, lambda: of_positive("RSQRT")),
    "SIGN": (lambda: alone("SIGN"),),
    "SQRT": (lambda: of_positive("SQRT", (1, 7)),),
    "SQUARE": (lambda: alone("SQUARE"),),
    "SQUARED_DIFFERENCE": (
        lambda: two("SQUARED_DIFFERENCE", b=(1, 1, 1, 6)),
        lambda: elementwise_of_codes("SQUARED_DIFFERENCE", "int8", a=FLAT, b=IMAGE),
        lambda: elementwise_of_codes("SQUARED_DIFFERENCE", "int8", b=(6,), constant="b"),
        lambda: elementwise_of_codes("SQUARED_DIFFERENCE", "int8", a=(), b=ROW, constant="a"),
        lambda: by_constant("SQUARED_DIFFERENCE", FLAT[1:], first=True),
    ),
    "SUM": (
        lambda: reduced("SUM", (1, 2)),
        lambda: reduced("SUM", (3,), keep=True),
        lambda: reduced("SUM", (2,), kind="uint8", keep=True),
        lambda: reduced("SUM", (1, 3), kind="uint8", scale=0.7, keep=True),
    ),
    "TILE": (
        lambda: with_integers("TILE", IMAGE, (1, 2, 3, 1)),
        lambda: in_codes(with_integers("TILE", (2, 3), (2, 4))),
    ),
}  # fmt: skip

# More of operators that have cases already.
WIDER: dict[str, tuple[Build, ...]] = {
    "AVERAGE_POOL_2D": (
        lambda: pooling("AVERAGE_POOL_2D", (3, 2), (2, 1), SAME, RELU, BATCH),
    ),
    "ADD": (
        lambda: two("ADD", a=FLAT, act=RELU),
        lambda: two("ADD", a=COLUMN, b=ROW),
        lambda: two("ADD", a=(1, 2, 3, 4, 5), b=(1, 2, 1, 4, 1)),
        lambda: by_constant("ADD", COLUMN),
        lambda: channels_first_by("ADD", (1, 6, 1, 1)),
        lambda: elementwise_of_codes("ADD", "int8", a=COLUMN, b=ROW),
        lambda: elementwise_of_codes("ADD", "uint8", b=FLAT, constant="b"),
    ),
    "CONV_2D": (
        lambda: convolution(shape=BATCH, act=RELU),
        lambda: convolution(shape=(2, 5, 6, 4), weights=(6, 1, 1, 2)),
        weights_of_four_bits,
        lambda: sparse_weights(blocks=False),
        lambda: sparse_weights(blocks=True, kind="float16"),
    ),
    "CONCATENATION": (lambda: beside_a_constant("CONCATENATION", Axis=1),),
    "DEQUANTIZE": (weights_as_codes,),
    "DEPTHWISE_CONV_2D": (lambda: depthwise(shape=BATCH, stride=(2, 1)),),
    "DEPTH_TO_SPACE": (lambda: alone("DEPTH_TO_SPACE", (2, 3, 5, 8), BlockSize=2),),
    "DIV": (
        lambda: quotient(IMAGE), lambda: quotient(FLAT), lambda: quotient(IMAGE, constant=True),
    ),
    "MAX_POOL_2D": (lambda: in_codes(pooling("MAX_POOL_2D", (3, 2), (2, 1), SAME, shape=BATCH)),),
    "MIRROR_PAD": (
        lambda: mirrored((1, 16), 0, (0, 0), (4, 5)),
        lambda: in_codes(mirrored(IMAGE, 1, (0, 0), (2, 1), (0, 0), (1, 2))),
    ),
    "MUL": (
        lambda: two("MUL", b=FLAT),
        lambda: two("MUL", a=FLAT, b=(1, 1, 1, 6)),
        lambda: channels_first_by("MUL", (6, 1, 1)),
        lambda: elementwise_of_codes("MUL", "int8", b=FLAT),
        lambda: elementwise_of_codes("MUL", "uint8", a=FLAT, b=IMAGE, act=RELU),
    ),
    "PACK": (lambda: beside_a_constant("PACK", Axis=2, ValuesCount=2),),
    "PAD": (lambda: in_codes(pad((2, 5, 6, 3), (1, 0), (2, 1), (1, 1), (0, 1))),),
    "PRELU": (
        lambda: two("PRELU", b=COLUMN),
        lambda: elementwise_of_codes("PRELU", "int8", b=(9, 1, 1), constant="b"),
    ),
    "RESIZE_BILINEAR": (lambda: resized("RESIZE_BILINEAR", (18, 16), shape=BATCH),),
    "RESIZE_NEAREST_NEIGHBOR": (
        lambda: in_codes(resized("RESIZE_NEAREST_NEIGHBOR", (4, 11), shape=BATCH)),
    ),
    "SLICE": (
        lambda: in_codes(with_integers("SLICE", (2, 5, 6, 4), (1, 1, 2, 0), (1, 3, 3, 2))),
    ),
    "SPACE_TO_DEPTH": (lambda: alone("SPACE_TO_DEPTH", (2, 6, 9, 4), BlockSize=3),),
    "STRIDED_SLICE": (
        lambda: with_integers("STRIDED_SLICE", IMAGE, (0, -1, 0, 0), (1, -10, 8, 6), (1, -2, 1, 1)),
        lambda: in_codes(
            with_integers("STRIDED_SLICE", IMAGE, (0, 0, -1), (1, 0, 0), (1, 1, -2), EllipsisMask=2)
        ),
        lambda: with_integers(
            "STRIDED_SLICE", (1, 5, 6), (0, 0, 0, 1), (1, 5, 0, 6), (1, 2, 1, 1), NewAxisMask=4
        ),
    ),
    "SUB": (
        lambda: two("SUB", a=FLAT),
        lambda: channels_first_by("SUB", (1, 6, 1, 1)),
        lambda: elementwise_of_codes("SUB", "int8", a=FLAT, b=(1, 1, 1, 6)),
    ),
}  # fmt: skip
