"""A part of a file: what some of its tensors follow from, and no more.

Networks end where the user says: what follows may be done elsewhere, as the choice of boxes behind
a detector is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from netgen.errors import UsageError
from netgen.frontends.tflite.parts import FileOperator, ModelFile
from netgen.frontends.tflite.variables import OF_VARIABLES

# So many names an error lists.
_LISTED = 12


def cut_file(file: ModelFile, names: Iterable[str], where: str) -> ModelFile:
    """The file with these outputs: names of tensors, as the file or as netgen has them.

    Inputs stay, and operators on variables with what they read. Raises UsageError for a name that
    no operator makes.
    """
    made = {index for operator in file.operators for index in operator.outputs}
    outputs = tuple(_find(file, name, made, where) for name in names)
    if not outputs:
        raise UsageError("no output is named", where=where, expected="outputs=NAME,NAME")
    needed, kept = set(outputs), list[FileOperator]()
    for operator in reversed(file.operators):
        if needed.isdisjoint(operator.outputs) and operator.name not in OF_VARIABLES:
            continue
        kept.append(operator)
        needed.update(operator.inputs)
    return replace(file, operators=tuple(reversed(kept)), outputs=outputs)


def _find(file: ModelFile, name: str, made: set[int], where: str) -> int:
    """The tensor that has this name, in the file rather than in netgen."""
    for index in sorted(made):
        if file.tensors[index].shown == name:
            return index
    for index in sorted(made):
        if file.tensors[index].name == name:
            return index
    last = [file.tensors[index].shown for index in sorted(made, reverse=True)]
    listed = ", ".join(last[:_LISTED]) + (", ..." if len(last) > _LISTED else "")
    raise UsageError(
        "no operator makes a tensor of this name",
        where=where,
        expected=f"one of {listed}",
        found=name,
    )
