"""Requantisation in vectors: the constants by which sums of channels become codes.

Vectors of channels take the cheapest form that is proved for all of them (`float_forms`), or else
the exact integers of their definition. Weights of a blob can be exchanged without new code, so the
form is data: a kernel reads it once for each vector and tile. The constants of one vector are ROWS
rows of int32, each with a word per lane:

| row | words |
|---|---|
| 0 | the form, the same in all lanes: EXACT, SIGNED, AFFINE or EVEN |
| 1, 2 | what rescales sums exactly (`sums.rescaling_words`): two words |
| 3, 4 | m and c of the float form, the bits of float32; 0 in vectors that have none |

In the form EVEN the first of them is the float by which sums are multiplied (`scalings.Evens`). The
exact words always stand there: the plain C that other processors compile knows no other form.
A kernel's own rows (biases, into which zero points fold) stand where it likes. The functions of
vectors that read a block are printed by `templates/codes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.float_forms import Codes, FloatForm, Sums, find_affine, find_signed
from netgen.kernels.i8.scalings import Doubles, Evens, FixedPoint, Scaling
from netgen.kernels.i8.sums import Words, checked_sums, rescaling_words
from netgen.kernels.layer import Layer, Packed
from netgen.ops.fixed_point import Multipliers
from netgen.ops.rescaled import clamped_codes
from netgen.ops.weighted import Weighted

EXACT, SIGNED, AFFINE, EVEN = 0, 1, 2, 3
ROWS = 5


@dataclass(frozen=True)
class Requantisation:
    """The definition of the codes of some channels, and the sums that can occur in them.

    `exact` are the two words by which each channel's sums are rescaled exactly, [channels, 2].
    """

    scaling: Scaling
    exact: Words
    sums: Sums
    codes: Codes


def requantisation_of(layer: Layer, constants: Mapping[str, Packed]) -> Requantisation:
    """The definition of a layer with weights: `constants` are those that `Kernel.pack` gets.

    Raises WeightsError where sums do not fit int32.
    """
    op, y = layer.op, layer.result
    assert isinstance(op, Weighted)
    sums, exact = Sums(*checked_sums(layer, constants)), rescaling_words(layer, constants)
    codes = Codes(y.zero, *clamped_codes(op.activation or "none", y))
    return Requantisation(scaling_of(exact, op.rounding), exact, sums, codes)


def scaling_of(exact: Words, rounding: str) -> Scaling:
    """The scaling that words stand for: halves of doubles if `real`, or multipliers and shifts.

    Those of the rounding `even` are floats.
    """
    if rounding == "even":
        return Evens(np.ascontiguousarray(exact[:, 0].astype("<i4")).view("<f4"))
    if rounding == "real":
        return Doubles(np.ascontiguousarray(exact.astype("<i4")).view("<f8")[:, 0])
    return FixedPoint(Multipliers(*exact.astype(np.int64).T))


def pack_requantisation(
    definition: Requantisation, vectors: Sequence[Sequence[int] | Array]
) -> list[Words]:
    """The rows of each vector, whose lanes are these channels; lanes of -1 hold none.

    Lanes without a channel give any code: they are never stored.
    """
    forms = _float_forms(definition)
    packed: list[Words] = []
    for vector in vectors:
        lanes = np.asarray(vector, np.int64)
        full = lanes >= 0
        channels = lanes[full]
        block = np.zeros((ROWS, len(lanes)), np.int32)
        block[0] = EVEN if isinstance(definition.scaling, Evens) else EXACT
        block[1:3, full] = definition.exact[channels].T
        for form, found in forms.items():
            if found.proved[channels].all():
                block[0] = form
                for row, numbers in ((3, found.m), (4, found.c)):
                    block[row, full] = numbers[channels].view(np.int32)
                break
        packed.append(block)
    return packed


def _float_forms(definition: Requantisation) -> dict[int, FloatForm]:
    """The float forms, the cheapest first; the other one only where it is not proved for all."""
    parts = definition.scaling, definition.sums, definition.codes
    forms = {AFFINE: find_affine(*parts)}
    # Halves to even take no more than the signed form, so those have no other one.
    if not forms[AFFINE].proved.all() and not isinstance(definition.scaling, Evens):
        forms[SIGNED] = find_signed(*parts)
    return forms
