from __future__ import annotations

from pathlib import Path

import pytest

import netgen
from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import InputError
from netgen.ops import conv2d, flatten, linear
from netgen.report.photos import PhotoOptions, classify


@network
def two_images() -> tuple[Tensor, ...]:
    return (image(4, 4, 3, name="a") + image(4, 4, 3, name="b"),)


@network
def five_channels() -> Tensor:
    return linear(flatten(conv2d(image(4, 4, 5), 2, 1)), 3)


@pytest.mark.parametrize(
    ("model", "says"), [(two_images, "one image"), (five_channels, "5 input channels")]
)
def test_networks_that_do_not_take_photos(model: Network, says: str) -> None:
    compiled = netgen.compile(netgen.load(model), target="generic")
    with pytest.raises(InputError, match=says):
        list(classify(compiled, [Path("photo.jpg")], 5, None, PhotoOptions()))
