"""The scheme: nodes that compute on codes, and values that share them."""

from __future__ import annotations

from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image
from netgen.ops import conv2d, hard_sigmoid, max_pool2d, spatial_slice
from netgen.quantisation.quantise import prepared
from netgen.quantisation.scheme import Scheme, scheme_of
from tests.quantisation.networks import seeded


def scheme(of: Network) -> Scheme:
    return scheme_of(prepared(seeded(of)), ())


@network
def idle() -> Tensor:
    """Two moves between layers of floats, and two that a layer of codes reads."""
    x = hard_sigmoid(conv2d(image(12, 12, 3), 4, name="zeroth"), name="gate")
    x = max_pool2d(x, 2, name="pool")
    x = hard_sigmoid(spatial_slice(x, stride=2, name="part"), name="second")
    x = max_pool2d(x, 2, name="read")
    return conv2d(spatial_slice(x, stride=1, name="whole"), 4, name="last")


def test_moves_between_floats_alone_stay_in_floats() -> None:
    assert scheme(idle).coded == {"zeroth", "read", "whole", "last"}


def test_a_group_has_the_name_of_its_first_value() -> None:
    found = scheme(idle)
    assert found.group["read"] == "second"
