"""Small models of operators that reduce, pick and repeat, of floats and of codes."""

from __future__ import annotations

import numpy as np

from tests.frontends.tflite.operator_models import IMAGE, elementwise_of_codes
from tests.frontends.tflite.tflite_models import NONE, VALID, Model, Table


def reduced(
    operator: str, axes: tuple[int, ...], shape: tuple[int, ...] = IMAGE, *, kind: str = "",
    scale: float = 0.05, keep: bool = False,
) -> Model:  # fmt: skip
    """A reduction of floats, or of codes whose results have another scale if it is not 0.05."""
    model = Model({"x": shape})
    if kind:
        low = np.iinfo(kind).min
        zero = low + 120
        model.codes_of("x", shape, kind, 0.05, zero)
        model.codes_of("y", (), kind, scale, zero if scale == 0.05 else low + 100)
    return model.node(operator, ["x", model.integers("axes", *axes)], KeepDims=keep)


def compared(
    operator: str, kind: str, a: tuple[int, ...] = IMAGE, b: tuple[int, ...] = IMAGE,
    constant: str = "",
) -> Model:  # fmt: skip
    """An operator of codes of one scale."""
    model = elementwise_of_codes(operator, kind, a=a, b=b, constant=constant)
    numbers = {
        "Scale": np.array([0.05], np.float32),
        "ZeroPoint": np.array([np.iinfo(kind).min + 120], np.int64),
    }
    for tensor in model.tensors:
        tensor.fields["Quantization"] = Table("QuantizationParameters", numbers)
    return model


def in_codes(model: Model) -> Model:
    """A model that only moves elements, of int8."""
    tables = {each.fields["Name"]: each for each in model.tensors}
    for name in [*model.inputs, "y"]:
        model.codes_of(name, tuple(tables[name].fields["Shape"]), "int8", 0.5, 3)
    return model


def of_version(model: Model, version: int) -> Model:
    """The model, whose last operator is of a version."""
    model.codes[-1].fields["Version"] = version
    return model


def gathered(axis: int, places: tuple[int, ...], shape: tuple[int, ...] | None = None) -> Model:
    model = Model({"x": IMAGE})
    array = np.array(places, np.int32).reshape(len(places) if shape is None else shape)
    indices = model.constant("i", array, "int32")
    return model.node("GATHER", ["x", indices], Axis=axis, BatchDims=0)


def gathered_at(places: object, shape: tuple[int, ...] = IMAGE) -> Model:
    model = Model({"x": shape})
    indices = model.constant("i", np.array(places, np.int32), "int32")
    return model.node("GATHER_ND", ["x", indices])


def arg_min(axis: int, kind: str = "") -> Model:
    model = Model({"x": IMAGE})
    model.tensor("y", tuple(n for at, n in enumerate(IMAGE) if at != axis), "int32")
    if kind:
        model.codes_of("x", IMAGE, kind, 0.5, 3)
    place = model.constant("axis", np.int32(axis), "int32")
    return model.node("ARG_MIN", ["x", place], OutputType=2)


def of_positive(operator: str, shape: tuple[int, ...] = IMAGE) -> Model:
    """A function of squares and a little more."""
    model = Model({"x": shape})
    model.node("SQUARE", ["x"], ["s"])
    model.node("ADD", ["s", model.constant("c", 0.01)], ["t"])
    return model.node(operator, ["t"])


def root_of_codes() -> Model:
    """RSQRT of codes that stand for no negative numbers."""
    model = Model({"x": IMAGE})
    model.codes_of("x", IMAGE, "int8", 0.03, -128)
    model.codes_of("y", IMAGE, "int8", 0.05, -100)
    return model.node("RSQRT", ["x"])


def scaled_up(operator: str, shape: tuple[int, ...], factor: float) -> Model:
    """A function of what is far apart."""
    model = Model({"x": shape})
    model.node("MUL", ["x", model.constant("c", factor)], ["t"], FusedActivationFunction=NONE)
    return model.node(operator, ["t"])


def quotient(shape: tuple[int, ...], *, constant: bool = False) -> Model:
    """A quotient by what is not near zero, of a tensor or of a constant."""
    model = Model({"b": shape} if constant else {"a": IMAGE, "b": shape})
    model.node("SQUARE", ["b"], ["s"])
    model.node("ADD", ["s", model.constant("c", 0.5)], ["t"])
    first = model.constant("a", 2.5) if constant else "a"
    return model.node("DIV", [first, "t"], FusedActivationFunction=NONE)


def channels_first_by(operator: str, shape: tuple[int, ...]) -> Model:
    """A constant in a body of channels first."""
    model = Model({"x": IMAGE})
    numbers = model.constant("c", 1.5 + np.arange(np.prod(shape)).reshape(shape) / 8)
    model.node("TRANSPOSE", ["x", model.integers("p", 0, 3, 1, 2)], ["t"])
    model.node(operator, ["t", numbers], ["u"], FusedActivationFunction=NONE)
    return model.node("TRANSPOSE", ["u", model.integers("q", 0, 2, 3, 1)])


def bytes_without_scale(kind: str) -> Model:
    """Pixels that become floats by CAST."""
    model = Model({"x": IMAGE})
    model.tensor("x", IMAGE, kind)
    model.tensor("f", IMAGE)
    model.node("CAST", ["x"], ["f"])
    return model.node("MUL", ["f", model.constant("c", 1 / 127.5)])


def sparse_weights(*, blocks: bool, kind: str = "float32") -> Model:
    """A convolution whose weights [8,1,1,8] are listed: each one, or in blocks of four."""
    draw = np.random.default_rng(3)
    there = draw.random((8, 2 if blocks else 8)) < 0.4
    there[3] = False
    places = [np.flatnonzero(row) for row in there]
    ends = np.cumsum([0, *map(len, places)])
    dense = [Table("DimensionMetadata", {"Format": 0, "DenseSize": n}) for n in (8, 1, 1)]
    lists = {"ArraySegments": ends, "ArrayIndices": np.concatenate(places)}
    fields: dict[str, object] = {"Format": 1}
    for name, numbers in lists.items():
        fields[f"{name}Type"] = 3
        fields[name] = Table("Uint8Vector", {"Values": numbers.astype(np.uint8)})
    levels = [*dense, Table("DimensionMetadata", fields)]
    if blocks:
        levels.append(Table("DimensionMetadata", {"Format": 0, "DenseSize": 4}))
    sparsity = {
        "TraversalOrder": np.arange(len(levels), dtype=np.int32),
        "BlockMap": np.array([3] if blocks else [], np.int32),
        "DimMetadata": levels,
    }
    model = Model({"x": (1, 9, 8, 8)})
    model.constant("s", draw.standard_normal(int(ends[-1]) * (4 if blocks else 1)), kind)
    model.tensor("s", (8, 1, 1, 8), kind, Sparsity=Table("SparsityParameters", sparsity))
    model.tensor("d", (8, 1, 1, 8), kind)
    model.node("DENSIFY", ["s"], ["d"])
    if kind != "float32":
        model.tensor("w", (8, 1, 1, 8))
        model.node("DEQUANTIZE", ["d"], ["w"])
    inputs = ["x", "d" if kind == "float32" else "w", model.weights("b", 8)]
    return model.node("CONV_2D", inputs, Padding=VALID, StrideH=1, StrideW=1)


def multiplied(
    a: tuple[int, ...], b: tuple[int, ...], *, learned: bool = False, turned: tuple[bool, bool]
) -> Model:
    """A product of matrices, which may be turned before."""
    model = Model({"a": a} if learned else {"a": a, "b": b})
    second = model.weights("b", *b) if learned else "b"
    return model.node("BATCH_MATMUL", ["a", second], AdjX=turned[0], AdjY=turned[1])


def weights_as_codes() -> Model:
    """A convolution of floats by codes of a scale for each output, which DEQUANTIZE turns."""
    model = Model({"x": IMAGE})
    model.constant("c", np.random.default_rng(1).integers(-127, 128, (5, 3, 3, 6)), "int8")
    numbers = {
        "Scale": np.linspace(0.001, 0.01, 5).astype(np.float32),
        "ZeroPoint": np.zeros(5, np.int64),
    }
    model.tensors[-1].fields["Quantization"] = Table("QuantizationParameters", numbers)
    model.tensor("w", (5, 3, 3, 6))
    model.node("DEQUANTIZE", ["c"], ["w"])
    inputs = ["x", "w", model.weights("b", 5)]
    return model.node("CONV_2D", inputs, Padding=VALID, StrideH=1, StrideW=1)


def beside_a_constant(operator: str, **options: int) -> Model:
    """A tensor that is joined to learned numbers."""
    model = Model({"x": (1, 4, 6)})
    return model.node(operator, ["x", model.weights("c", 1, 4, 6)], **options)


def weights_of_four_bits() -> Model:
    """A convolution of int8 by codes that stand two in a byte."""
    model = Model({"x": IMAGE})
    model.codes_of("x", IMAGE, "int8", 0.05, 3)
    model.codes_of("y", (), "int8", 0.2, -5)
    halves = np.random.default_rng(1).integers(0, 16, 5 * 3 * 3 * 6)
    halves[halves == 8] = 7  # -8 is none of a symmetric quantiser
    model.constant("w", halves[0::2] | halves[1::2] << 4, "uint8")
    scales = np.linspace(0.02, 0.05, 5).astype(np.float32)
    numbers = {"Scale": scales, "ZeroPoint": np.zeros(5, np.int64)}
    model.tensor("w", (5, 3, 3, 6), "INT4", Quantization=Table("QuantizationParameters", numbers))
    model.constant("b", np.arange(-200, 200, 80), "int32")
    return of_version(
        model.node("CONV_2D", ["x", "w", "b"], Padding=VALID, StrideH=1, StrideW=1), 7
    )
