"""The loops of elementwise kernels: plain ones, or over vectors where an activation is computed.

Compilers make vectors of plain sums and products, but gcc of few activations: it does not compare
what it would else not have computed, since a comparison could trap.
"""

from __future__ import annotations

from collections.abc import Sequence

from netgen.kernels.layer import Json, Layer, Shared
from netgen.kernels.sharing import with_vectors
from netgen.kernels.stretches import (
    describe_elements,
    describe_pitches,
    describe_vector_runs,
    is_flat,
    vector_runs,
)
from netgen.kernels.targets import Target


def describe_activated(
    layer: Layer, target: Target, letters: Sequence[str], act: str, *, spread: bool = False
) -> dict[str, Json]:
    """The parameters of a loop over all elements, or over pixels and the channels of each.

    `letters` are the buffers with places. With `spread` one operand has one number per channel.
    With a `vector_width` elements come in vectors: whole ones of `vector_elements`, then the rest
    in one of its own, so that all are computed alike; channels come in vectors as long as there are
    enough.
    """
    if act == "none" or not target.f32.vector_types:
        return describe_elements(layer, letters)
    elements, channels = layer.result.elements, layer.layout("y").channels
    width = target.f32.vector_widths[0]
    if is_flat(layer, letters) and not spread:
        rest = elements % width
        whole: dict[str, Json] = {"vector_elements": elements - rest, "vector_width": width}
        return {"elements": elements, "stretches": [], **whole, "rest": rest}
    paged = [a for a in letters if a == "y" or layer.operands[a] == layer.result]
    runs = vector_runs(layer, target, letters, repeat=False)
    return {
        "pixels": elements // channels,
        "channels": channels,
        **describe_pitches(layer, paged),
        "stretches": describe_vector_runs(runs, target.f32),
        "vector_width": width,
    }


def share_activated(
    layer: Layer, target: Target, letters: Sequence[str], form: Shared | None
) -> Shared | None:
    """The form of what `describe_activated` describes, with loops over vectors of all widths."""
    if form is None or not form.parameters["stretches"] or "vector_width" not in form.parameters:
        return form
    runs = vector_runs(layer, target, letters, repeat=False)
    return with_vectors(form, "stretches", runs, target.f32)
