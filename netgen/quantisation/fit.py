"""One way to quantise a network: equalise, choose the meaning of codes, fit layer after layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array, Quantisation
from netgen.ops.weighted import Weighted
from netgen.quantisation.equalise import Equalised, equalise
from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.ranges import chosen, empty_histograms, importance, quantisation_of
from netgen.quantisation.scheme import Scheme
from netgen.quantisation.statistics import (
    ChannelStatistics,
    Progress,
    batches_of_floats,
)
from netgen.quantisation.walk import Walk, Walker


def fitted(
    graph: Graph,
    scheme: Scheme,
    statistics: Mapping[str, ChannelStatistics],
    images: Mapping[str, Array],
    options: QuantizeOptions,
    learned: Array,
    progress: Progress,
) -> tuple[Graph, dict[str, Quantisation], Walk]:
    """The network of floats as it was equalised, the meaning of its codes, and the walk.

    Everything is fitted to the images that are `learned`; noise is judged on the others, if any.
    """
    found = Equalised(graph, statistics, {})
    if options.equalise:
        found = equalise(graph, scheme, statistics)
    seen = {name: batch[learned] for name, batch in images.items()}
    meaning = meanings(found, scheme, seen, options, progress)
    walker = Walker(found.graph, scheme, meaning, options, learned)
    return found.graph, meaning, walker.walk(images, progress)


def meanings(
    found: Equalised,
    scheme: Scheme,
    images: Mapping[str, Array],
    options: QuantizeOptions,
    progress: Progress,
) -> dict[str, Quantisation]:
    """The scale and the zero point of every value that has codes, by its name."""
    graph, statistics = found.graph, dict(found.statistics)
    used = _used(graph, scheme)
    for name in used:
        if graph.is_const(name):
            flat = graph.constant(name).reshape(-1, graph[name].type.shape[-1]).astype(np.float64)
            statistics[name] = ChannelStatistics(
                flat.min(axis=0), flat.max(axis=0), (flat**2).mean(axis=0)
            )
    histograms = empty_histograms(scheme, used, statistics)
    if options.observer != "minmax":
        for name, batch in batches_of_floats(graph, images):
            progress(f"choosing the range of %{name}")
            if name in used:
                weights = importance(graph, name, statistics)
                histograms[scheme.group[name]].add(batch, weights)
    codes = {}
    for group, histogram in histograms.items():
        whole = not histogram.counts.any()
        known = quantisation_of(histogram.low, histogram.high)
        codes[group] = known if whole else chosen(histogram, options.observer)
    codes |= scheme.fixed
    return {name: codes[scheme.group[name]] for name in used}


def _used(graph: Graph, scheme: Scheme) -> list[str]:
    """The values that have codes, in order: results and operands of coded nodes."""
    used: dict[str, None] = {}
    for node in graph.activations:
        if node.name in scheme.coded:
            operands = node.operands[:1] if isinstance(node.op, Weighted) else node.operands
            used |= dict.fromkeys((*operands, node.name))
    return list(used)
