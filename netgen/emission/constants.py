"""Named constants of a kernel's function: those of its whole numbers that its code names.

Templates write a number of the parameters by its name, or by `named.NAME` where printers may leave
it out. A function declares the names that stand in its code, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from netgen.kernels.layer import Json
from netgen.kernels.terms import NamedInt, named_int

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# Where the body of a function begins.
_BODY = "\n{\n"


def named_constants(parameters: Mapping[str, Json]) -> dict[str, NamedInt]:
    """The whole numbers of an instance by name, distances of pixels and rows among them.

    In a band `band_rows` are computed; rows of x are `row_pitch` apart, in `row_slots` if they wait
    in a ring.
    """
    numbers = {name: value for name, value in parameters.items() if type(value) is int}
    pitches, band = parameters.get("pitches", {}), parameters.get("band")
    assert isinstance(pitches, dict)
    numbers |= {name: value for name, value in pitches.items() if type(value) is int}
    match band, parameters.get("pitch"):
        case {"rows": int(rows), "slots": int(slots), "row_pixels": int(pixels)}, {"x": str(pitch)}:
            between = {"row_pitch": pixels * numbers[pitch], "row_slots": slots}
            numbers |= {"band_rows": rows, **between}
    return {name: named_int(name, value) for name, value in numbers.items()}


def used_names(function: str, names: Iterable[str]) -> list[str]:
    """The names that stand in the code of a function's body."""
    _, body = function.split(_BODY, 1)
    words = set(re.findall(r"\w+", _COMMENT.sub("", body)))
    return [name for name in names if name in words]


def with_constants(
    function: str, constants: Mapping[str, NamedInt], own: str, passed: str = ""
) -> str:
    """The function with a declaration of its constants; names in `own` are its parameters.

    Behind them stands the declaration of what is `passed`.
    """
    head, body = function.split(_BODY, 1)
    words = {*used_names(function, constants)} - set(re.findall(r"\w+", own))
    used = [f"{name} = {int(value)}" for name, value in constants.items() if name in words]
    declaration = f"enum {{ {', '.join(used)} }};\n" if used else ""
    return head + _BODY + declaration + passed + body
