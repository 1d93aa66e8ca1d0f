"""Layers to blame: whose noise is above a threshold, where it comes from, what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.walk import LayerNoise


@dataclass(frozen=True)
class Blamed:
    """A layer below the threshold, and the reason with a way out."""

    name: str
    decibels: float
    reason: str


def blamed(
    noise: Sequence[LayerNoise], threshold: float, options: QuantizeOptions
) -> tuple[Blamed, ...]:
    """The layers that are noisy by themselves, and the first that is so by what it is given.

    Those behind it inherit its noise and are not named.
    """
    found, inherited = [], False
    for layer in noise:
        if layer.alone < threshold:
            found.append(Blamed(layer.name, layer.alone, _advice(layer, threshold, options)))
        elif layer.accumulated < threshold and not inherited and not found:
            inherited = True
            reason = (
                "no layer is noisy alone, their noise adds up: more images to calibrate with, or "
                "keep layers in floats, the noisiest alone first"
            )
            found.append(Blamed(layer.name, layer.accumulated, reason))
    return tuple(found)


def _advice(layer: LayerNoise, threshold: float, options: QuantizeOptions) -> str:
    keep = f"--keep-float {layer.name}"
    if layer.weights is not None and layer.weights < threshold + 3.0:
        if options.round_weights:
            return f"its weights do not fit into 8 bits: {keep}"
        return f"its weights do not fit into 8 bits: leave adaptive rounding on, or {keep}"
    if not options.equalise and layer.weights is not None:
        return f"few channels take the range of all: leave equalisation on, or {keep}"
    if options.observer == "minmax":
        return f"few large numbers take the range of all: --observer search, or {keep}"
    return f"its numbers do not fit into 256 codes: {keep}"
