"""Texts from files end up in C comments: none of them may become code."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

import netgen
from netgen.emission.header import comment_text
from netgen.emission.options import prefix_of
from netgen.errors import UsageError
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin

HOSTILE = 'MIT */ int pwned; /* ??/\n"x\x1b[0m'


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("text", [HOSTILE, "*/", "/*/", "**//", "a\\\nb", "??/"])
def test_text_stays_inside_its_comment(text: str) -> None:
    shown = comment_text(text)
    assert "*/" not in shown
    assert "/*" not in shown
    assert "??/" not in shown
    assert "\n" not in shown


def test_nothing_of_a_file_becomes_code(small_graph: Graph, tmp_path: Path) -> None:
    origin = Origin(
        model="net.py:net",
        parameters={"word": HOSTILE},
        weights_file=f"w {HOSTILE}.pth".replace("/", ""),
        weights_sha256="0" * 64,
        weights_licence=HOSTILE,
    )
    hostile = small_graph.with_constants(small_graph.constants, origin)
    for file in netgen.emit(hostile, tmp_path / "model.c"):
        assert "pwned" not in without_comments(file.read_text())


def test_the_command_can_be_copied_into_a_shell(small_graph: Graph, tmp_path: Path) -> None:
    assert small_graph.origin is not None
    origin = dataclasses.replace(
        small_graph.origin, weights_file="my weights (1).pth", weights_sha256="0" * 64
    )
    netgen.emit(small_graph.with_constants(small_graph.constants, origin), tmp_path / "model.c")
    text = re.sub(r"\n \* +", " ", (tmp_path / "model.c").read_text())
    command = re.search(r"command:  (.*) weights: ", text)
    assert command
    assert "my weights (1).pth" in shlex.split(command.group(1))


@pytest.mark.parametrize("stem", ["size", "int8", "uint32", "uint_fast16", "intptr", "ptrdiff"])
def test_prefixes_that_meet_standard_types(stem: str) -> None:
    with pytest.raises(UsageError, match="names of C functions"):
        prefix_of(stem)
