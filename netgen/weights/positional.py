"""Weights by position: for files whose names nobody has mapped, and only where the user asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from netgen.errors import WeightsError
from netgen.weights.bind import Layout, arranged_shape
from netgen.weights.naming import one_line, shown
from netgen.weights.order import order_fault, ordered_names
from netgen.weights.read import WeightFile
from netgen.weights.suffixes import LETTERS, is_kernel, suffix_of

_CANNOT = "the weights cannot be taken by position"


def match_positions(
    file: WeightFile, expected: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, str], Layout]:
    """The file's names for the network's parameters, one after the other, and the file's layout.

    `expected` is in the order in which the network declares its parameters: layer by layer, a
    layer's weights before its bias, then gamma, beta, mean and variance of its batch norm, which is
    also the order in which torch saves them. Where the endings of names say which tensors are of
    one layer, and which is which, that decides within the layer, and the order only which layer it
    is. The layout is the first of OIHW, OHWI and TFLite in which every shape fits; where none does,
    the strict fit reports what is off.

    Raises WeightsError where the file has no order, where the numbers of tensors differ, where the
    endings contradict the order, or say that weights are laid out otherwise.
    """
    foreign = ordered_names(file)
    _require_order(file, foreign)
    if len(foreign) != len(expected):
        raise WeightsError(
            _CANNOT,
            where=one_line(str(file.path)),
            expected=f"{len(expected)} tensors",
            found=str(len(foreign)),
            hint="choose the model and the parameters that the file belongs to",
        )
    names: dict[str, str] = {}
    places = list(expected)
    for layer in _layers(foreign):
        names |= _within(layer, places[len(names) : len(names) + len(layer)], file)
    return names, _layout(file, names, expected)


def _require_order(file: WeightFile, foreign: Sequence[str]) -> None:
    if fault := order_fault(file):
        raise WeightsError(
            f"{_CANNOT}: {fault}",
            where=one_line(str(file.path)),
            hint='name the network\'s layers as the file does, conv2d(..., name="conv1") for '
            "conv1.weight, and leave the option out, or take a checkpoint that torch.save wrote",
        )
    if kernels := [name for name in foreign if is_kernel(name) and file.arrays[name].ndim > 1]:
        # Square ones would fit, transposed.
        raise WeightsError(
            f"{_CANNOT}: kernels are laid out as no weights of netgen",
            where=f"{one_line(str(file.path))}: {shown(kernels[0])}",
            expected="OIHW, OHWI or TFLite's",
            found="HWIO, as in Keras and flax",
            hint="transpose them to OIHW, and call them weight",
        )


def _layers(foreign: Sequence[str]) -> list[list[str]]:
    """Tensors of one layer together, where its first one stands; unknown endings are alone."""
    layers: dict[tuple[str, bool], list[str]] = {}
    for name in foreign:
        suffix = suffix_of(name)
        key = (name, False) if suffix is None else (suffix.layer, True)
        layers.setdefault(key, []).append(name)
    return list(layers.values())


def _within(layer: Sequence[str], places: Sequence[str], file: WeightFile) -> dict[str, str]:
    """The tensors of a file's layer by the parameters of the network's; there are as many of both.

    The most specific ending is taken first. Raises WeightsError if an ending contradicts this.
    """
    left = {name: _letters(name) for name in layer}
    names = {}
    for place in places:
        letter = place.rpartition(".")[2]
        fitting = [name for name in left if letter not in LETTERS or letter in left[name]]
        if not fitting:
            raise WeightsError(
                f"{_CANNOT}: their names contradict their order",
                where=one_line(str(file.path)),
                expected=", ".join(places),
                found=", ".join(map(shown, layer)),
                hint="name the network's layers as the file does, or check the network against it",
            )
        names[place] = min(fitting, key=lambda name: len(left[name]))
        del left[names[place]]
    return names


def _letters(name: str) -> frozenset[str]:
    suffix = suffix_of(name)
    return frozenset(LETTERS) if suffix is None else suffix.letters


def _layout(
    file: WeightFile, names: Mapping[str, str], expected: Mapping[str, tuple[int, ...]]
) -> Layout:
    for layout in get_args(Layout):
        shapes = (
            arranged_shape(file.arrays[names[name]], shape, layout)
            for name, shape in expected.items()
        )
        if all(a == b for a, b in zip(shapes, expected.values(), strict=True)):
            fitting: Layout = layout
            return fitting
    return "OIHW"
