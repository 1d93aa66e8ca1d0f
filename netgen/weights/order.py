"""Whether the order of a file's tensors can be the order of a network's layers."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Sequence
from itertools import pairwise

from netgen.weights.naming import shown
from netgen.weights.read import WeightFile
from netgen.weights.suffixes import COUNTERS, suffix_of

# Weights, shifts, means, variances: every framework declares a layer's tensors in this order.
_RANKS = {"w": 0, "gamma": 0, "b": 1, "beta": 1, "mean": 2, "var": 3}
_NUMBER = re.compile("[0-9]+")


def ordered_names(file: WeightFile) -> list[str]:
    """Names of the tensors that are parameters, in the file's order."""
    return [name for name in file.arrays if not name.endswith(COUNTERS)]


def order_fault(file: WeightFile) -> str | None:
    """Say why a file's tensors cannot be taken in their order; None where they can.

    A torch checkpoint keeps the order in which the network declared them, a .npz file that of the
    keywords of numpy.savez. safetensors files have none: their writers sort by type and name, since
    readers are to ask by name. What was read from one, or from a tree of sorted keys, may have been
    saved again in another format; two traces give it away where all names are sorted: layer10
    before layer2, and biases before weights.
    """
    if file.format == "safetensors":
        return "a .safetensors file has no order of its own"
    names = ordered_names(file)
    if names == sorted(names):
        trace = _number_out_of_order(names) or _ending_out_of_order(names)
        if trace:
            before, after = trace
            return f"its tensors are sorted by name ({shown(before)} before {shown(after)})"
    return None


def _number_out_of_order(names: Sequence[str]) -> tuple[str, str] | None:
    """Find neighbours like layer10 and layer2."""
    for before, after in pairwise(names):
        alike = os.path.commonprefix((before, after))
        start = len(alike.rstrip(string.digits))
        numbers = _NUMBER.match(before, start), _NUMBER.match(after, start)
        if numbers[0] and numbers[1] and _size(numbers[0][0]) > _size(numbers[1][0]):
            return before, after
    return None


def _size(digits: str) -> tuple[int, str]:
    """A key by which numbers sort, however many digits they have."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _ending_out_of_order(names: Sequence[str]) -> tuple[str, str] | None:
    """Find two tensors of one layer like bias and weight."""
    last: dict[str, tuple[int, str]] = {}
    for name in names:
        suffix = suffix_of(name)
        if suffix is None:
            continue
        rank = _RANKS[min(suffix.letters)]  # the same for all that an ending may stand for
        before, earlier = last.get(suffix.layer, (0, ""))
        if rank < before:
            return earlier, name
        last[suffix.layer] = rank, name
    return None
