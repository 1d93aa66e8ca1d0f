"""Options of `compile` for firmware: budgets, measured code, a rule for make; and `export`."""

from __future__ import annotations

from pathlib import Path

from netgen.emission.footprint import Footprint
from netgen.emission.size_macros import measured_constants
from tests.cli.commands import Cli, entries
from tests.tools import any_compiler, find_tool, link


def test_budgets_have_an_exit_code_of_their_own(cli: Cli, tiny: str, folder: Path) -> None:
    assert cli("compile", tiny, "-o", "m.c", "--max-arena", "64K").code == 0
    assert "command:  netgen compile tiny.py:tiny --target" in (folder / "m.c").read_text()
    outcome = cli("compile", tiny, "-o", "big.c", "--max-arena", "1K")
    assert outcome.code == 10
    assert "the arena is larger than its budget, expected at most 1,024 bytes" in outcome.error()
    outcome = cli("compile", tiny, "-o", "big.c", "--max-flash", "1M")
    assert outcome.code == 2
    assert "add --measure BOARD" in outcome.error()
    assert not [name for name in entries(folder) if name.startswith("big")]


def test_code_and_stack_are_measured_with_a_board_s_compiler(
    cli: Cli, tiny: str, folder: Path
) -> None:
    find_tool("arm-none-eabi-gcc")
    measure = ("--measure", "mps2-an386")
    assert cli("compile", tiny, "-o", "m.c", *measure, "--max-flash", "100K").code == 0
    header = (folder / "m.h").read_text()
    assert "/* Measured with arm-none-eabi-gcc" in header
    assert "-mcpu=cortex-m4" in header
    assert "#define M_CODE_BYTES " in header
    assert "#define M_STACK_BYTES " in header
    assert "--measure mps2-an386 -o m.c" in (folder / "m.c").read_text()
    outcome = cli("compile", tiny, "-o", "m.c", *measure, "--max-flash", "1K")
    assert outcome.code == 10
    assert "the flash that the model takes is larger than its budget" in outcome.error()


def test_measured_bytes_are_code_with_constants() -> None:
    found = Footprint(1000, 24, 0, 300, ("run",), "gcc", "board")
    assert [(each.name, each.value) for each in measured_constants(found)] == [
        ("CODE_BYTES", "1024u"),
        ("STACK_BYTES", "300u"),
    ]


def test_the_rule_for_make_names_the_files_that_the_c_depends_on(
    cli: Cli, tiny: str, folder: Path
) -> None:
    assert cli("compile", tiny, "-o", "m.c", "--depfile", "m.d").code == 0
    file = tiny.partition(":")[0]
    assert (folder / "m.d").read_text() == f"{folder}/m.c: {file}\n"


def test_labels_and_the_best_outputs_are_in_the_c(cli: Cli, tiny: str, folder: Path) -> None:
    labels = ["zero", 'a "quote"', "back\\slash", "what???/", *(f"n{n}" for n in range(4, 10))]
    (folder / "l.txt").write_text("\n".join(labels))
    assert cli("compile", tiny, "-o", "m.c", "--labels", "l.txt").code == 0
    (folder / "main.c").write_text(TOP)
    command = [any_compiler(), "-std=c99", "-Wall", "-Wextra", "-Werror"]
    printed = link(folder, command, ["main.c", "m.c", "m_weights.c"]).run().decode().splitlines()
    assert printed[0].split() == ["3", "4", "1", "7"]
    assert printed[1].split()[:1] == ["10"]
    order = [int(word) for word in printed[1].split()[1:]]
    assert order == sorted(range(10), key=lambda n: (-SCORES[n], n))
    assert printed[2:] == labels
    (folder / "l.txt").write_text("one")
    assert cli("compile", tiny, "-o", "m.c", "--labels", "l.txt").code == 7


SCORES = (0, 8, -1, 2, 9, 5, 2, 8, 2, 1)
TOP = f"""#include "m.h"
#include <stdio.h>
static void print(const float *scores, int32_t count)
{{
    int32_t best[12], found = m_top(scores, best, count);
    printf("%d", (int)found);
    for (int32_t i = 0; i < found; ++i) {{
        printf(" %d", (int)best[i]);
    }}
    printf("\\n");
}}
int main(void)
{{
    static const float scores[M_OUTPUT_ELEMENTS] = {{{", ".join(map(str, SCORES))}}};
    print(scores, 3);
    print(scores, 12);
    for (int32_t i = 0; i < M_OUTPUT_ELEMENTS; ++i) {{
        puts(m_labels[i]);
    }}
    return 0;
}}
"""


def test_bundles_are_written_into_a_folder(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("export", tiny, "-o", "deep/out", "--as", "make", "--name", "net")
    assert outcome.code == 0
    assert (folder / "deep" / "out" / "src" / "net.h").is_file()
    outcome = cli("export", tiny, "-o", "other", "--as", "make", "--board", "nothing")
    assert outcome.code == 2
    assert "there is no board 'nothing', expected one of mps2-an385, " in outcome.error()
    assert entries(folder) == ["deep"]
