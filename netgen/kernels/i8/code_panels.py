"""Panels of outputs whose sums become codes together, and the pieces of each in y."""

from __future__ import annotations

from collections.abc import Sequence

from netgen.kernels.layer import Json, Layer
from netgen.kernels.layout import common_spans
from netgen.kernels.products import visiting_orders


def scattered(layer: Layer) -> bool:
    """Whether the outputs of a pixel stand in several places."""
    return len(_spans(layer)) > 1


def describe_code_panels(
    layer: Layer, outputs: int, most_vectors: int, lanes: int
) -> dict[str, Json]:
    """Panels of as many vectors of `lanes` outputs as a tile has, and the pieces of each in y."""
    width, vectors = most_vectors * lanes, -(-outputs // lanes)
    whole = vectors // most_vectors
    loops = [(0, min(whole * width, outputs), most_vectors)]
    if vectors % most_vectors:
        loops.append((whole * width, outputs, vectors % most_vectors))
    panels: list[Json] = [
        {
            "first": first,
            "end": end,
            "channels": count * lanes,
            "elements": count * lanes,
            "width": count * lanes,
            "vectors": count,
            "number": first // width,
            "full": (end - first) % (count * lanes) == 0,
        }
        for first, end, count in loops
    ]
    spans = _spans(layer)
    if len(spans) == 1:
        return {"panels": panels, "y_first": spans[0][2], "y_pieces": [], "piece_ends": []}
    pieces: list[Json] = []
    ends: list[Json] = [0]
    for first in range(0, outputs, width):
        for start, count, place in spans:
            low, high = max(start, first), min(start + count, first + width)
            if low < high:
                pieces.append([low - first, place + low - start, high - low])
        ends.append(len(pieces))
    return {"panels": panels, "y_first": 0, "y_pieces": pieces, "piece_ends": ends}


def _spans(layer: Layer) -> Sequence[tuple[int, int, int]]:
    """Outputs side by side in y: how many are visited before, their number, their first place."""
    (order,) = visiting_orders(layer.layout("y"), 1)
    spans = common_spans({"y": layer.layout("y")}, order)
    return [(span.start, span.channels, span.first["y"]) for span in spans]
