"""Small models of one operator, or of a few that belong together."""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.frontends.tflite.tflite_models import NONE, RELU6, SAME, VALID, Model

IMAGE = (1, 9, 8, 6)


def convolution(
    *, shape: tuple[int, ...] = IMAGE, weights: tuple[int, ...] = (5, 3, 3, 6), padding: int = SAME,
    stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1), act: int = NONE,
    bias: bool = True, operator: str = "CONV_2D",
) -> Model:  # fmt: skip
    model = Model({"x": shape})
    depthwise = operator == "DEPTHWISE_CONV_2D"
    inputs = ["x", model.weights("w", *weights)]
    if bias:
        inputs.append(model.weights("b", weights[3] if depthwise else weights[0]))
    more = {"DepthMultiplier": weights[3] // shape[3]} if depthwise else {}
    return model.node(
        operator, inputs, Padding=padding, StrideH=stride[0], StrideW=stride[1],
        DilationHFactor=dilation[0], DilationWFactor=dilation[1], FusedActivationFunction=act,
        **more,
    )  # fmt: skip


depthwise = partial(convolution, weights=(1, 3, 3, 6), operator="DEPTHWISE_CONV_2D")


def dense(
    shape: tuple[int, ...], outputs: int, inputs: int, *, keep: bool = False, act: int = NONE
) -> Model:
    model = Model({"x": shape})
    given = ["x", model.weights("w", outputs, inputs), model.weights("b", outputs)]
    return model.node("FULLY_CONNECTED", given, FusedActivationFunction=act, KeepNumDims=keep)


def pooling(
    operator: str, window: tuple[int, int], stride: tuple[int, int], padding: int, act: int = NONE,
    shape: tuple[int, ...] = IMAGE,
) -> Model:  # fmt: skip
    return Model({"x": shape}).node(
        operator, ["x"], Padding=padding, StrideH=stride[0], StrideW=stride[1],
        FilterHeight=window[0], FilterWidth=window[1], FusedActivationFunction=act,
    )  # fmt: skip


def two(
    operator: str, a: tuple[int, ...] = IMAGE, b: tuple[int, ...] = IMAGE, act: int = NONE
) -> Model:
    return Model({"a": a, "b": b}).node(operator, ["a", "b"], FusedActivationFunction=act)


def by_constant(
    operator: str, shape: tuple[int, ...], *, first: bool = False, act: int = NONE
) -> Model:
    model = Model({"x": IMAGE})
    inputs = ["x", model.constant("c", 1.5 + np.arange(np.prod(shape)).reshape(shape) / 8)]
    inputs = inputs[::-1] if first else inputs
    return model.node(operator, inputs, FusedActivationFunction=act)


def mean(shape: tuple[int, ...], *axes: int, keep: bool = False) -> Model:
    model = Model({"x": shape})
    return model.node("MEAN", ["x", model.integers("axes", *axes)], KeepDims=keep)


def mean_of_codes(kind: str, source: float, scale: float, zero: int, *axes: int) -> Model:
    """MEAN between QUANTIZE and DEQUANTIZE."""
    model = Model({"x": IMAGE})
    model.codes_of("q", IMAGE, kind, source, zero - 2)
    model.codes_of("m", (1, 6), kind, scale, zero)
    model.node("QUANTIZE", ["x"], ["q"])
    model.node("MEAN", ["q", model.integers("axes", *axes)], ["m"])
    return model.node("DEQUANTIZE", ["m"])


def slopes(shape: tuple[int, ...]) -> Model:
    model = Model({"x": IMAGE})
    given = model.constant("s", 0.25 - np.arange(np.prod(shape)).reshape(shape) / 256)
    return model.node("PRELU", ["x", given])


# Scales of results that are not 0.11: some operators allow one only, products need smaller ones.
_SCALES = {
    "LOGISTIC": 1 / 256, "SOFTMAX": 1 / 256, "TANH": 1 / 128, "MUL": 0.011, "PRELU": 0.03,
    "L2_NORMALIZATION": 1 / 128, "LOG_SOFTMAX": 1 / 16,
}  # fmt: skip


def elementwise_of_codes(
    operator: str, kind: str, *, a: tuple[int, ...] = IMAGE, b: tuple[int, ...] | None = None,
    constant: str = "", **options: float,
) -> Model:  # fmt: skip
    """An operator of one tensor of codes or of two, one of which may be a constant."""
    shapes = {"a": a} if b is None else {"a": a, "b": b}
    model = Model({name: shape for name, shape in shapes.items() if name != constant})
    low = np.iinfo(kind).min
    for name, shape in shapes.items():
        if name == constant:
            numbers = np.arange(np.prod(shape)) * 37 % 256 + low
            model.constant(name, numbers.reshape(shape), kind)
        scale, zero = (0.043, low + 120) if name == "a" else (0.017, low + 135)
        model.codes_of(name, shape, kind, scale, zero)
    wide = max(shapes.values(), key=len)
    zero = low if operator in ("LOGISTIC", "SOFTMAX") else low + 128
    zero = low + 255 if operator == "LOG_SOFTMAX" else zero
    model.codes_of("y", wide, kind, _SCALES.get(operator, 0.11), zero)
    if "act" in options:
        options["FusedActivationFunction"] = options.pop("act")
    return model.node(operator, [*shapes], **options)


def arg_max(shape: tuple[int, ...], kind: str = "int32", axis: int = -1) -> Model:
    model = Model({"x": shape})
    model.tensor("y", shape[:-1], kind)
    place = model.constant("axis", np.int32(axis), "int32")
    return model.node("ARG_MAX", ["x", place], OutputType=2 if kind == "int32" else 4)


def pad(shape: tuple[int, ...], *sides: tuple[int, int], value: float | None = None) -> Model:
    model = Model({"x": shape})
    inputs = ["x", model.constant("p", np.array(sides, np.int32), "int32")]
    if value is not None:
        inputs.append(model.constant("v", np.array(value)))
    return model.node("PAD" if value is None else "PADV2", inputs)


def packed(shape: tuple[int, ...], axis: int, count: int) -> Model:
    model = Model({f"x{k}": shape for k in range(count)})
    return model.node("PACK", list(model.inputs), Axis=axis, ValuesCount=count)


def unpacked(shape: tuple[int, ...], axis: int) -> Model:
    names = [f"y{k}" for k in range(shape[axis])]
    model = Model({"x": shape}, tuple(names))
    return model.node("UNPACK", ["x"], names, Axis=axis, Num=len(names))


def mirrored(shape: tuple[int, ...], mode: int, *sides: tuple[int, int]) -> Model:
    model = Model({"x": shape})
    pads = model.constant("p", np.array(sides, np.int32), "int32")
    return model.node("MIRROR_PAD", ["x", pads], Mode=mode)


def concatenation(axis: int, *shapes: tuple[int, ...], act: int = NONE) -> Model:
    model = Model({f"x{k}": shape for k, shape in enumerate(shapes)})
    return model.node("CONCATENATION", list(model.inputs), Axis=axis, FusedActivationFunction=act)


def with_integers(
    operator: str, shape: tuple[int, ...], *lists: tuple[int, ...], **options: int
) -> Model:
    model = Model({"x": shape})
    inputs = ["x", *(model.integers(f"n{k}", *numbers) for k, numbers in enumerate(lists))]
    return model.node(operator, inputs, **options)


def split(shape: tuple[int, ...], axis: int, count: int) -> Model:
    names = [f"y{k}" for k in range(count)]
    model = Model({"x": shape}, tuple(names))
    return model.node("SPLIT", [model.integers("axis", axis), "x"], names, NumSplits=count)


def split_v(shape: tuple[int, ...], axis: int, *lengths: int) -> Model:
    names = [f"y{k}" for k in range(len(lengths))]
    model = Model({"x": shape}, tuple(names))
    inputs = ["x", model.integers("lengths", *lengths), model.integers("axis", axis)]
    return model.node("SPLIT_V", inputs, names, NumSplits=len(lengths))


def alone(operator: str, shape: tuple[int, ...] = IMAGE, **options: float) -> Model:
    return Model({"x": shape}).node(operator, ["x"], **options)


def resized(operator: str, size: tuple[int, int], *, corners: bool = False, centres: bool = False,
    shape: tuple[int, ...] = IMAGE,
) -> Model:  # fmt: skip
    model = Model({"x": shape})
    inputs = ["x", model.integers("size", *size)]
    return model.node(operator, inputs, AlignCorners=corners, HalfPixelCenters=centres)


def transposed_convolution(
    kernel: tuple[int, int], stride: tuple[int, int], padding: int, size: tuple[int, int],
    act: int = NONE, *, bias: bool = True,
) -> Model:  # fmt: skip
    model = Model({"x": IMAGE})
    inputs = [model.integers("shape", 1, *size, 5), model.weights("w", 5, *kernel, 6), "x"]
    if bias:
        inputs.append(model.weights("b", 5))
    return model.node(
        "TRANSPOSE_CONV", inputs, Padding=padding, StrideH=stride[0], StrideW=stride[1],
        FusedActivationFunction=act,
    )  # fmt: skip


def dilated(
    operator: str, block: tuple[int, int], pad: tuple[tuple[int, int], tuple[int, int]],
    crops: tuple[tuple[int, int], tuple[int, int]], *, padding: int = VALID, act: int = NONE,
    stride: int = 1,
) -> Model:  # fmt: skip
    """A convolution of 3 by 3 with dilation, as TensorFlow writes it."""
    model = Model({"x": IMAGE})
    blocks = model.integers("block", *block)
    sides = [
        model.constant(n, np.array(s, np.int32), "int32") for n, s in (("p", pad), ("c", crops))
    ]
    weights = (1, 3, 3, 6) if operator == "DEPTHWISE_CONV_2D" else (4, 3, 3, 6)
    learned = [model.weights("w", *weights), model.weights("b", 6 if weights[0] == 1 else 4)]
    more = {"DepthMultiplier": 1} if weights[0] == 1 else {}
    model.node("SPACE_TO_BATCH_ND", ["x", blocks, sides[0]], ["s"])
    model.node(
        operator, ["s", *learned], ["t"], Padding=padding, StrideH=stride, StrideW=1,
        FusedActivationFunction=act, **more,
    )  # fmt: skip
    return model.node("BATCH_TO_SPACE_ND", ["t", blocks, sides[1]])


def half_weights() -> Model:
    model = Model({"x": IMAGE})
    half = np.random.default_rng(3).standard_normal((4, 1, 1, 6))
    model.constant("h", half, "float16")
    model.tensor("w", (4, 1, 1, 6))
    model.node("DEQUANTIZE", ["h"], ["w"])
    return model.node(
        "CONV_2D", ["x", "w", model.weights("b", 4)], Padding=VALID, StrideH=1, StrideW=1
    )


def codes() -> Model:
    model = Model({"x": IMAGE})
    model.codes_of("q", IMAGE, "int8", 0.03125, 3)
    model.codes_of("r", (1, 72, 6), "int8", 0.03125, 3)
    model.node("QUANTIZE", ["x"], ["q"])
    model.node("RESHAPE", ["q", model.integers("s", 1, 72, 6)], ["r"], NewShape=[1, 72, 6])
    return model.node("DEQUANTIZE", ["r"])


def moved_codes() -> Model:
    """Codes that are padded, cut, turned and joined."""
    model = Model({"q": IMAGE}, ("y", "t"))
    for name, shape in (("q", IMAGE), ("p1", (1, 10, 8, 6)), ("s", IMAGE), ("y", (1, 18, 8, 6))):
        model.codes_of(name, shape, "int8", 0.25, -7)
    model.codes_of("t", (1, 6, 8, 9), "int8", 0.25, -7)
    sides = model.constant("p", np.array([(0, 0), (1, 0), (0, 0), (0, 0)], np.int32), "int32")
    model.node("PAD", ["q", sides], ["p1"])
    cut = [model.integers("first", 0, 0, 0, 0), model.integers("size", 1, 9, 8, 6)]
    model.node("SLICE", ["p1", *cut], ["s"])
    model.node("TRANSPOSE", ["s", model.integers("turn", 0, 3, 2, 1)], ["t"])
    return model.node("CONCATENATION", ["q", "s"], Axis=1)


def flatten_by_shape() -> Model:
    """Flatten as Keras writes it: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    model = Model({"x": IMAGE})
    for name, shape in (("s", (4,)), ("n", ()), ("t", (2,))):
        model.tensor(name, shape, "int32")
    model.node("SHAPE", ["x"], ["s"], OutType=2)
    ends = [model.integers(name, number) for name, number in (("b", 0), ("e", 1), ("d", 1))]
    model.node("STRIDED_SLICE", ["s", *ends], ["n"], ShrinkAxisMask=1)
    model.node("PACK", ["n", model.constant("m", np.int32(-1), "int32")], ["t"], ValuesCount=2)
    return model.node("RESHAPE", ["x", "t"])


def shuffle() -> Model:
    model = Model({"x": IMAGE})
    model.node("RESHAPE", ["x", model.integers("a", 1, 9, 8, 2, 3)], ["r"])
    model.node("TRANSPOSE", ["r", model.integers("p", 0, 1, 2, 4, 3)], ["t"])
    return model.node("RESHAPE", ["t", model.integers("b", *IMAGE)])


def channels_first() -> Model:
    """A body that is stored channels first, between transpositions."""
    model = Model({"x": IMAGE}, ("y", "z"))
    to, back = model.integers("to", 0, 3, 1, 2), model.integers("back", 0, 2, 3, 1)
    w = model.weights("w", 6, 3, 3, 6)
    model.node("TRANSPOSE", ["x", to], ["x1"]).node("RELU", ["x1"], ["x2"])
    model.node("TRANSPOSE", ["x2", back], ["x3"])
    model.node(
        "CONV_2D", ["x3", w, model.weights("b", 6)], ["x4"], Padding=SAME, StrideH=1, StrideW=1
    )
    model.node("TRANSPOSE", ["x4", to], ["x5"]).node("ADD", ["x2", "x5"], ["x6"])
    model.node("MEAN", ["x6", model.integers("pixels", 2, 3)], ["y"], KeepDims=True)
    return model.node("TRANSPOSE", ["x6", back], ["z"])


def padded_convolution() -> Model:
    model = Model({"x": IMAGE})
    sides = model.constant("p", np.array([(0, 0), (1, 2), (0, 1), (0, 0)], np.int32), "int32")
    model.node("PAD", ["x", sides], ["p1"])
    inputs = ["p1", model.weights("w", 4, 3, 3, 6), model.weights("b", 4)]
    return model.node("CONV_2D", inputs, Padding=VALID, StrideH=2, StrideW=2)


def padded_maximum() -> Model:
    """A maximum of windows that are padded as torch pads them."""
    model = Model({"x": IMAGE})
    sides = model.constant("p", np.array([(0, 0), (1, 1), (1, 1), (0, 0)], np.int32), "int32")
    lowest = model.constant("v", np.array(np.finfo(np.float32).min))
    model.node("PADV2", ["x", sides, lowest], ["p1"])
    return model.node(
        "MAX_POOL_2D", ["p1"], Padding=VALID, StrideH=2, StrideW=2, FilterHeight=3, FilterWidth=3
    )


def hard_swish_written_out() -> Model:
    model = Model({"x": IMAGE})
    three, sixth = model.constant("three", 3.0), model.constant("sixth", 1 / 6)
    model.node("ADD", ["x", three], ["a"], FusedActivationFunction=RELU6)
    return model.node("MUL", ["x", "a"], ["m"]).node("MUL", ["m", sixth])


def gated_by_hard_sigmoid() -> Model:
    """Hard swish as x hard_sigmoid(x), of which TensorFlow Lite has no operator."""
    model = Model({"x": IMAGE})
    three, sixth = model.constant("three", 3.0), model.constant("sixth", 1 / 6)
    model.node("ADD", ["x", three], ["a"], FusedActivationFunction=RELU6)
    return model.node("MUL", ["a", sixth], ["g"]).node("MUL", ["x", "g"])
