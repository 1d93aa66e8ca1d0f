"""Templates print what the plan has decided: they read as C, and compute nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import nodes

from netgen.emission import kernels
from netgen.emission.environment import environment
from netgen.emission.words import Words
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.j2"))
# Filters that put together or count what they are given; others would decide or compute.
FILTERS = {"join", "length", "default", "map"}
ARITHMETIC = (
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
    *(nodes.Neg, nodes.Pos),
)


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def test_no_word_has_the_name_of_what_kernels_leave_out() -> None:
    """A template that calls the word would find False, say, in every kernel without it."""
    assert not kernels.ABSENT.keys() & Words("m").by_name().keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_template_computes(path: Path) -> None:
    """No template has arithmetic: numbers are parameters, or printed from their parts."""
    tree = environment().parse(path.read_text())
    assert [node.lineno for node in tree.find_all(ARITHMETIC)] == []
    assert {node.name for node in tree.find_all(nodes.Filter)} <= FILTERS


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_line_is_long(path: Path) -> None:
    assert [line for line in path.read_text().splitlines() if len(line) > 100] == []


def test_all_templates_are_read() -> None:
    assert {"model.c.j2", "threads.c.j2", "kernels/f32/conv2d.c.j2"} <= {*map(name_of, TEMPLATES)}


def test_arithmetic_would_be_found() -> None:
    for text in ("${ 2 * n }", "//% if n + 1 > 2\n//% endif\n", "<% set a = -n %>"):
        assert [*environment().parse(text).find_all(ARITHMETIC)]
    assert not [*environment().parse('${ "a * b" ~ n }').find_all(ARITHMETIC)]
