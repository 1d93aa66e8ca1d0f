"""The function that lets states be what they are before the first run."""

from __future__ import annotations

from dataclasses import dataclass

from netgen.emission.calls import Calls
from netgen.emission.lent import lent_pointers
from netgen.plan.data.plan import PlannedState


@dataclass(frozen=True)
class Reset:
    """A state as C resets it: `pixels` stretches of `elements` at `to`, `step` elements apart.

    They are copied from `source`, or filled with the byte `fill` if that is empty.
    """

    title: str
    to: str
    pixels: int
    elements: int
    step: int
    bytes: int
    fill: int
    source: str


def state_resets(calls: Calls) -> dict[str, object]:
    """The context of the template: the states, and the lent pointers and constants they need."""
    resets = [_reset(calls, state) for state in calls.plan.states]
    texts = [text for reset in resets for text in (reset.to, reset.source) if text]
    return {
        "resets": resets,
        "reset_uses": lent_pointers(texts),
        "reset_constants": calls.constants_in(texts),
    }


def _reset(calls: Calls, state: PlannedState) -> Reset:
    plan = calls.plan
    kind, layout = plan.values[state.value].type, plan.layout(state.value)
    pixels, elements = kind.elements // layout.channels, layout.channels
    if layout.pitch == layout.channels:
        pixels, elements = 1, kind.elements
    return Reset(
        title=f"{state.value}: {kind}",
        to=calls.start(state.value, layout.runs[0].first),
        pixels=pixels,
        elements=elements,
        step=layout.pitch,
        bytes=elements * kind.element.bytes,
        fill=layout.border % 256 if kind.element.bytes == 1 else 0,
        source=calls.packed(state.initial, kind.dtype) if state.initial else "",
    )
