"""Reads and writes of vectors in memory; a vector of one is an element."""

from __future__ import annotations

from netgen.kernels.terms import Term, grouped, sum_of


def load(width: int) -> str:
    """Macro that reads `width` floats at any address of a float."""
    return f"LOAD{width}"


def store(width: int) -> str:
    """Macro that writes `width` floats at any address of a float."""
    return f"STORE{width}"


def read(width: int, pointer: str, *at: Term) -> str:
    """Expression of the `width` floats so many elements behind a pointer."""
    if width == 1:
        return f"{pointer}[{sum_of(*at)}]"
    return f"{load(width)}({sum_of(pointer, *at)})"


def write(width: int, pointer: str, at: Term, value: str) -> str:
    """Statement that writes `width` floats so many elements behind a pointer."""
    if width == 1:
        return f"{pointer}[{at}] = {value};"
    return f"{store(width)}({sum_of(pointer, at)}, {value});"


def read_at(width: int, pointer: Term) -> str:
    """Expression of the `width` floats at a pointer."""
    return f"*{grouped(pointer)}" if width == 1 else f"{load(width)}({pointer})"


def lanes(width: int) -> str:
    """The head of a loop over the lanes of an array that stands for a vector."""
    return f"LANES for (int v = 0; v < {width}; ++v) "
