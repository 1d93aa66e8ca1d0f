"""A budget bounds what is made of the few bytes that a file of another tool may have."""

from __future__ import annotations

from netgen.errors import GraphError

# Enough for the masks and grids that exporters write out, and little to hold or to compute.
_FREE = 1 << 25
# Weights are cast, turned and reshaped before they are used.
_TIMES = 16


class Budget:
    """The number of elements that may still be made, or read again.

    A few bytes of a file may ask for any number of them: by repeating, broadcasting, counting.
    `held` is the number of elements that the file itself has.
    """

    def __init__(self, held: int = 0, *, free: int = _FREE, times: int = _TIMES) -> None:
        self._left = free + times * held

    def take(self, elements: int) -> None:
        """Count elements; raises GraphError where there are no more, or fewer than none."""
        if elements < 0:
            raise GraphError("a constant of an impossible shape", found=f"{elements} elements")
        if elements > self._left:
            raise GraphError(
                "constants become larger than a model of this size needs",
                expected=f"at most {self._left} more elements",
                found=str(elements),
            )
        self._left -= elements
