"""The functions of a compiled library, as C has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # running a compiled model needs no plans
    from netgen.plan.data.options import Image


@dataclass(frozen=True)
class Interface:
    """The arguments of a library's functions: numbers of inputs and outputs, places of images.

    `model_bytes` is the most that its `model_t` has; the generated C asserts it. With `fast_bytes`
    it takes the arena in two parts; with `threads` above 1 it may be told how many may run. A
    `stateful` one can be reset.
    """

    inputs: int
    outputs: int
    input_as: Image
    model_bytes: int
    fast_bytes: int | None = None
    threads: int = 1
    stateful: bool = False

    def signatures(self) -> dict[str, str]:
        """The functions by name, without the prefix, and their types in C."""
        given = 0 if self.input_as == "arena" else self.inputs
        found = {
            "init": "int32_t(*)(void *, void *)",
            "run": _signature(given + self.outputs),
        }
        if self.input_as == "arena":
            found |= dict.fromkeys(self.places(), "void *(*)(void *)")
        if self.stateful:
            found["reset"] = _signature(0)
        if self.input_as == "rows":
            found["push_begin"] = _signature(0)
            found["push_rows"] = "int32_t(*)(void *, void *, size_t, uint32_t)"
            found["push_finish"] = _signature(self.outputs)
        return found

    def places(self) -> list[str]:
        """The functions that say where to write each input, with `input_as` "arena"."""
        return ["input"] if self.inputs == 1 else [f"input{n + 1}" for n in range(self.inputs)]


def _signature(pointers: int) -> str:
    return f"int32_t(*)({', '.join(['void *'] * (1 + pointers))})"
