"""In which order a depthwise step computes the pixels of a band, where its result meets x."""

from __future__ import annotations

from dataclasses import dataclass

from netgen.plan.data.plan import Plan, Step


@dataclass(frozen=True)
class PixelOrder:
    """`rows` rows at once, column by column: of each all outputs are computed, then written.

    Those of the first `late` columns are written behind the last column, but for the first row's.
    """

    rows: int = 1
    late: int = 0


PIXEL_BY_PIXEL = PixelOrder()


def pixel_order(plan: Plan, step: Step) -> PixelOrder:
    """The order of a step's kernel, as the parameters say that its template prints."""
    match plan.instances[step.instance].parameters:
        case {"bodies": [{"rows": int(rows), **_others}, *_], "late": int(late)} if rows > 0:
            return PixelOrder(rows, late)
    return PIXEL_BY_PIXEL
