"""C of the guides, compiled, linked and run; what the documents say of packages to install."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.emission.options import WeightsAs
from netgen.errors import EXTRAS
from tests.guides.blocks import DOCUMENTS, REPOSITORY, blocks
from tests.tools import Program, ToolError, any_compiler, link, run_tool

BOARD = REPOSITORY / "netgen" / "guides" / "board.md"
SNIPPETS = [block.text for block in blocks(BOARD) if block.language == "c"]
DOCUMENTED = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
WARNINGS = ("-std=c99", "-O1", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")

# Reads an image, runs the model that the snippet before it sets up, writes the scores.
CLASSIFY = """
#include <stdio.h>
static float image[MODEL_INPUT_ELEMENTS], scores[MODEL_OUTPUT_ELEMENTS];
int main(void)
{
    if (fread(image, sizeof(float), MODEL_INPUT_ELEMENTS, stdin) != MODEL_INPUT_ELEMENTS) {
        return 1;
    }
    const int32_t status = RUN;
    fwrite(scores, sizeof(float), MODEL_OUTPUT_ELEMENTS, stdout);
    return -(int)status;
}
"""
# In place of a linker script.
PLACED = """
    .section .rodata
    .balign 64
    .globl model_blob
model_blob:
    .incbin "model_weights.bin"
    .section .note.GNU-stack,"",%progbits
"""


def build(folder: Path, weights_as: WeightsAs, program: str) -> Program:
    """A program of the C of a small network; its files stay in the folder."""
    graph = netgen.load("mobilenet_v1", alpha=0.25, input_size=32, classes=10)
    files = netgen.emit(graph, folder / "model.c", weights_as=weights_as)
    (folder / "main.c").write_text(program)
    (folder / "placed.S").write_text(PLACED if weights_as == "blob" else "")
    sources = [file.name for file in files if file.suffix == ".c"]
    command = [any_compiler(), *WARNINGS, "-I.", "-Wa,--noexecstack"]
    return link(folder, command, ["main.c", "placed.S", *sources])


def agrees(program: Program) -> bool:
    graph = netgen.load("mobilenet_v1", alpha=0.25, input_size=32, classes=10)
    image = np.random.default_rng(5).standard_normal((32, 32, 3)).astype(np.float32)
    expected = netgen.compile(graph, target="generic")(image)
    assert isinstance(expected, np.ndarray)
    found = np.frombuffer(program.run(feed=image.tobytes()), np.float32)
    return bool(np.abs(found - expected).max() < 1e-5 * np.abs(expected).max())


def test_the_program_of_the_first_example(tmp_path: Path) -> None:
    program = SNIPPETS[0] + CLASSIFY.replace("RUN", "classify(image, scores)")
    assert agrees(build(tmp_path, "c", program))


def test_weights_as_a_blob(tmp_path: Path) -> None:
    text = CLASSIFY.replace("RUN", "start(&model) ? 99 : model_run(&model, image, scores)")
    program = SNIPPETS[1] + text.replace("int main", "static model_t model;\nint main")
    assert agrees(build(tmp_path, "blob", program))
    blob = tmp_path / "model_weights.bin"
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)
    sources = ["main.c", "placed.S", "model.c"]
    damaged = link(tmp_path, [any_compiler(), "-std=c99", "-I."], sources, "damaged")
    with pytest.raises(ToolError, match=f"status {256 - 99}\n"):
        damaged.run(feed=bytes(4 * 32 * 32 * 3))


def test_incbin_has_a_section_of_its_own(tmp_path: Path) -> None:
    option = re.search(r"-DMODEL_WEIGHTS_SECTION=\S+(?=`)", DOCUMENTED)
    assert option is not None
    graph = netgen.load("mobilenet_v1", alpha=0.25, input_size=32, classes=10)
    netgen.emit(graph, tmp_path / "model.c", weights_as="incbin")
    run_tool(
        [any_compiler(), "-I.", option.group(), "-c", "model_weights.S", "-o", "w.o"], tmp_path
    )
    listing = run_tool(["objdump", "--section-headers", "w.o"], tmp_path).decode()
    sizes = {name: int(size, 16) for name, size in re.findall(r"(\.\w+)\s+([0-9a-f]{8})", listing)}
    assert (
        sizes[option.group().partition("=")[2]] == (tmp_path / "model_weights.bin").stat().st_size
    )


@pytest.mark.parametrize("extra", EXTRAS)
def test_one_command_installs_what_is_missing(extra: str) -> None:
    """The documents and the error say the same, which is what pyproject.toml has."""
    assert f"`pip install {' '.join(EXTRAS[extra])}`" in DOCUMENTED
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")

    def packages(name: str) -> set[str]:
        listed = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        assert listed is not None
        found = set(re.findall(r'"([\w-]+)[">]', listed.group(1)))
        for inner in re.findall(r'"netgen\[([\w,-]+)\]"', listed.group(1)):
            found |= {package for part in inner.split(",") for package in packages(part)}
        return found

    assert packages(extra) == set(EXTRAS[extra])


def test_no_other_command_installs_extras() -> None:
    commands = set(re.findall(r"pip install ([\w -]+)", DOCUMENTED))
    assert commands - {"-e "} == {" ".join(packages) for packages in EXTRAS.values()}
