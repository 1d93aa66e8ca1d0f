"""A prefix of forty letters changes no width: the C of every kind of model has 100 columns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netgen.emission.options import WeightsAs
from netgen.emission.wrap import COLUMNS
from netgen.ir.graph import Graph
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.schedule import division
from tests.cases import heavy
from tests.emission.programs import emission
from tests.tools import any_compiler, compiler_for, run_tool

PREFIX = "forty_letters_are_more_than_anyone_needs"


def too_long(text: str) -> list[str]:
    """Lines above 100 columns, but for those that are one word or string, and what closes it."""
    alone = r"\s*(?:#\w+ )?(?:\w+|\"[^\"]*\")[(),;]*(?: \\\\)?"
    long = [line for line in text.splitlines() if len(line) > COLUMNS]
    return [line for line in long if not re.fullmatch(alone, line)]


@pytest.mark.parametrize(
    ("target", "weights_as", "options"),
    [
        ("generic", "c", PlanOptions(input="rows", threads=3)),
        ("x86-64-v3", "incbin", PlanOptions(threads=3)),
        heavy("x86-64-v4", "inline", PlanOptions(ram=20_000)),
        ("aarch64", "blob", PlanOptions(ram=(16_000, 100_000))),
        heavy("x86-64-v2", "blob", PlanOptions(input="arena")),
    ],
)
def test_networks(
    target: str,
    weights_as: WeightsAs,
    options: PlanOptions,
    small_graph: Graph,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(PREFIX) == 40
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    made = emission(small_graph, target, weights_as, PREFIX, memory=options)
    for name, content in made.files.items():
        assert name.endswith(".bin") or too_long(content.decode()) == []


@pytest.mark.parametrize("target", ["generic", heavy("x86-64-v3"), "x86-64-v4"])
def test_kernels_compile(target: str, layers_graph: Graph, tmp_path: Path) -> None:
    made = emission(layers_graph, target, "blob", PREFIX, fuse=False, memory=DEFAULT)
    assert too_long(made.logic + made.header) == []
    made.write(tmp_path)
    command = [*compiler_for(target, any_compiler()), "-Wall", "-Wextra", "-Werror", "-I."]
    run_tool([*command, "-fsyntax-only", f"{PREFIX}.c"], tmp_path)
