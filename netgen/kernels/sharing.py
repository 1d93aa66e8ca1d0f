"""Forms that layers of several sizes have in common, so that they can share a C function.

A form is a layer's parameters without its sizes: whole numbers that a template prints by name
wherever it uses them. Sizes that are the same for all layers of a function become its constants
again, the others are passed by each call. Layers that differ in anything else, such as activation,
places in tables or unrolled loops, have forms of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

from netgen.kernels.layer import Json, Layer, Shared
from netgen.kernels.stretches import VectorRun
from netgen.kernels.tiling import Tiling

# Whole numbers that no template of a kernel with such a form unrolls or decides by.
_SIZES = frozenset(
    {
        *("elements", "vector_elements", "rest", "pixels", "channels", "outputs"),
        *("height", "width", "out_height", "out_width", "row_elements"),
        *("kernel_rows", "kernel_columns", "stride_rows", "stride_columns"),
        *("pad_top", "pad_left", "dilation_rows", "dilation_columns"),
        *("multiplier", "group_inputs", "group_outputs", "x_first", "x_step"),
        *("count_top", "count_bottom", "count_left", "count_right"),
        *("above", "below", "before", "behind", "first_row", "first_column"),
    }
)


def shared_form(layer: Layer, parameters: Mapping[str, Json]) -> Shared:
    """The form of a layer with these parameters.

    Pitches have names of their own, whether or not pixels have spare places. The function's name
    says `any` where those of one layer say its shape.
    """
    form = {key: value for key, value in parameters.items() if key not in _SIZES}
    sizes = {key: cast("int", value) for key, value in parameters.items() if key in _SIZES}
    pitch = cast("Mapping[str, str]", parameters.get("pitch", {}))
    pitches = cast("Mapping[str, int]", parameters.get("pitches", {}))
    if pitch:
        sizes |= {f"{a}_pitch": pitches.get(name) or sizes[name] for a, name in pitch.items()}
        form |= {"pitch": {letter: f"{letter}_pitch" for letter in pitch}, "pitches": {}}
    act = parameters.get("act", "none")
    words = [layer.op.operator_name.replace("depthwise_conv2d", "depthwise"), "any"]
    words += [str(act)] if act not in {"none", *words} else []
    band = cast("Mapping[str, int] | None", parameters.get("band"))
    if band:
        sizes |= {"band_rows": band["rows"], "row_pitch": band["row_pixels"] * sizes["x_pitch"]}
        sizes |= {"row_slots": band["slots"]} if band["slots"] else {}
        form["band"] = {"slots": min(band["slots"], 1)}
        words.append("rows")
    return Shared("_".join(words), form, sizes)


def with_vectors(
    form: Shared | None, key: str, runs: Sequence[VectorRun], tiling: Tiling
) -> Shared | None:
    """The form with loops over vectors of all widths of a target, in place of those of a layer.

    Sizes are how many channels each of the loops visits, and the first place of these by letter.
    None where channels stand in several stretches, which take several loops of one width.
    """
    lines = runs[0].lines
    neighbours = all(line.step == 1 for line in lines.values())
    alike = all(a.lines == b.lines and a.width > b.width for a, b in pairwise(runs))
    if form is None or not (neighbours and alike):
        return None
    lengths = {run.width: run.end - run.first for run in runs}
    widths = [*tiling.vector_widths, 1]
    loops: list[Json] = [
        {
            "length": f"channels_{width}",
            "width": width,
            "lanes": width > 1 and not tiling.vector_types,
            "letters": [*lines],
        }
        for width in widths
    ]
    sizes = {
        **form.sizes,
        **{f"channels_{width}": lengths.get(width, 0) for width in widths},
        **{f"{letter}_first": line.shift for letter, line in lines.items()},
    }
    return Shared(form.name, {**form.parameters, key: loops}, sizes)
