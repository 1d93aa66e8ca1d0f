"""Loops over the outputs of a depthwise convolution that has several of each input."""

from __future__ import annotations

from netgen.kernels.layer import Json, Layer
from netgen.kernels.stretches import order_of
from netgen.kernels.terms import quotient, sum_of


def depthwise_stretches(layer: Layer) -> list[Json]:
    """Loops over outputs that follow each other in y, and whose inputs do so in x."""
    multiplier = layer.operands["w"].shape[0] // layer.operands["x"].shape[3]
    order = order_of(layer)
    y = layer.layout("y").places()[order].tolist()
    x = layer.layout("x").places()[order // multiplier].tolist()
    found: list[Json] = []
    first = 0
    while first < len(y):
        # (o + phase) / multiplier steps from input to input where the outputs do.
        phase = (int(order[first]) - first) % multiplier
        shift = x[first] - (first + phase) // multiplier
        end = first + 1
        while (
            end < len(y)
            and y[end] == y[end - 1] + 1
            and x[end] == (end + phase) // multiplier + shift
        ):
            end += 1
        whole = end - first == len(y)
        o = first if end == first + 1 and not whole else "o"
        found.append(
            {
                "first": first,
                "end": "outputs" if whole else end,
                "x": sum_of(quotient(sum_of(o, phase), "multiplier"), shift),
                "y": sum_of(o, y[first] - first),
            }
        )
        first = end
    return found
