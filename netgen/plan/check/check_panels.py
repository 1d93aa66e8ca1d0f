"""Checks of packed products: all weights are multiplied, and no sum of int16 saturates.

Nothing of how kernels order products is shared: what is there is added up again, and sums are
driven as far as codes can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netgen.errors import PlanError
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.panels import Panel, Terms

# Instructions that add up in int16 take codes without sign.
_MOST_CODE = 255


def check_panels(
    where: str, layer: Layer, constants: Mapping[str, Packed], panels: Sequence[Panel]
) -> None:
    """The panels multiply what the layer does, once. Raises PlanError."""
    w = constants["w"]
    centred = w.reshape(len(w), -1).astype(np.int64) - layer.operands["w"].zero
    found = np.zeros_like(centred)
    for panel in panels:
        for terms in panel.terms:
            _check_sums(where, panel, terms)
            _add(where, found, panel, terms)
    if (wrong := np.argwhere(found != centred)).size:
        channel, position = wrong[0].tolist()
        raise PlanError(
            "a weight is not packed as it is",
            where=f"{where}, channel {channel}, weight {position}",
            expected=str(centred[channel, position]),
            found=str(found[channel, position]),
        )


def _check_sums(where: str, panel: Panel, terms: Terms) -> None:
    if not terms.narrow:
        return
    most = _MOST_CODE * np.maximum(terms.weights, 0).sum(axis=2)
    least = _MOST_CODE * np.minimum(terms.weights, 0).sum(axis=2)
    if (wrong := np.argwhere((most >= 2**15) | (least < -(2**15)))).size:
        lane, at = wrong[0].tolist()
        raise PlanError(
            "products that are added up in int16 saturate",
            where=f"{where}, channel {int(panel.channels[lane])}",
            found=f"weights {terms.weights[lane, at].tolist()}",
        )


def _add(where: str, found: Packed, panel: Panel, terms: Terms) -> None:
    """Adds the weights of the terms to those found. No weight may stand where no input is."""
    lanes, positions = panel.channels, terms.inputs
    nowhere = (lanes < 0)[:, None, None] | (positions < 0)
    if terms.weights[nowhere].any():
        raise PlanError("a weight multiplies what is no input of the layer", where=where)
    rows = np.broadcast_to(lanes[:, None, None], nowhere.shape)[~nowhere]
    columns = np.broadcast_to(positions, nowhere.shape)[~nowhere]
    np.add.at(found, (rows, columns), terms.weights[~nowhere])
