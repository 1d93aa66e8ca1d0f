"""Small networks of images, as real ones are made, for `network_builder`."""

from __future__ import annotations

import numpy as np

from tests.frontends.tflite.network_builder import Network, Writer
from tests.frontends.tflite.sequence_models import (
    autoencoder,
    chain,
    embedding,
    functions,
    magic_wand,
    micro_speech,
    sequence,
    wake_word,
)
from tests.frontends.tflite.tflite_models import NONE, RELU, RELU6, SAME, VALID


def mobilenet_v1(net: Writer) -> None:
    """Depthwise and pointwise layers, a mean by AVERAGE_POOL_2D, logits by CONV_2D, SQUEEZE."""
    x = net.conv(net.input("image", 1, 17, 17, 3), "c0", 8, 3, stride=2, act=RELU6)
    for n, stride in enumerate((1, 2)):
        x = net.depthwise(x, f"d{n}", stride=stride, act=RELU6)
        x = net.conv(x, f"p{n}", 16, act=RELU6)
    x = net.pool("AVERAGE_POOL_2D", x, "mean", 5, 2, VALID)
    x = net.conv(x, "logits", 11)
    x = net.op("SQUEEZE", [x], "flat", same=True, SqueezeDims=[1, 2])
    net.end(net.op("SOFTMAX", [x], "scores", Beta=1.0))


def mobilenet_v3(net: Writer) -> None:
    """HARD_SWISH, gates of MEAN, ADD 3, RELU6 and MUL by a sixth, pixels of uint8, real chances."""
    x = net.input("image", 1, 16, 16, 3, kind="uint8" if net.kind == "int8" else "")
    x = net.conv(x, "c0", 8, 3, stride=2)
    x = before = net.op("HARD_SWISH", [x], "h0")
    x = net.depthwise(net.conv(x, "expand", 16, act=RELU), "wise", 5, act=RELU)
    gate = net.mean(x, "mean", 1, 2)
    gate = net.conv(net.conv(gate, "less", 8, act=RELU), "more", 16)
    gate = net.op("ADD", [gate, net.number("three", 3.0)], "plus", FusedActivationFunction=RELU6)
    gate = net.op("MUL", [gate, net.number("sixth", 1 / 6)], "gate")
    x = net.conv(net.op("MUL", [x, gate], "gated"), "project", 8)
    x = net.op("ADD", [x, before], "sum")
    x = net.mean(net.op("HARD_SWISH", [net.conv(x, "c1", 24)], "h1"), "all", 1, 2, keep=False)
    x = net.op("HARD_SWISH", [net.dense(x, "d0", 24, 20)], "h2")
    x = net.op("SOFTMAX", [net.dense(x, "d1", 20, 9)], "scores", Beta=1.0)
    net.end(net.floats(x, "probabilities"))


def inception(net: Writer) -> None:
    """Four branches joined, pools by steps of one with borders, windows of 1 x 7 and 7 x 1."""
    x = net.conv(net.input("image", 1, 15, 15, 3), "c0", 8, 3, stride=2, act=RELU, padding=VALID)
    a = net.conv(x, "a", 6, act=RELU)
    b = net.conv(
        net.conv(net.conv(x, "b0", 4), "b1", 5, (1, 7), act=RELU), "b2", 6, (7, 1), act=RELU
    )
    c = net.conv(net.pool("AVERAGE_POOL_2D", x, "c1", 3, 1, SAME), "c2", 4, act=RELU)
    d = net.conv(net.pool("MAX_POOL_2D", x, "d1", 3, 1, SAME), "d2", 3, act=RELU)
    x = net.concat([a, b, c, d], "joined")
    y = net.pool("MAX_POOL_2D", x, "m", 3, 2, VALID)
    z = net.conv(x, "s", 5, 3, stride=2, padding=VALID)
    x = net.concat([y, z], "again")
    x = net.pool("AVERAGE_POOL_2D", x, "mean", 3, 3, VALID)
    x = net.dense(net.reshape(x, "flat", 1, 24), "logits", 24, 10)
    net.end(net.op("SOFTMAX", [x], "scores", Beta=1.0))


def detector(net: Writer) -> None:
    """Boxes and classes of two sizes, joined along their number, and what chooses among them."""
    x = net.conv(net.input("image", 1, 16, 16, 3), "c0", 8, 3, stride=2, act=RELU6)
    boxes, classes = [], []
    for n, pixels in enumerate((16, 4)):
        x = net.conv(net.depthwise(x, f"d{n}", stride=2, act=RELU6), f"p{n}", 12, act=RELU6)
        at = net.conv(net.depthwise(x, f"bd{n}", act=RELU6), f"b{n}", 12)
        boxes.append(net.reshape(at, f"br{n}", 1, 3 * pixels, 1, 4))
        what = net.conv(x, f"s{n}", 15)
        classes.append(net.reshape(what, f"sr{n}", 1, 3 * pixels, 5))
    places = net.concat(boxes, "places", 1)
    places = net.op("SQUEEZE", [places], "boxes", same=True, SqueezeDims=[2])
    scores = net.op("LOGISTIC", [net.concat(classes, "raw", 1)], "scores")
    net.end(places, scores)


def segmentation(net: Writer) -> None:
    """Dilation by batches of parts, a mean that is spread again, and the class of each pixel."""
    x = net.conv(net.input("image", 1, 17, 17, 3), "c0", 8, 3, stride=2, act=RELU6)
    before, m = x, net.model
    x = net.op(
        "SPACE_TO_BATCH_ND",
        [x, m.integers("by", 2, 2), _pairs(net, "pads", (2, 3), (2, 3))],
        "dealt",
        same=True,
    )
    x = net.depthwise(x, "wise", act=RELU6, padding=VALID)
    x = net.op(
        "BATCH_TO_SPACE_ND",
        [x, m.integers("of", 2, 2), _pairs(net, "crops", (0, 1), (0, 1))],
        "again",
        same=True,
    )
    x = net.op("ADD", [net.conv(x, "project", 8), before], "sum")
    mean = net.conv(net.pool("AVERAGE_POOL_2D", x, "mean", 9, 9, VALID), "pooled", 6, act=RELU)
    mean = net.resize(mean, "spread", (9, 9), "AlignCorners")
    x = net.concat([mean, net.conv(x, "aspp", 6, act=RELU)], "joined")
    x = net.resize(net.conv(x, "logits", 5), "wide", (17, 17), "AlignCorners")
    x = net.resize(x, "wider", (33, 35), "HalfPixelCenters")
    at = net.model.constant("axis", np.int32(3), "int32")
    net.end(net.op("ARG_MAX", [x, at], "classes", result="int64", OutputType=4))


def _pairs(net: Writer, name: str, *sides: tuple[int, int]) -> str:
    return net.model.constant(name, np.array(sides, np.int32), "int32")


def selfie(net: Writer) -> None:
    """Gates of AVERAGE_POOL_2D and LOGISTIC, sizes doubled, TRANSPOSE_CONV at the end."""
    x = net.conv(net.input("image", 1, 16, 16, 3), "c0", 8, 3, stride=2)
    x = skip = net.op("HARD_SWISH", [x], "h0")
    x = net.depthwise(x, "d0", stride=2, act=RELU)
    gate = net.pool("AVERAGE_POOL_2D", x, "mean", 4, 4, VALID)
    gate = net.conv(net.conv(gate, "less", 4, act=RELU), "more", 8)
    x = net.op("MUL", [x, net.op("LOGISTIC", [gate], "gate")], "gated")
    x = net.resize(net.conv(x, "p0", 8), "up", (8, 8), "HalfPixelCenters")
    both = net.op("ADD", [x, skip], "both")
    at = net.op("LOGISTIC", [net.conv(net.mean(both, "m1", 1, 2), "g1", 8)], "g2")
    x = net.op("ADD", [net.op("MUL", [skip, at], "chosen"), x], "sum", FusedActivationFunction=NONE)
    x = net.op("HARD_SWISH", [net.depthwise(x, "d1")], "h1")
    x = net.transposed(x, "out", 1, 2, 16, 16)
    net.end(net.op("LOGISTIC", [x], "mask"))


def palm(net: Writer) -> None:
    """PAD before steps of two, PRELU, channels added as zeros to a MAX_POOL_2D, boxes joined."""
    x = net.input("image", 1, 16, 16, 3)
    x = net.op("PAD", [x, _pairs(net, "pads", (0, 0), (0, 1), (0, 1), (0, 0))], "padded", same=True)
    x = net.conv(x, "c0", 8, 3, stride=2, padding=VALID)
    x = net.op("PRELU", [x, _slopes(net, "s0", 8)], "r0")
    y = net.conv(net.depthwise(x, "d0", 5), "p0", 8)
    x = net.op("PRELU", [net.op("ADD", [x, y], "sum"), _slopes(net, "s1", 8)], "r1")
    y = net.conv(net.depthwise(x, "d1", 5, stride=2), "p1", 12)
    less = net.pool("MAX_POOL_2D", x, "less", 2, 2, SAME)
    less = net.op(
        "PAD",
        [less, _pairs(net, "wide", (0, 0), (0, 0), (0, 0), (0, 4))],
        "zeros",
        same=True,
        channels=12,
    )
    low = net.op("PRELU", [net.op("ADD", [less, y], "low"), _slopes(net, "s2", 12)], "r2")
    up = net.conv(net.resize(low, "up", (8, 8), "HalfPixelCenters"), "back", 8, act=RELU)
    x = net.op("ADD", [x, up], "high")
    heads = [(x, "a", 2, 128), (low, "b", 6, 96)]
    for end, each in (("boxes", 4), ("scores", 1)):
        parts = []
        for value, name, count, rows in heads:
            y = net.conv(value, f"{end}.{name}", count * each)
            parts.append(net.reshape(y, f"{end}.{name}.flat", 1, rows, each))
        net.concat(parts, end, 1)
    net.end("boxes", "scores")


def _slopes(net: Writer, name: str, channels: int) -> str:
    return net.numbers(name, np.linspace(-0.2, 0.6, channels).reshape(1, 1, channels))


def yolo(net: Writer) -> None:
    """LEAKY_RELU, nearest pixels, halves of channels by SPLIT, cuts and products of a head."""
    m = net.model
    x = net.op(
        "LEAKY_RELU",
        [net.conv(net.input("image", 1, 16, 16, 3), "c0", 8, 3, stride=2)],
        "l0",
        Alpha=0.1,
    )
    first, second = net.split(x, "halves", 2)
    second = net.op("LEAKY_RELU", [net.conv(second, "c1", 4, 3)], "l1", Alpha=0.1)
    x = net.concat([second, first], "route")
    y = net.pool("MAX_POOL_2D", x, "m", 2, 2, SAME)
    y = net.op("RELU", [net.conv(y, "c2", 8, act=NONE)], "r")
    y = net.resize(y, "near", (8, 8), to="RESIZE_NEAREST_NEIGHBOR")
    x = net.conv(net.concat([y, x], "neck"), "head", 14)
    x = net.reshape(x, "flat", 1, 128, 7)
    x = net.op("LOGISTIC", [x], "p")
    xy = net.op(
        "SLICE",
        [x, m.integers("f", 0, 0, 0), m.integers("n", 1, 128, 2)],
        "xy",
        same=True,
        channels=2,
    )
    rest = net.op(
        "SLICE",
        [x, m.integers("f2", 0, 0, 2), m.integers("n2", -1, -1, 5)],
        "rest",
        same=True,
        channels=5,
    )
    grid = net.numbers("grid", np.arange(256.0).reshape(1, 128, 2) / 64)
    xy = net.op("ADD", [xy, grid], "cells")
    xy = net.op(
        "SUB",
        [
            net.op("MUL", [xy, net.numbers("stride", np.full((1, 1, 2), 2.0))], "scaled"),
            net.number("half", 0.5),
        ],
        "moved",
    )
    x = net.concat([xy, rest], "found", 2)
    net.end(net.op("TRANSPOSE", [x, m.integers("p02", 0, 2, 1)], "turned", same=True))


def pyramid(net: Writer) -> None:
    """Pixels doubled by PACK and RESHAPE, a class of each pixel by SOFTMAX over an image."""
    x = net.conv(net.input("image", 1, 16, 16, 3, kind="float32"), "c0", 8, 3, stride=2, act=RELU6)
    y = net.conv(net.depthwise(x, "d0", stride=2, act=RELU6), "p0", 8)
    y = net.op("PACK", [y, y], "twice", same=True, Axis=3, ValuesCount=2)
    y = net.op("PACK", [y, y], "four", same=True, Axis=2, ValuesCount=2)
    y = net.reshape(y, "large", 1, 8, 8, 8)
    x = net.op("ADD", [y, net.conv(x, "side", 8)], "sum", FusedActivationFunction=RELU)
    x = net.op("SOFTMAX", [net.conv(x, "head", 3)], "classes", Beta=1.0)
    net.end(net.floats(x, "grid"))


def style(net: Writer) -> None:
    """Mirrored borders, numbers made normal by mean and deviation as they are written out."""
    x = net.input("image", 1, 12, 12, 3)
    x = net.op(
        "MIRROR_PAD",
        [x, _pairs(net, "pads", (0, 0), (1, 1), (1, 1), (0, 0))],
        "mirrored",
        same=True,
        Mode=0,
    )
    x = net.conv(x, "c0", 8, 3, padding=VALID)
    mean = net.mean(x, "mean", 1, 2)
    square = net.op("SQUARED_DIFFERENCE", [x, mean], "square")
    variance = net.op(
        "ADD", [net.mean(square, "variance", 1, 2), net.number("little", 1e-3)], "more"
    )
    gain = net.op("RSQRT", [variance], "inverse")
    gain = net.op("MUL", [gain, net.numbers("gamma", np.linspace(0.5, 1.5, 8))], "gain")
    shift = net.op(
        "SUB",
        [net.numbers("beta", np.linspace(-1, 1, 8)), net.op("MUL", [mean, gain], "moved")],
        "shift",
    )
    x = net.op("ADD", [net.op("MUL", [x, gain], "scaled"), shift], "normal")
    x = net.op("ABS", [x], "positive")
    x = net.op(
        "DEPTH_TO_SPACE", [net.conv(x, "c1", 12)], "wide", same=True, channels=3, BlockSize=2
    )
    net.end(net.op("TANH", [x], "picture"))


NETWORKS: dict[str, Network] = {
    each.__name__: each
    for each in (
        mobilenet_v1, mobilenet_v3, inception, detector, segmentation, selfie, palm, micro_speech,
        magic_wand, autoencoder, sequence, wake_word, yolo,
        pyramid, style, embedding, functions, chain,
    )
}  # fmt: skip
