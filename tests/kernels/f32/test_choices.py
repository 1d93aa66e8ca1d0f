"""Every choice that a kernel offers computes the same bits, and they are those of the operator.

Each choice is a function of its own in one program; what judges them is the NumPy reference, and
the same program's results by the kernel's own choice.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netgen.ir.operator import Operator
from netgen.kernels import KERNELS, find_kernel
from netgen.kernels.layer import Choice, Layer
from netgen.kernels.layout import Layout
from netgen.kernels.products import most_fold
from netgen.kernels.small_cores import FEW_REGISTERS
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from tests.kernels.laid_out import Call, run_calls
from tests.kernels.product_layers import Shape, layer_of, normal_values, shuffled, spread
from tests.meaning import meaning
from tests.tools import require_processor

ONE = (1, 1, 1, 1)
LIMIT = 1e-5


def _product(op: Operator, x: Shape, outputs: int, *, residual: bool = False) -> Layer:
    groups = op.groups if isinstance(op, Conv2d) else 1
    size = () if isinstance(op, Linear) else (1, 1)
    shapes = {"x": x, "w": (outputs, *size, x[-1] // groups), "b": (outputs,)}
    return layer_of(op, shapes | ({"residual": (*x[:-1], outputs)} if residual else {}))


def _window(op: Operator, x: Shape, w: Shape) -> Layer:
    return layer_of(op, {"x": x, "w": w, "b": (w[0],)})


def _at(layer: Layer, **layouts: Layout) -> Layer:
    return replace(layer, layouts=layouts)


OTHERS = ("x86-64-v3", "x86-64-v2", "generic")
# Odd numbers of pixels, inputs and outputs; rests of tiles and of panels; runs of channels.
LAYERS = {
    "pixels": ("pointwise_f32", _product(Conv2d(act="relu6"), (1, 5, 7, 33), 72)),
    "residual": ("pointwise_f32", _product(Conv2d(), (1, 3, 3, 24), 58, residual=True)),
    "blocks": ("pointwise_f32", _product(Conv2d(act="relu"), (1, 9, 9, 200), 40)),
    "vector": ("pointwise_f32", _product(Linear(), (1, 65), 300)),
    "folded": ("pointwise_f32", _product(Conv2d(act="relu"), (1, 5, 7, 48), 36, residual=True)),
    "folded in two": ("pointwise_f32", _product(Conv2d(), (1, 5, 7, 66), 39, residual=True)),
    "folded runs": (
        "pointwise_f32",
        _at(_product(Conv2d(), (1, 5, 7, 40), 20), x=spread(8, 28, 4), y=spread(11, 9)),
    ),
    "folded groups": (
        "pointwise_f32",
        _at(_product(Conv2d(groups=3, act="relu6"), (1, 4, 5, 66), 72), y=shuffled(3, 24)),
    ),
    "folded window": (
        "conv2d_f32",
        _window(Conv2d((2, 2), ONE, act="relu"), (1, 7, 29, 16), (24, 3, 3, 16)),
    ),
    "folded window in runs": (
        "conv2d_f32",
        _at(
            _window(Conv2d(pad=ONE), (1, 4, 9, 16), (18, 3, 3, 16)),
            x=spread(4, 12),
            y=spread(7, 11),
        ),
    ),
    "groups": (
        "pointwise_f32",
        _at(_product(Conv2d(groups=3), (1, 4, 5, 36), 60), x=shuffled(3, 12), y=spread(25, 35)),
    ),
    "window": ("conv2d_f32", _window(Conv2d((2, 2), ONE), (1, 7, 29, 3), (37, 3, 3, 3))),
    "runs": (
        "conv2d_f32",
        _at(
            _window(Conv2d(pad=ONE), (1, 4, 9, 10), (20, 3, 3, 10)),
            x=spread(4, 6),
            y=spread(7, 13),
        ),
    ),
    "depthwise": (
        "depthwise_conv2d_f32",
        _window(DepthwiseConv2d(pad=ONE, act="relu6"), (1, 5, 19, 29), (29, 3, 3, 1)),
    ),
    "steps": (
        "depthwise_conv2d_f32",
        _window(DepthwiseConv2d((2, 2), (0, 1, 0, 1)), (1, 9, 23, 20), (20, 3, 3, 1)),
    ),
    "narrow": (
        "depthwise_conv2d_f32",
        _window(DepthwiseConv2d(pad=(2, 2, 2, 2)), (1, 3, 7, 5), (5, 5, 5, 1)),
    ),
}  # fmt: skip


def offered(name: str, target: Target) -> tuple[Choice, ...]:
    kernel, layer = LAYERS[name]
    return find_kernel(kernel).choices(layer, target)


def of_every_kind(choices: tuple[Choice, ...]) -> list[Choice]:
    """The own choice, then some: together all tiles, blocks and prefetches, not all their pairs."""
    kept: list[Choice] = []
    tiles: dict[tuple[int, ...], int] = {}
    for choice in choices:
        tile = tuple(choice.get(a, 0) for a in ("rows", "vectors", "unroll", "tiles_outside"))
        tiles[tile] = tiles.get(tile, 0) + 1
        if not kept or tiles[tile] == 1 + len(tiles) % 5:
            kept.append(choice)
    return kept[:: 1 + len(kept) // 8]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *(
            pytest.param(n, "x86-64-v4", marks=[pytest.mark.heavy] * (at % 2))
            for at, n in enumerate(LAYERS)
        ),
        # All outputs are folded, in four but for the second.
        *((n, "x86-64-v2") for n in ("blocks", "folded in two", "folded window")),
        *(pytest.param(n, OTHERS[at % 3], marks=pytest.mark.heavy) for at, n in enumerate(LAYERS)),
    ],
)
def test_choices_agree_to_the_bit(name: str, target: str, tmp_path: Path) -> None:
    require_processor(target)
    kernel = find_kernel(LAYERS[name][0])
    layer = LAYERS[name][1]
    shapes = {letter: kind.shape for letter, kind in layer.operands.items()}
    values = normal_values(shapes, 7)
    tried = of_every_kind(offered(name, find_target(target)))
    calls = [Call(kernel, layer, values)]
    calls += [Call(kernel, replace(layer, choice=choice), values) for choice in tried]
    own, *others = run_calls(calls, target, tmp_path)
    expected = meaning(layer.op, [values[letter].astype(float) for letter in layer.operands])
    assert np.abs(own - expected).max() <= LIMIT * np.abs(expected).max()
    for choice, found in zip(tried, others, strict=True):
        assert found.tobytes() == own.tobytes(), choice


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("name", LAYERS)
def test_the_first_choice_is_the_kernel_s_own(name: str, target: Target) -> None:
    kernel = find_kernel(LAYERS[name][0])
    layer = LAYERS[name][1]
    choices = offered(name, target)
    chosen = replace(layer, choice=choices[0])
    assert kernel.parameters(chosen, target) == kernel.parameters(layer, target)
    assert kernel.cost(chosen, target) == kernel.cost(layer, target)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("name", LAYERS)
def test_choices_differ_and_stay_within_the_target_s_tiles(name: str, target: Target) -> None:
    kernel = find_kernel(LAYERS[name][0])
    layer = LAYERS[name][1]
    choices = offered(name, target)
    described = [str(kernel.parameters(replace(layer, choice=c), target)) for c in choices]
    # Few registers leave one pixel of a linear layer no other tile.
    assert len(choices) > (0 if target.f32 == FEW_REGISTERS and name == "vector" else 1)
    assert len(set(described)) == len(choices)
    groups = layer.op.groups if isinstance(layer.op, Conv2d) else 1
    fold = most_fold(layer, groups, target) if target.f32.folds == "all" else 1
    tiles = target.f32.folded_tiles if fold > 1 else target.f32.tiles
    for choice in choices:
        if "rows" in choice:
            legal = [rows for rows, registers in tiles if registers == fold * choice["vectors"]]
            assert 1 <= choice["rows"] <= max(legal)


def test_what_was_chosen_does_not_change_what_is_offered() -> None:
    target = find_target("x86-64-v4")
    for kernel, layer in LAYERS.values():
        choices = find_kernel(kernel).choices(layer, target)
        chosen = replace(layer, choice=choices[-1])
        assert find_kernel(kernel).choices(chosen, target) == choices


def test_kernels_with_one_way_offer_none() -> None:
    layer = layer_of(Add(), {"a": (1, 2, 2, 4), "b": (1, 2, 2, 4)})
    kernel = next(k for k in KERNELS if k.name == "add_f32")
    assert kernel.choices(layer, find_target("generic")) == ()
