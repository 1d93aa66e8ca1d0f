"""The pointers into what the configuration lends: of each region one for every type in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netgen.emission.c_types import C_TYPES, pointer_name
from netgen.emission.calls import used


@dataclass(frozen=True)
class Lent:
    """A variable `name` that points to elements of `c_type` in a `region`."""

    name: str
    region: str
    c_type: str


_LENT = {
    pointer_name(region, dtype): Lent(pointer_name(region, dtype), region, kind.name)
    for region in ("arena", "slow_arena", "weights")
    for dtype, kind in C_TYPES.items()
}


def lent_pointers(expressions: Iterable[str]) -> tuple[Lent, ...]:
    """The lent pointers that expressions use, such as the arguments of calls."""
    return tuple(_LENT[name] for name in used(_LENT, expressions))
