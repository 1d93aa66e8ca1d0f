"""Requantisation in vectors: the constants by which accumulators of channels become codes.

Vectors of channels take the cheapest form that is proved for all of them (`float_forms`), or else
the exact integers of their definition. Weights of a blob can be exchanged without new code, so the
form is data: a kernel reads it once for each vector and tile. Kernels that share a definition share
these constants. The constants of one vector are ROWS rows of int32, each with a word per lane:

| row | words |
|---|---|
| 0 | the form, the same in all lanes: EXACT, SIGNED or AFFINE |
| 1, 2 | what the exact form computes from: of fixed point the mantissa and the shift |
| 3, 4 | m and c of the vector's float form, the bits of float32; 0 in vectors that have none |

The exact words always stand there: the plain C that other processors compile knows no other form.
A kernel's own rows (biases, into which zero points fold) stand where it likes. The functions of
vectors that read a block are printed by `templates/requantisation.c.j2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array, TensorType
from netgen.kernels.i8.float_forms import Codes, FloatForm, Sums, find_affine, find_signed
from netgen.kernels.i8.scalings import Scaling
from netgen.kernels.layer import Packed

EXACT, SIGNED, AFFINE = 0, 1, 2
ROWS = 5


@dataclass(frozen=True)
class Requantisation:
    """The definition of the codes of some channels, and the sums that can occur in them."""

    scaling: Scaling
    sums: Sums
    codes: Codes


def occurring_sums(w: Array, b: Array, x: TensorType, zero: int = 0) -> Sums:
    """The least and the largest sum of each channel, for weights [channels, k] of this zero point.

    A tap outside the image counts as the zero point of x, which is one of its codes.
    """
    low, high = x.element.low - x.zero, x.element.high - x.zero
    centred = w.astype(np.int64) - zero
    ends = centred * low, centred * high
    return Sums(
        b + np.minimum(*ends).sum(axis=1, dtype=np.int64),
        b + np.maximum(*ends).sum(axis=1, dtype=np.int64),
    )


def pack_requantisation(
    definition: Requantisation, vectors: Sequence[Sequence[int]]
) -> list[Packed]:
    """The rows of each vector, whose lanes are these channels; lanes of -1 hold none.

    Lanes without a channel give any code: they are never stored.
    """
    forms = _float_forms(definition)
    exact = definition.scaling.words
    packed: list[Packed] = []
    for vector in vectors:
        lanes = np.asarray(vector, np.int64)
        full = lanes >= 0
        channels = lanes[full]
        block = np.zeros((ROWS, len(lanes)), np.int32)
        block[1:3, full] = exact[:, channels]
        for form, found in forms.items():
            if found.proved[channels].all():
                block[0] = form
                block[3, full], block[4, full] = (
                    numbers[channels].view(np.int32) for numbers in (found.m, found.c)
                )
                break
        packed.append(block)
    return packed


def _float_forms(definition: Requantisation) -> dict[int, FloatForm]:
    """The float forms, the cheapest first; the others only where it is not proved for all."""
    parts = definition.scaling, definition.sums, definition.codes
    forms = {AFFINE: find_affine(*parts)}
    if not forms[AFFINE].proved.all():
        forms[SIGNED] = find_signed(*parts)
    return forms
