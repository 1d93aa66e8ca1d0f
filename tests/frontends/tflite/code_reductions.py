"""Operators of codes that reduce, compare, broadcast and pick, drawn at random."""

from __future__ import annotations

import numpy as np

from tests.frontends.tflite.code_models import KINDS, Build, Draw, extents, scale_of, zero_of
from tests.frontends.tflite.tflite_models import Model

_AXES = ((1,), (2,), (1, 2), (-1,), (1, 3), (0, 2))


def _shape(draw: Draw) -> tuple[int, int, int, int]:
    """An image, sometimes a batch of three."""
    _, rows, columns, channels = extents(draw)
    return int(draw.choice([1, 1, 1, 3])), rows + 2, columns + 2, channels + 8


def _near(draw: Draw, scale: float) -> float:
    """A scale near another, often a power of 2 away, where ties are."""
    return float(np.float32(scale * draw.choice([2.0 ** draw.uniform(-3, 3), 0.5, 2.0, 1.0])))


def reduction(operator: str) -> Build:
    """Some axes; means and sums have a scale of their own."""

    def build(draw: Draw) -> Model:
        kind = "uint8" if operator == "SUM" else str(draw.choice(KINDS[:2]))
        shape, axes = _shape(draw), _AXES[int(draw.integers(len(_AXES)))]
        own = scale, zero = scale_of(draw), zero_of(draw, kind)
        model = Model({"x": shape})
        model.codes_of("x", shape, kind, scale, zero)
        if operator in {"MEAN", "SUM"}:
            count = np.prod([shape[axis] for axis in axes]) if operator == "SUM" else 1
            own = _near(draw, scale * float(count)), zero_of(draw, kind)
        model.codes_of("y", (), kind, *own)
        given = ["x", model.integers("axes", *axes)]
        return model.node(operator, given, KeepDims=bool(draw.random() < 0.5))

    return build


def place(operator: str) -> Build:
    """The greatest or the least code along an axis; equal ones are common."""

    def build(draw: Draw) -> Model:
        kind, shape = str(draw.choice(KINDS[:2])), _shape(draw)
        axis = int(draw.choice([1, 2, 3, -1]))
        model = Model({"x": shape})
        model.codes_of("x", shape, kind, scale_of(draw), zero_of(draw, kind))
        model.tensor("y", tuple(np.delete(shape, axis).tolist()), "int32")
        given = model.constant("axis", np.int32(axis), "int32")
        return model.node(operator, ["x", given], OutputType=2)

    return build


def broadcast(operator: str) -> Build:
    """Operands of any shapes that broadcast, in scales of their own where there may be several."""

    def build(draw: Draw) -> Model:
        one_scale, signed = operator in {"MAXIMUM", "MINIMUM"}, operator == "SQUARED_DIFFERENCE"
        kinds = KINDS if operator in {"ADD", "MUL", "SUB"} else KINDS[:2]
        kind, wide = "int8" if signed else str(draw.choice(kinds)), _shape(draw)
        narrow = tuple(n if draw.random() < 0.6 else 1 for n in wide)
        narrow = narrow[int(draw.choice([0, 0, 1, 2])) :]
        shapes = [wide, narrow] if draw.random() < 0.5 else [narrow, wide]
        a = scale_of(draw), zero_of(draw, kind)
        b = a if one_scale else (_near(draw, a[0]), zero_of(draw, kind))
        size = {
            "MUL": a[0] * b[0] * (16384.0 if kind == "int16" else 64.0),
            "SQUARED_DIFFERENCE": max(a[0], b[0]) ** 2 * 64.0,
        }
        y = a if one_scale else (_near(draw, size.get(operator, a[0])), zero_of(draw, kind))
        model = Model(dict(zip("ab", shapes, strict=True)))
        for name, shape, own in zip("ab", shapes, (a, b), strict=True):
            model.codes_of(name, shape, kind, *own)
        model.codes_of("y", (), kind, *y)
        act = {"FusedActivationFunction": int(draw.choice([0, 0, 1, 2, 3]))}
        return model.node(operator, ["a", "b"], **({} if one_scale or signed else act))

    return build


def picking(draw: Draw) -> Model:
    """Any places of the first axes, many of them twice."""
    kind, shape, known = str(draw.choice(KINDS[:2])), _shape(draw), int(draw.integers(1, 4))
    count = int(draw.integers(1, 9))
    places = np.stack([draw.integers(0, extent, count) for extent in shape[:known]], axis=1)
    model = Model({"x": shape})
    model.codes_of("x", shape, kind, 0.5, 3)
    model.codes_of("y", (), kind, 0.5, 3)
    return model.node("GATHER_ND", ["x", model.constant("i", places.astype(np.int32), "int32")])


REDUCTIONS: dict[str, Build] = {
    "ADD": broadcast("ADD"),
    "ARG_MAX": place("ARG_MAX"),
    "ARG_MIN": place("ARG_MIN"),
    "GATHER_ND": picking,
    "MAXIMUM": broadcast("MAXIMUM"),
    "MEAN": reduction("MEAN"),
    "MINIMUM": broadcast("MINIMUM"),
    "MUL": broadcast("MUL"),
    "REDUCE_MAX": reduction("REDUCE_MAX"),
    "REDUCE_MIN": reduction("REDUCE_MIN"),
    "SQUARED_DIFFERENCE": broadcast("SQUARED_DIFFERENCE"),
    "SUB": broadcast("SUB"),
    "SUM": reduction("SUM"),
}
