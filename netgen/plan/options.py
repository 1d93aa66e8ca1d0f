"""What a user asks of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Where the image is: in the caller's memory, in the arena, or nowhere: its rows are pushed.
Image = Literal["caller", "arena", "rows"]


@dataclass(frozen=True)
class PlanOptions:
    """`ram` is the most bytes that the arena may have; without it the plan is the fastest.

    With `copies` channel maps are executed instead of being views: to compare the two.
    """

    ram: int | None = None
    image: Image = "caller"
    copies: bool = False


DEFAULT = PlanOptions()
