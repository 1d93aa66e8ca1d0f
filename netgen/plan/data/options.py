"""What a user asks of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.plan.data.tuning import Tuning

# Where the image is: in the caller's memory, in the arena, or nowhere: its rows are pushed.
Image = Literal["caller", "arena", "rows"]


@dataclass(frozen=True)
class PlanOptions:
    """`ram` is the most bytes that the arena may have; without it the plan is the fastest.

    With `slow` there are two regions of RAM: `ram` is the size of the fast one. With `copies`
    channel maps are executed instead of being views: to compare the two. Unless `accept_gap`, an
    arena that is not proven to be the smallest needs the solver. Without `winograd` no convolution
    takes that numeric form. `tuning` holds choices of kernels that were measured; without it each
    kernel takes its own. Calls are divided between `threads`, at most MOST_THREADS.
    """

    ram: int | None = None
    image: Image = "caller"
    copies: bool = False
    slow: int | None = None
    accept_gap: bool = False
    winograd: bool = True
    tuning: Tuning | None = None
    threads: int = 1


# More than any machine for such networks has; a guard against slips of the finger.
MOST_THREADS = 64


# The most bytes of the arena; or those of a fast and of a slow region of RAM.
Ram = int | tuple[int, int] | None


def plan_options(
    ram: Ram,
    image: Image,
    *,
    accept_gap: bool = False,
    winograd: bool = True,
    tuning: Tuning | None = None,
    threads: int = 1,
) -> PlanOptions:
    """The options of a plan as users give them."""
    fast, slow = ram if isinstance(ram, tuple) else (ram, None)
    return PlanOptions(
        fast,
        image,
        slow=slow,
        accept_gap=accept_gap,
        winograd=winograd,
        tuning=tuning,
        threads=threads,
    )


DEFAULT = PlanOptions()
