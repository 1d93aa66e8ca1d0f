"""Ranges and squares of the channels of every value, over all calibration images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from netgen.errors import InputError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.quantisation.over_images import last_uses, value_of_floats

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ChannelStatistics:
    """The least, the greatest and the mean square of each channel, the last axis."""

    low: Array
    high: Array
    square: Array

    @property
    def is_constant(self) -> bool:
        """Whether all elements are one number."""
        return float(self.low.min()) == float(self.high.max())

    def scaled(self, factors: Array) -> ChannelStatistics:
        """Give the statistics of channels times positive factors."""
        return ChannelStatistics(self.low * factors, self.high * factors, self.square * factors**2)


def batches_of_floats(graph: Graph, images: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Every value of a graph of floats in order, as a batch; it is forgotten after its last use."""
    values: dict[str, Array] = {}
    ended = last_uses(graph)
    count = len(next(iter(images.values())))
    for node in (*graph.inputs, *graph.states):
        values[node.name] = images[node.name]
        yield node.name, values[node.name]
    for node in graph.activations:
        values[node.name] = value_of_floats(graph, node, values, count)
        yield node.name, values[node.name]
        for name in ended.get(node.name, ()):
            del values[name]


def channel_statistics(
    graph: Graph, images: Mapping[str, Array], progress: Progress
) -> dict[str, ChannelStatistics]:
    """Run the network of floats. Raises InputError for a value that overflows."""
    found: dict[str, ChannelStatistics] = {}
    for name, batch in batches_of_floats(graph, images):
        progress(f"watching %{name} ({len(found) + 1} of {len(graph.activations) + 1})")
        flat = batch.reshape(-1, batch.shape[-1])
        low, high = flat.min(axis=0), flat.max(axis=0)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise InputError(
                "the network of floats computes no finite numbers from these images",
                where=f"%{name}",
                hint="check the normalisation of the images",
            )
        square = np.einsum("ij,ij->j", flat, flat, dtype=np.float64) / len(flat)
        found[name] = ChannelStatistics(low.astype(np.float64), high.astype(np.float64), square)
    return found
