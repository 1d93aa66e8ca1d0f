"""Inputs of a network that takes bytes, as the network that was declared takes them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.runtime.photos import normalise


def declared_inputs(declared: Graph, graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Inputs for other runtimes, where `graph` is the `declared` one after `take_pixels`.

    Pixels are normalised, codes of u8 become those of i8 for the same numbers.
    """
    given = dict(inputs)
    for node in declared.inputs:
        taken, array = graph[node.name].type, inputs[node.name]
        if taken.dtype == node.type.dtype:
            continue
        if node.type.element.is_float:
            given[node.name] = _normalised(graph, array)
        else:
            shift = taken.zero - node.type.zero
            given[node.name] = (array.astype(np.int64) - shift).astype(node.type.element.storage)
    return given


def _normalised(graph: Graph, pixels: Array) -> Array:
    """Floats of pixels; channels are their last axis, or of channels first the second one."""
    expected = graph.origin.normalisation if graph.origin else None
    assert expected is not None
    if pixels.shape[-1] == len(expected.mean):
        return normalise(pixels, expected)
    last = normalise(np.moveaxis(pixels, 1, -1), expected)
    return np.ascontiguousarray(np.moveaxis(last, -1, 1))
