"""Post-training quantisation on one screen: watch, equalise, choose ranges, fit the layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netgen.errors import GraphError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.passes import fuse_for_codes
from netgen.quantisation.coded_graph import CodedGraph
from netgen.quantisation.fit import fitted
from netgen.quantisation.gains import Gain, judged_steps
from netgen.quantisation.images import checked_images
from netgen.quantisation.one_blas_thread import one_blas_thread
from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.scheme import scheme_of
from netgen.quantisation.statistics import Progress, channel_statistics
from netgen.quantisation.walk import Walk


@dataclass(frozen=True)
class Quantised:
    """The network of codes, what the walk found, and the nodes that stayed in floats."""

    graph: Graph
    walk: Walk
    floats: tuple[str, ...]
    gains: tuple[Gain, ...]


def quantise(
    graph: Graph,
    images: Mapping[str, Array],
    options: QuantizeOptions,
    progress: Progress,
    *,
    judge_steps: bool = True,
) -> Quantised:
    """The graph with codes of i8 where operators have a form in them, fitted to images.

    `images` are batches of inputs by name, as the network of floats takes them. With `judge_steps`
    each step is judged first on a part of them, half of which it is not fitted to: one that makes
    the network worse is left out.

    Raises InputError for images that do not fit, GraphError for a network that has codes already,
    or a state.
    """
    with one_blas_thread():
        fused = prepared(graph)
        given = checked_images(fused, images)
        scheme = scheme_of(fused, options.keep_float)
        statistics = channel_statistics(fused, given, progress)
        gains: tuple[Gain, ...] = ()
        if judge_steps:
            options, gains = judged_steps(fused, scheme, statistics, given, options, progress)
        learned = np.ones(len(next(iter(given.values()))), bool)
        network, meaning, walk = fitted(
            fused, scheme, statistics, given, options, learned, progress
        )
        coded = CodedGraph(network, scheme, meaning, walk.weights, options.ports).finished()
        floats = tuple(node.name for node in fused.activations if node.name not in scheme.coded)
        return Quantised(coded, walk, floats, gains)


def prepared(graph: Graph) -> Graph:
    """The graph after the passes that codes have a form for; raises GraphError, see `quantise`."""
    if (node := graph.first_codes()) is not None:
        raise GraphError(
            "this network has codes already", where=f"%{node.name}", found=str(node.type)
        )
    if graph.states:
        raise GraphError(
            "a network with a state cannot be quantised: its images are no runs that follow each "
            "other",
            where=f"%{graph.states[0].name}",
        )
    return fuse_for_codes(graph)
