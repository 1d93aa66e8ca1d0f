"""`--small`: the same bits by fewer functions and bytes, in layers, bands and pushed rows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.ops import (
    add,
    avg_pool2d,
    batch_norm,
    channel_slice,
    concat,
    conv2d,
    depthwise_conv2d,
    global_avg_pool,
    hard_swish,
    leaky_relu,
    max_pool2d,
    mul,
    pad,
    relu,
    relu6,
    sigmoid,
    spatial_slice,
)
from netgen.passes import run_pipeline
from netgen.plan.data.options import PlanOptions
from netgen.plan.pareto import pareto
from netgen.weights.seeded import seeded_weights
from tests.cases import heavy
from tests.emission.programs import WARNINGS, Emission, emission, flags_of
from tests.emission.test_architectures import smallest
from tests.kernels.layers import normal_inputs
from tests.tools import require_processor, run_tool


def block(x: Tensor, kernel: int) -> Tensor:
    """Each kernel that layers may share, of other sizes in every block."""
    x = relu6(depthwise_conv2d(x, kernel, pad=kernel // 2, stride=(1, 2)))
    x = relu(depthwise_conv2d(x, 3, pad=(1, 0, 1, 1)))
    wide = depthwise_conv2d(x, 3, multiplier=2, pad=2, dilation=2)
    x = concat(x, channel_slice(wide, 0, x.channels))
    x = add(conv2d(x, x.channels, 3, pad=1, groups=2), leaky_relu(x))
    x = mul(x, sigmoid(global_avg_pool(x)))
    x = hard_swish(batch_norm(x))
    x = pad(max_pool2d(x, 3, stride=(2, 1), pad=1), (1, 0, 2, 1))
    x = avg_pool2d(x, 2, stride=1, pad=(0, 1, 1, 0), count_include_pad=False)
    return spatial_slice(x, start=(0, 1), stride=(1, 1))


@network
def pairs() -> Tensor:
    """Two blocks."""
    return block(block(image(17, 23, 6), 3), 5)


@network
def separable() -> Tensor:
    """Depthwise layers in a chain that bands and pushed rows cut, widths with every remainder."""
    x = image(21, 19, 3)
    for channels, stride in ((13, 1), (20, 2), (16, 1), (29, 1)):
        x = relu6(depthwise_conv2d(conv2d(x, channels), 3, stride=stride, pad=1))
    return global_avg_pool(x)


@network
def alike() -> Tensor:
    """Functions that layers of equal channels share: 13 are 8, 4 and 1, in loops of one turn."""
    x = depthwise_conv2d(image(9, 8, 13), 3, pad=1)
    x = depthwise_conv2d(x, 3, stride=2, pad=1)
    x = max_pool2d(max_pool2d(x, 3, stride=1, pad=1), 3, stride=1, pad=1)
    x = avg_pool2d(avg_pool2d(x, 3, stride=1, pad=1), 2, stride=1)
    return concat(global_avg_pool(x), global_avg_pool(spatial_slice(x, start=(1, 0))))


# Networks of depthwise layers.
SEPARABLE = (
    *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"),
    *("shufflenet_v1", "shufflenet_v2", "ds_cnn"),
)
GRAPHS = {"pairs": pairs, "separable": separable, "alike": alike}


def seeded(name: str) -> Graph:
    graph = GRAPHS[name].build()
    return graph.with_constants(seeded_weights(graph))


def smallest_memory(graph: Graph, target: str) -> PlanOptions:
    """The plan with the most bands."""
    points = pareto(run_pipeline(graph), find_target(target), "caller")
    return PlanOptions(ram=min(point.arena_bytes for point in points))


def outputs(emitted: Emission, graph: Graph, folder: Path, target: str) -> dict[str, bytes]:
    folder.mkdir()
    program = emitted.build(folder, [*flags_of(target), *WARNINGS])
    return {n: y.tobytes() for n, y in emitted.run(program, normal_inputs(graph)).items()}


def functions(emitted: Emission) -> list[str]:
    return re.findall(
        r"^static MODEL_CODE_ATTR (?:MODEL_KERNEL )?void (\w+)\(", emitted.logic, re.MULTILINE
    )


def check_bits(graph: Graph, target: str, folder: Path, memory: PlanOptions, *, fuse: bool) -> None:
    """Both forms of code, both plans accepted, all outputs alike; fewer functions.

    Where depthwise layers are all alike, as those of ds_cnn may be, the usual form has one function
    for them, too; where they differ in places alone, no size is passed.
    """
    require_processor(target)
    usual = emission(graph, target, memory=memory, fuse=fuse)
    small = emission(graph, target, memory=replace(memory, small=True), fuse=fuse)
    depthwise = {i.name for i in usual.plan.instances if i.kernel == "depthwise_conv2d_f32"}
    if len(depthwise) > 1:
        assert any(instance.sizes is not None for instance in small.plan.instances)
        assert len(functions(small)) < len(functions(usual))
    expected = outputs(usual, graph, folder / "usual", target)
    assert outputs(small, graph, folder / "small", target) == expected


@pytest.mark.parametrize(
    ("target", "fuse"),
    [("generic", True), ("x86-64-v3", False), heavy("generic", False), heavy("x86-64-v3", True)],
)
def test_bits_of_every_kernel(target: str, fuse: bool, tmp_path: Path) -> None:
    check_bits(seeded("pairs"), target, tmp_path, PlanOptions(), fuse=fuse)


@pytest.mark.parametrize("target", [heavy("generic"), "x86-64-v3"])
def test_bits_of_layers_of_equal_channels(target: str, tmp_path: Path) -> None:
    check_bits(seeded("alike"), target, tmp_path, PlanOptions(), fuse=False)


@pytest.mark.parametrize("target", [heavy("generic"), "x86-64-v3"])
def test_bits_in_bands(target: str, tmp_path: Path) -> None:
    graph = seeded("separable")
    check_bits(graph, target, tmp_path, smallest_memory(graph, target), fuse=True)


@pytest.mark.parametrize("target", ["generic", heavy("x86-64-v3")])
def test_bits_of_pushed_rows(target: str, tmp_path: Path) -> None:
    check_bits(seeded("separable"), target, tmp_path, PlanOptions(input="rows"), fuse=True)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "target"),
    [
        (name, target)
        for n, name in enumerate(SEPARABLE)
        for m, target in enumerate(["generic", "x86-64-v3", "x86-64-v2", "x86-64-v4"])
        if (n + m) % 2 == 0
    ],
)
def test_bits_of_networks(name: str, target: str, tmp_path: Path) -> None:
    graph = smallest(name)
    for number, memory in enumerate([PlanOptions(), smallest_memory(graph, target)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_bits(graph, target, folder, memory, fuse=True)


def bytes_of(emitted: Emission, folder: Path) -> int:
    """Bytes of code and constants, without weights, for a small processor."""
    folder.mkdir()
    emitted.write(folder)
    run_tool([*flags_of("generic"), "-Os", "-c", "model.c"], folder)
    printed = run_tool(["size", "model.o"], folder).decode().splitlines()
    return int(printed[1].split()[0])


def test_the_object_is_smaller(tmp_path: Path) -> None:
    graph = smallest("mobilenet_v2")
    usual = bytes_of(emission(graph, "generic"), tmp_path / "usual")
    small = emission(graph, "generic", memory=PlanOptions(small=True))
    assert 5 * bytes_of(small, tmp_path / "small") < 3 * usual
    (depthwise,) = [name for name in functions(small) if "depthwise" in name]
    assert depthwise == "model_depthwise_any_relu6"


def test_few_sizes_are_arguments_and_many_a_struct() -> None:
    text = emission(seeded("pairs"), "generic", memory=PlanOptions(small=True)).logic
    assert re.search(r"void model_mul_any\([^)]*, int elements, int channels\)", text)
    assert re.search(r"\bmodel_mul_any\([^)]*, 2304, 12\);", text)
    assert "const model_max_pool2d_any_sizes *sizes" in text
    assert "&model_max_pool2d_any_layers[1]" in text
