"""The places of states: the arena begins with them, so that the rest is free between runs.

What lives all the time can stand anywhere: shapes that are placed around it can as well be placed
behind it, in as many bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from netgen.plan.data.alignment import round_up
from netgen.plan.data.plan import Buffer


def state_offsets(buffers: Iterable[Buffer], alignment: int) -> dict[str, int]:
    """The offset of every buffer that lives between runs, by its name."""
    offsets: dict[str, int] = {}
    end = 0
    for buffer in buffers:
        if buffer.kind == "state":
            offsets[buffer.name] = end
            end += round_up(buffer.bytes, alignment)
    return offsets


def state_bytes(buffers: Iterable[Buffer], alignment: int) -> int:
    """The bytes of all of them."""
    return sum(round_up(b.bytes, alignment) for b in buffers if b.kind == "state")
