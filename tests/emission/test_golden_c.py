"""The C of one small network, to be read: any change of templates shows here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ops import conv2d, depthwise_conv2d, flatten, global_avg_pool, linear, relu6
from netgen.weights.seeded import seeded_weights
from tests.emission.programs import emission


@network
def tiny() -> Tensor:
    """A stem, a residual block of depthwise and pointwise convolutions, a classifier."""
    x = relu6(conv2d(image(10, 10, 3), 12, 3, stride=2, pad="same", name="stem"))
    y = relu6(depthwise_conv2d(x, 3, pad=1, name="depthwise"))
    x = x + conv2d(y, 12, name="pointwise")
    return linear(flatten(global_avg_pool(x)), 5, name="classifier")


@pytest.mark.parametrize("target", ["generic", "x86-64-v3"])
def test_c_of_a_small_network(target: str, golden: Callable[[str, str], None]) -> None:
    graph = tiny.build()
    emitted = emission(graph.with_constants(seeded_weights(graph)), target, prefix="tiny")
    golden(f"emission/tiny_{target}.c", emitted.logic)
    if target == "generic":
        golden("emission/tiny_generic.h", emitted.header)
        golden("emission/tiny_generic_weights.c", emitted.files["tiny_weights.c"].decode())
