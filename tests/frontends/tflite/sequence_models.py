"""Small networks of sounds, moves and vectors, for `network_builder`."""

from __future__ import annotations

import numpy as np

from tests.frontends.tflite.network_builder import Writer
from tests.frontends.tflite.tflite_models import RELU, SAME, VALID


def micro_speech(net: Writer) -> None:
    """A row that is reshaped to an image, DEPTHWISE_CONV_2D of one channel, FULLY_CONNECTED."""
    x = net.reshape(net.input("row", 1, 504), "image", -1, 21, 24, 1)
    x = net.depthwise(x, "d0", (10, 8), stride=2, multiplier=8, act=RELU)
    x = net.dense(x, "logits", 11 * 12 * 8, 4)
    net.end(net.op("SOFTMAX", [x], "scores", Beta=1.0))


def magic_wand(net: Writer) -> None:
    """An image of three columns, pools of three rows and columns, two dense layers."""
    x = net.conv(net.input("moves", 1, 32, 3, 1), "c0", 8, (4, 3), act=RELU)
    x = net.pool("MAX_POOL_2D", x, "m0", 3, 3, VALID)
    x = net.conv(x, "c1", 16, (4, 1), act=RELU)
    x = net.op(
        "MAX_POOL_2D",
        [x],
        "m1",
        same=True,
        Padding=SAME,
        StrideH=3,
        StrideW=1,
        FilterHeight=3,
        FilterWidth=1,
    )
    x = net.dense(net.reshape(x, "flat", -1, 64), "d0", 64, 16, RELU)
    net.end(net.op("SOFTMAX", [net.dense(x, "d1", 16, 4)], "scores", Beta=1.0))


def autoencoder(net: Writer) -> None:
    """Dense layers alone, on rows of rank 2."""
    x = net.input("frames", 1, 64)
    for n, (inputs, outputs) in enumerate(((64, 32), (32, 8), (8, 32))):
        x = net.dense(x, f"d{n}", inputs, outputs, RELU)
    net.end(net.dense(x, "same", 32, 64))


def sequence(net: Writer) -> None:
    """Convolutions of one axis as Keras writes them, dilated, and a dense layer for each step."""
    m = net.model
    x = net.input("steps", 1, 24, 6)
    for n in range(2):
        at = m.constant(f"at{n}", np.int32(1), "int32")
        x = net.op("EXPAND_DIMS", [x, at], f"e{n}", same=True)
        x = net.conv(x, f"c{n}", 8, (1, 3), dilation=1, act=RELU)
        x = net.op("SQUEEZE", [x], f"q{n}", same=True, SqueezeDims=[-3])
    y = net.dense(x, "each", 8, 8, keep=True)
    y = net.op("LEAKY_RELU", [y], "leaky", Alpha=0.1)
    x = net.op("ADD", [x, y], "sum")
    x = net.op("TANH", [x], "bounded")
    whole = net.mean(x, "mean", 1, keep=False)
    last = net.op(
        "STRIDED_SLICE",
        [x, m.integers("b", 0, -1, 0), m.integers("e", 0, 0, 0), m.integers("s", 1, 1, 1)],
        "last",
        same=True,
        BeginMask=5,
        EndMask=5,
        ShrinkAxisMask=2,
    )
    x = net.concat([whole, last], "both", -1)
    net.end(net.dense(x, "score", 16, 3), net.op("SOFTMAX", [y], "each_score", Beta=2.0))


def wake_word(net: Writer) -> None:
    """Channels split, windows of two lengths along time, joined; as microWakeWord mixes them."""
    m = net.model
    x = net.input("features", 1, 24, 1, 8)
    parts = net.split(x, "parts", 2)
    a = net.depthwise(parts[0], "a", (5, 1), padding=VALID)
    b = net.depthwise(parts[1], "b", (9, 1), padding=VALID)
    a = net.op(
        "STRIDED_SLICE",
        [
            a,
            m.integers("b0", 0, 4, 0, 0),
            m.integers("e0", 0, 0, 0, 0),
            m.integers("s0", 1, 1, 1, 1),
        ],
        "later",
        same=True,
        BeginMask=13,
        EndMask=15,
    )
    x = net.conv(net.concat([a, b], "mixed"), "p", 12, act=RELU)
    x = net.mean(x, "mean", 1, 2, keep=False)
    x = net.op("LOGISTIC", [net.dense(x, "d", 12, 1)], "probability")
    net.end(net.requantised(x, "byte", "uint8"))


def chain(net: Writer) -> None:
    """A shape that is computed before RESHAPE; a body of channels first between TRANSPOSEs."""
    m = net.model
    x = net.input("image", 1, 3, 8, 8)
    x = net.op("TRANSPOSE", [x, m.integers("p", 0, 2, 3, 1)], "last", same=True, channels=3)
    x = net.conv(x, "c0", 6, 3, stride=2, act=RELU)
    x = net.op("ADD", [x, x], "double")
    x = net.op("TRANSPOSE", [x, m.integers("q", 0, 3, 1, 2)], "first", same=True, channels=4)
    m.tensor("shape", (4,), "int32")
    m.node("SHAPE", [x], ["shape"], OutType=2)
    m.tensor("batch", (), "int32")
    m.node(
        "STRIDED_SLICE",
        ["shape", m.integers("b", 0), m.integers("e", 1), m.integers("s", 1)],
        ["batch"],
        ShrinkAxisMask=1,
    )
    m.tensor("to", (2,), "int32")
    m.node(
        "PACK", ["batch", m.constant("all", np.int32(96), "int32")], ["to"], Axis=0, ValuesCount=2
    )
    x = net.op("RESHAPE", [x, "to"], "flat", same=True, channels=96)
    x = net.op("RELU6", [net.dense(x, "d", 96, 10)], "r", same=True)
    net.end(net.dense(x, "d1", 10, 4))


def embedding(net: Writer) -> None:
    """A vector of length 1, and logarithms of chances."""
    x = net.conv(net.input("image", 1, 8, 8, 3), "c0", 16, 3, stride=2)
    x = net.mean(net.op("GELU", [x], "g", Approximate=False), "mean", 1, 2, keep=False)
    y = net.op("L2_NORMALIZATION", [net.dense(x, "d", 16, 12)], "vector")
    net.end(y, net.op("LOG_SOFTMAX", [net.dense(x, "s", 16, 7)], "log"))


def functions(net: Writer) -> None:
    """Functions of codes by way of floats: GELU, ABS, EXP and LOG."""
    x = net.conv(net.input("image", 1, 9, 9, 3), "c0", 16, 3, stride=2)
    x = net.op("GELU", [x], "g0", Approximate=False)
    x = net.op("GELU", [net.conv(x, "c1", 16)], "g1", Approximate=True)
    x = net.op("ABS", [net.conv(x, "c2", 12)], "positive")
    x = net.op("EXP", [net.op("MUL", [x, net.number("less", -0.5)], "negative")], "exp")
    x = net.op("ADD", [x, net.number("more", 0.25)], "above")
    net.end(net.op("LOG", [x], "log"))
