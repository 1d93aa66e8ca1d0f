"""An image run by QEMU with the plugin that counts its instructions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from netgen.emission.files import write_files
from netgen.errors import BuildError
from netgen.export.boards import Board
from netgen.runtime.compilers import find_compiler
from netgen.runtime.programs import run_program

PLUGIN = Path(__file__).parent / "instruction_count.c"
# From this version on QEMU has another interface for plugins.
_NEW_INTERFACE = 9
_STEP = "step "
_INSTRUCTION = re.compile(r" *([0-9a-f]+):\t(\S.*)")


@dataclass(frozen=True)
class Executed:
    """One instruction of the counted region, with its disassembly.

    `taken` is how often execution went on elsewhere than behind it.
    """

    address: int
    count: int
    taken: int
    text: str

    @property
    def mnemonic(self) -> str:
        """The operation, without the suffix that only says how wide its encoding is."""
        return self.text.partition(" ")[0].removesuffix(".w").removesuffix(".n")

    @property
    def operands(self) -> str:
        """The text behind the mnemonic."""
        return self.text.partition(" ")[2].partition("@")[0].partition(";")[0].strip()


@dataclass(frozen=True)
class Counts:
    """Instructions of one run of the model, each by itself, and between the ends of its bands.

    Those of `bands` are from a second run, and have the hook's own instructions with them.
    """

    total: int
    executed: tuple[Executed, ...]
    bands: tuple[int, ...]


def build_plugin(folder: Path) -> Path:
    """Compile the plugin with the host's compiler."""
    made, compiler = folder / "instruction_count.so", find_compiler()
    write_files(folder, {PLUGIN.name: PLUGIN.read_bytes()})
    run_program([*compiler.command, "-O2", "-fPIC", "-shared", PLUGIN.name, "-o", made], folder)
    return made


def require_plugins(board: Board, folder: Path) -> None:
    """Raise BuildError where QEMU has another interface for plugins."""
    printed = run_program([board.emulator[0], "--version"], folder)
    version = re.search(r"version (\d+)", printed)
    if version is None or int(version[1]) >= _NEW_INTERFACE:
        raise BuildError(
            "this QEMU cannot load the counter of instructions",
            expected="version 4.2 to 8.2",
            found=printed.splitlines()[0],
        )


def marks(board: Board, elf: Path) -> dict[str, int]:
    """The addresses of the functions of an image that mark what is counted, by name."""
    printed = run_program([f"{board.toolchain}nm", elf.name], elf.parent)
    rows = (line.split() for line in printed.splitlines())
    return {row[2]: int(row[0], 16) & ~1 for row in rows if len(row) == 3 and "bench_" in row[2]}


def run_counted(board: Board, elf: Path, plugin: Path) -> Counts:
    """Run an image. Raises BuildError where it reports an error or faults."""
    found, folder = marks(board, elf), elf.parent
    out = folder / "counts.txt"
    given = ",".join(f"{name}={found[f'bench_{name}']:#x}" for name in ("begin", "end", "step"))
    run_program(
        [*board.machine, "-plugin", f"{plugin},{given},out={out}", "-kernel", elf.name], folder
    )
    return read_counts(out.read_text(), disassembly(board, elf))


def disassembly(board: Board, elf: Path) -> dict[int, str]:
    """The text of each instruction of an image, by address.

    It is binutils' text: QEMU's own disassembler does not know all of newer cores.
    """
    printed = run_program(
        [f"{board.toolchain}objdump", "-d", "--no-show-raw-insn", elf.name], elf.parent
    )
    lines = (_INSTRUCTION.match(line) for line in printed.splitlines())
    return {int(line[1], 16): " ".join(line[2].split()) for line in lines if line}


def read_counts(text: str, shown: Mapping[int, str]) -> Counts:
    """The lines that the plugin wrote, with the text of each instruction."""
    first, *lines = text.splitlines()
    executed, bands = [], []
    for line in lines:
        if line.startswith(_STEP):
            bands.append(int(line.removeprefix(_STEP)))
        elif line[:1].isdigit():
            address, count, taken = map(int, line.split())
            executed.append(Executed(address, count, taken, shown.get(address, "unknown")))
    executed.sort(key=lambda each: each.address)
    return Counts(int(first.removeprefix("total ")), tuple(executed), tuple(bands))
