"""Endings of tensor names: they say which layer a tensor is of, and which parameter of it.

layer1.0.bn1.running_mean    layer1.0.bn1, mean
conv1.weight                 conv1, w of a convolution or gamma of a batch norm
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LETTERS = ("w", "b", "gamma", "beta", "mean", "var")
"""netgen's own endings, in the order in which networks declare them."""

COUNTERS = "num_batches_tracked"
"""The ending of what training counts beside the parameters of batch norms."""

_W, _B = frozenset({"w", "gamma"}), frozenset({"b", "beta"})
_GAMMA, _BETA = frozenset({"gamma"}), frozenset({"beta"})
_MEAN, _VAR = frozenset({"mean"}), frozenset({"var"})

# torch calls gamma a weight and beta a bias, flax beta alone.
_ENDINGS = {
    "weight": _W,
    "w": _W,
    "bias": _B,
    "b": _B,
    "gamma": _GAMMA,
    "scale": _GAMMA,
    "beta": _BETA,
    "offset": _BETA,
    "shift": _BETA,
    "running_mean": _MEAN,
    "moving_mean": _MEAN,
    "mean": _MEAN,
    "running_var": _VAR,
    "running_variance": _VAR,
    "moving_var": _VAR,
    "moving_variance": _VAR,
    "variance": _VAR,
    "var": _VAR,
}
_TORCH = {
    "w": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "var": "running_var",
}

# The shortest layer leaves the longest ending: bn1.running_mean is no mean of bn1.running.
_NAME = re.compile(
    rf"(?:(?P<layer>.*?)[./_])??(?P<ending>{'|'.join(_ENDINGS)})(?::0)?", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True)
class Suffix:
    """A name's layer, its ending, and the parameters that the ending may stand for."""

    layer: str
    ending: str
    letters: frozenset[str]


def suffix_of(name: str) -> Suffix | None:
    """Split a tensor's name; None where the ending says nothing."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    ending = found["ending"].lower()
    return Suffix(found["layer"] or "", ending, _ENDINGS[ending])


def is_kernel(name: str) -> bool:
    """Whether a tensor is called as Keras and flax call weights, which they lay out HWIO."""
    return name.lower().removesuffix(":0").endswith("kernel")


def torch_suffix(letter: str) -> str:
    """The name that torch gives to a parameter that netgen calls `letter`."""
    return _TORCH.get(letter, letter)
