"""Budgets, places of the image and cuts change no bit, and the arena is as large as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.models import NETWORKS
from netgen.passes import run_pipeline
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.pareto import pareto
from tests.emission.programs import SANITIZERS, Emission, emission, emission_of, flags_of
from tests.emission.test_architectures import smallest
from tests.kernels.layers import normal_inputs
from tests.plan.segments.cuts import random_plan
from tests.tools import require_processor

IMAGES: tuple[Image, ...] = ("caller", "arena", "rows")
DEEP = {"mobilenet_v3_large", "resnet34", "resnet50"}


def three_budgets(graph: Graph) -> list[PlanOptions]:
    """The smallest arena, one in the middle, and the largest that bands of rows take."""
    points = pareto(run_pipeline(graph), find_target("generic"), "caller")
    arenas = sorted({point.arena_bytes for point in points})
    return [PlanOptions(ram=arenas[n]) for n in (0, len(arenas) // 2, -1)]


def smallest_of(graph: Graph, image: Image) -> PlanOptions:
    """The smallest arena, wherever the image is."""
    least = min(p.arena_bytes for p in pareto(run_pipeline(graph), find_target("generic"), image))
    return PlanOptions(ram=least, input=image)


def outputs_of(
    emitted: Emission, graph: Graph, folder: Path, command: list[str]
) -> dict[str, bytes]:
    folder.mkdir()
    found = emitted.run(emitted.build(folder, command), normal_inputs(graph))
    return {name: array.tobytes() for name, array in found.items()}


@pytest.mark.heavy
@pytest.mark.parametrize("name", NETWORKS)
def test_budgets_change_no_bit(name: str, tmp_path: Path) -> None:
    graph = smallest(name)
    # clang takes half as long as gcc; test_no_reports has both.
    command = ["clang", "-std=c99", "-O0", *SANITIZERS]
    expected = outputs_of(emission(graph, "generic", "blob"), graph, tmp_path / "layers", command)
    options = three_budgets(graph)
    if name in DEEP:  # others have the same blocks
        options = options[::2]
    else:
        options += [smallest_of(graph, image) for image in IMAGES[1:]]
    for number, memory in enumerate(options):
        emitted = emission(graph, "generic", "blob", memory=memory)
        assert isinstance(memory.ram, int)
        assert emitted.plan.certificate.arena_bytes <= memory.ram
        assert outputs_of(emitted, graph, tmp_path / str(number), command) == expected


@pytest.mark.heavy
@pytest.mark.parametrize("name", NETWORKS)
def test_random_cuts_change_no_bit(name: str, tmp_path: Path) -> None:
    check_random_cuts(name, tmp_path, "x86-64-v3")


def test_random_cuts_of_one_network_change_no_bit(tmp_path: Path) -> None:
    check_random_cuts("ds_cnn", tmp_path, "generic")


def check_random_cuts(name: str, folder: Path, target: str) -> None:
    require_processor(target)
    graph, draw = smallest(name), np.random.default_rng(2)
    lowered = run_pipeline(graph)
    command = [*flags_of(target), "-O1"]
    layers = outputs_of(emission(graph, target, "blob"), graph, folder / "layers", command)
    for image in IMAGES:
        plan = random_plan(lowered, find_target(target), image, draw, high=False)
        assert plan is not None
        check_plan(plan)
        cut = emission_of(graph, lowered, plan, "blob")
        assert outputs_of(cut, graph, folder / image, command) == layers
