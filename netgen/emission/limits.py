"""The probe of `bench --profile`: C that measures what a core can do, and times a model's steps."""

from __future__ import annotations

from netgen.emission.environment import render
from netgen.kernels.targets import Target

# A chain waits for itself for some 4 cycles (8 where a multiply and an add are two instructions),
# while up to 4 others go on.
_FEWEST_CHAINS, _MOST_CHAINS = 12, 16

# Where the target has no vector types: those that every processor with vectors has.
_PLAIN_WIDTH = 4


def vector_floats(target: Target) -> int:
    """The number of floats in the probe's vectors: as in the target's widest."""
    return target.f32.vector_widths[0] if target.f32.vector_types else _PLAIN_WIDTH


def chains(target: Target) -> int:
    """The number of sums that the probe keeps in registers: as the target's largest tile, or 12."""
    return min(_MOST_CHAINS, max(_FEWEST_CHAINS, *(p * v for p, v in target.f32.tiles)))


def limits_source(target: Target, pointers: int) -> str:
    """The probe's C for a target, and for models whose run takes so many pointers.

    It is compiled here and now by gcc or clang, and never given to anyone: so it may use their
    vector types for every target, and the system's clock.
    """
    return render(
        "limits.c.j2",
        bytes=4 * vector_floats(target),
        chains=chains(target),
        pointer_types=", ".join(["void *"] * pointers),
        pointers=", ".join(f"p[{n}]" for n in range(pointers)),
    )
