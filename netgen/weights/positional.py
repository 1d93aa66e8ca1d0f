"""Weights by position: for files whose names nobody has mapped, and only where the user asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from netgen.errors import WeightsError
from netgen.weights.bind import Layout, arranged_shape
from netgen.weights.read import WeightFile

# Counters that training keeps beside the parameters.
_COUNTERS = "num_batches_tracked"


def match_positions(
    file: WeightFile, expected: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, str], Layout]:
    """The file's names for the network's parameters, one after the other, and the file's layout.

    `expected` is in the order in which the network declares its parameters: layer by layer, a
    layer's weights before its bias, then gamma, beta, mean and variance of its batch norm, which is
    also the order in which torch saves them. The layout is the first of OIHW, OHWI and TFLite in
    which every shape fits; where none does, the strict fit reports what is off. Raises WeightsError
    where the numbers of tensors differ.
    """
    foreign = [name for name in file.arrays if not name.endswith(_COUNTERS)]
    if len(foreign) != len(expected):
        raise WeightsError(
            "the weights cannot be taken by position",
            where=str(file.path),
            expected=f"{len(expected)} tensors",
            found=str(len(foreign)),
            hint="choose the model and the parameters that the file belongs to",
        )
    names = dict(zip(expected, foreign, strict=True))
    for layout in get_args(Layout):
        shapes = (
            arranged_shape(file.arrays[names[name]], shape, layout)
            for name, shape in expected.items()
        )
        if all(a == b for a, b in zip(shapes, expected.values(), strict=True)):
            fitting: Layout = layout
            return names, fitting
    return names, "OIHW"
