"""Folds of the passes, told from the two graphs."""

from __future__ import annotations

from collections import Counter

import pytest

from netgen.ir.graph import Graph
from netgen.models import NETWORKS
from netgen.passes import run_pipeline
from netgen.report.folding import fates, find_folds
from tests.plan.small_graphs import built, read


def operators(graph: Graph) -> Counter[str]:
    return Counter(node.op.operator_name for node in graph.activations)


SHALLOW = {"mobilenet_v1", "mobilenet_v3_small", "shufflenet_v1", "resnet8", "ds_cnn"}


# These have a block of each kind, the deeper ones more of them.
@pytest.mark.parametrize(
    "network",
    [pytest.param(name, marks=[pytest.mark.heavy] * (name not in SHALLOW)) for name in NETWORKS],
)
def test_all_that_is_gone_is_accounted_for(network: str) -> None:
    source, fused = NETWORKS[network].build(), built(network)
    missing = operators(source) - operators(fused)
    folds = find_folds(source, fused)
    kept = {part.name for fold in folds for part in fold.parts if part.name not in fold.gone}
    gone = {part.name: part for fold in folds for part in fold.parts if part.name not in kept}
    assert Counter(part.op.operator_name for part in gone.values()) == missing
    assert sum(fates(source, fused).values()) == sum(missing.values())


def test_names_and_kinds() -> None:
    source = read("""
      %p : f32[1,8,7,4] = pad(%image) {pad=1}
      %a : f32[1,6,5,4] = depthwise_conv2d(%p, %v)
      %n : f32[1,6,5,4] = batch_norm(%a, %b, %c, %b, %c) {eps=0x1.0p+1}
      %r : f32[1,6,5,4] = relu(%n)
      %i : f32[1,6,5,4] = identity(%r)
      %d : f32[1,6,5,4] = conv2d(%i, %w, %b)
      %s : f32[1,6,5,4] = add(%d, %image)
      %y : f32[1,6,5,4] = relu6(%s)
      return %y""")
    fused = run_pipeline(source)
    folds = {fold.values[-1].name: fold for fold in find_folds(source, fused)}
    assert set(folds) == {"r", "y"}
    assert [part.name for part in folds["r"].parts] == ["p", "a", "n", "r"]
    assert folds["r"].gone == {"p", "n", "r"}
    assert [part.name for part in folds["y"].parts] == ["i", "d", "s", "y"]
    assert folds["y"].gone == {"i", "s", "y"}
    assert fates(source, fused) == {
        "activations, computed where a layer writes its result": 2,
        "pads, now padding of the windows behind them": 1,
        "batch norms, now part of the weights before them": 1,
        "operators that do nothing, left out": 1,
        "residual additions, done by the convolution that ends their branch": 1,
    }


def test_values_that_a_pass_made_belong_to_what_reads_them() -> None:
    network = NETWORKS["shufflenet_v1"]
    fold = next(
        fold
        for fold in find_folds(network.build(), built("shufflenet_v1"))
        if fold.values[-1].name == "stage2.unit1.relu"
    )
    made = [value.op.operator_name for value in fold.values]
    assert made == ["conv2d", "channel_map"]
    kept = [part.op.operator_name for part in fold.parts if part.name not in fold.gone]
    assert kept == ["conv2d"]


def test_a_graph_that_is_not_changed() -> None:
    graph = read("""
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      return %a""")
    assert find_folds(graph, graph) == []
    assert fates(graph, graph) == {}
