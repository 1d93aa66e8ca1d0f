"""Rewrites: one pass per file, each a pure function from graph to graph.

PIPELINE is their order, with reasons. The verifier runs after every pass.
"""

from __future__ import annotations

from collections.abc import Callable

from netgen.ir.graph import Graph
from netgen.ir.verify import verify
from netgen.passes.drop_identities import drop_identities
from netgen.passes.drop_repeated_relu import drop_repeated_relu
from netgen.passes.fold_batch_norm import fold_batch_norm
from netgen.passes.fold_channel_shuffle import fold_channel_shuffle
from netgen.passes.fold_pad import fold_pad
from netgen.passes.fold_quantize import fold_quantize
from netgen.passes.fuse_activation import fuse_activation, fuse_clamp
from netgen.passes.fuse_residual_add import fuse_residual_add
from netgen.passes.merge_reshapes import merge_reshapes
from netgen.passes.move_activation import move_activation
from netgen.passes.put_constants_second import put_constants_second
from netgen.passes.reshape_state import reshape_state
from netgen.passes.share_constants import share_constants

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    drop_identities,  # nothing may stand between the operators that the next passes join
    drop_repeated_relu,  # nor between operators that move channels
    fold_pad,  # before the convolution changes its name
    fold_quantize,  # once the layer has its padding
    fold_batch_norm,  # then what stood behind the batch norm stands behind the convolution
    reshape_state,  # before what moves channels: so may states then
    fold_channel_shuffle,  # then an activation behind it sees what the channels are
    merge_reshapes,  # once no operator between them can disappear any more
    move_activation,  # before what it moves is fused
    fuse_residual_add,  # before activations: ResNet's stands behind the addition
    fuse_activation,
    put_constants_second,  # as the kernels want them
    share_constants,  # last: the passes before make new constants
)


# What makes operators that only netgen has.
_OWN: tuple[Pass, ...] = (fold_channel_shuffle, move_activation)


def run_pipeline(graph: Graph) -> Graph:
    """Verify the graph, then run every pass, verifying its result."""
    return _run(graph, PIPELINE)


def fuse_for_others(graph: Graph) -> Graph:
    """Run the passes whose results other runtimes have operators for."""
    return _run(graph, tuple(rewrite for rewrite in PIPELINE if rewrite not in _OWN))


def fuse_for_codes(graph: Graph) -> Graph:
    """Run the passes whose results have a form in codes: those add no residual, and only clamp."""
    kept = (rewrite for rewrite in PIPELINE if rewrite not in {*_OWN, fuse_residual_add})
    passes = (fuse_clamp if rewrite is fuse_activation else rewrite for rewrite in kept)
    return _run(graph, tuple(passes))


def _run(graph: Graph, passes: tuple[Pass, ...]) -> Graph:
    verify(graph)
    for rewrite in passes:
        graph = verify(rewrite(graph))
    return graph
