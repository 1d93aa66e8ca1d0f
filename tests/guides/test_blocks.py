"""Blocks of the README and the guides as they stand: commands are known, Python and C are right."""

from __future__ import annotations

import ast
from pathlib import Path

import click
import pytest

import netgen
from netgen.cli.main import main
from netgen.dsl import image, network
from netgen.dsl.tensor import Tensor
from netgen.ops import conv2d, flatten, global_avg_pool, linear
from netgen.weights.seeded import seeded_weights
from tests.guides.blocks import (
    DOCUMENTS,
    README,
    blocks,
    blocks_of,
    commands,
    has_placeholder,
    inline_commands,
)
from tests.plan.stateful_graphs import stateful
from tests.tools import any_compiler, run_tool

WARNINGS = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
TUNING = '{"version": 1, "netgen": "0", "target": "generic", "compiler": "gcc", "layers": {}}'
LANGUAGES: dict[str, set[str]] = {
    "console": {"long", "emulator"},
    "python": {"wheel", "joblib", "dask", "ray"},
    "c": {"blob", "rows", "state"},
    "sh": set(),
}
CONSOLE = [(b, shown) for b in blocks_of("console") for shown in commands(b)]


def understand(words: list[str]) -> None:
    """Read a command as `netgen` does, without running it."""
    assert words[0] == "netgen"
    name, *arguments = words[1:]
    assert name in main.commands, words
    command = main.commands[name]
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    assert {word for word in arguments if word.startswith("-") and len(word) > 1} <= known, words
    if not arguments or has_placeholder(words):  # the text speaks of a command, or of any model
        return
    try:
        command.make_context(name, arguments)
    except click.UsageError as complaint:
        raise AssertionError(f"{' '.join(words)}: {complaint.format_message()}") from complaint


def test_every_block_has_a_language_that_is_tested() -> None:
    for document in DOCUMENTS:
        for block in blocks(document):
            assert set(block.words) <= LANGUAGES[block.language], (document.name, block.text)


def test_only_the_readme_has_commands_for_a_fresh_machine() -> None:
    """`.ci/run` runs them."""
    assert [block.document for block in blocks_of("sh")] == [README, README]


def test_commands_of_blocks_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tuning.json").write_text(TUNING)  # options that name it read it
    own = [words for _, shown in CONSOLE for words in shown.programs() if words[0] == "netgen"]
    assert len(own) > len(DOCUMENTS)
    for words in own:
        understand(words)


def test_commands_within_the_text_are_understood() -> None:
    found = [words for document in DOCUMENTS for words in inline_commands(document)]
    assert len(found) > len(DOCUMENTS)
    for words in found:
        understand(words)


def test_an_option_that_there_is_not_is_found() -> None:
    for words in (["netgen", "plan", "m", "--rom", "3"], ["netgen", "plann", "m"]):
        with pytest.raises(AssertionError):
            understand(words)


def test_blocks_of_python_are_python() -> None:
    for block in blocks_of("python"):
        ast.parse(block.text, block.document.name)


@network
def small() -> Tensor:
    return linear(flatten(global_avg_pool(conv2d(image(8, 8, 3), 4, 3))), 5)


def test_blocks_of_c_compile(tmp_path: Path) -> None:
    """Each beside the header that it speaks of; what they compute is tested elsewhere."""
    graph = small.build()
    graph = graph.with_constants(seeded_weights(graph))
    for name in ("", *LANGUAGES["c"]):
        (tmp_path / name).mkdir(exist_ok=True)
    netgen.emit(graph, tmp_path / "model.c")
    netgen.emit(graph, tmp_path / "blob" / "model.c", weights_as="blob")
    netgen.emit(graph, tmp_path / "rows" / "model.c", input="rows")
    netgen.emit(stateful("rings"), tmp_path / "state" / "model.c")
    found = blocks_of("c")
    assert {word for block in found for word in block.words} == LANGUAGES["c"]
    for number, block in enumerate(found):
        folder = tmp_path.joinpath(*block.words)
        (folder / f"block{number}.c").write_text(f'#include "model.h"\n{block.text}')
        run_tool([any_compiler(), *WARNINGS, "-fsyntax-only", "-I.", f"block{number}.c"], folder)
