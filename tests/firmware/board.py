"""Models as bare-metal images on emulated boards: build, run, look inside, count instructions.

An image is the model's own files, `app.c` and the board's own start, linked for one QEMU machine.
Input and output travel through files of the host, by semihosting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from netgen.bench.board.emulator import PLUGIN
from netgen.export.boards import board_files, find_board
from tests.tools import ToolError, run_tool

Values = npt.NDArray[np.generic]

HERE = Path(__file__).resolve().parent
TOOLCHAIN = "arm-none-eabi-"
# The elements of inputs and outputs, as app.c names them, in files.
_STORAGE = {"float": "<f4", "int8_t": "i1", "uint8_t": "u1"}
APP_FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True)
class Model:
    """C files with the interface of a generated model; the header stands beside them.

    `input_size` and `output_size` are numbers of elements, floats or codes of one byte; `cflags`
    are the model's own compile flags.
    """

    sources: tuple[Path, ...]
    prefix: str
    input_size: int
    output_size: int
    cflags: tuple[str, ...]
    element: str = "float"


@dataclass(frozen=True)
class Symbol:
    """One line of nm: `kind` is nm's letter; an undefined symbol has address and size 0."""

    name: str
    kind: str
    address: int
    size: int


@dataclass(frozen=True)
class Image:
    """A linked image and the object files of the model in it; stack use is beside each (.su)."""

    board: str
    folder: Path
    elf: Path
    objects: tuple[Path, ...]
    output_size: int
    element: str = "float"

    def run(self, inputs: Values, plugin: str | None = None) -> Values:
        """Run each of `inputs` (n, ...) on the board; returns (n, output_size).

        Raises ToolError if the image reports an error, faults or leaves too few outputs.
        """
        output = self.folder / "output.bin"
        output.unlink(missing_ok=True)
        storage = _STORAGE[self.element]
        (self.folder / "input.bin").write_bytes(inputs.astype(storage).tobytes())
        emulate(self.board, self.elf, plugin)
        values = np.frombuffer(output.read_bytes(), storage)
        if values.size != len(inputs) * self.output_size:
            raise ToolError(f"{len(inputs)} x {self.output_size} outputs expected, {values.size}")
        return values.reshape(len(inputs), self.output_size)

    def count_instructions(self, inputs: Values, plugin: Path) -> list[int]:
        """Instructions that the model's run function executes for each of `inputs` (n, ...).

        `plugin` is what `build_counter` made. They repeat exactly, and are not cycles.
        """
        counts = self.folder / "counts.txt"
        address = {symbol.name: symbol.address & ~1 for symbol in list_symbols(self.elf)}
        marks = f"begin={address['bench_begin']:#x},end={address['bench_end']:#x}"
        self.run(inputs, f"{plugin},{marks},out={counts}")
        lines = (line.split() for line in counts.read_text().splitlines())
        return [int(line[1]) for line in lines if line[0] == "total"]


def emulate(board: str, elf: Path, plugin: str | None = None) -> None:
    """Run an image in its folder. Raises ToolError if it fails or faults."""
    plugins = ["-plugin", plugin] if plugin else []
    command = [*find_board(board).machine, "-kernel", str(elf), *plugins]
    run_tool(command, elf.parent, may_complain=True)


def run_program(
    board: str, source: str, folder: Path, feed: bytes, core: tuple[str, ...] | None = None
) -> bytes:
    """Run a C program on a board; returns what it writes to its standard output.

    `feed` is its standard input. `core` are flags in place of the board's: of a lesser processor,
    whose code the board's executes, or of another optimisation.
    """
    opened = [
        f'freopen("{name}", "{mode}", {stream}) == NULL'
        for name, mode, stream in (("input.bin", "rb", "stdin"), ("output.bin", "wb", "stdout"))
    ]
    main = "int main(void)\n{"
    text = source.replace(main, f"{main}\n    if ({' || '.join(opened)}) {{ exit(94); }}")
    (folder / "program.c").write_text(text)
    (folder / "input.bin").write_bytes(feed)
    described = find_board(board)
    for name, content in board_files(described).items():
        (folder / name).write_bytes(content)
    command = [f"{TOOLCHAIN}gcc", *APP_FLAGS, *(core or described.flags)]
    script = [f"-L{folder}", *described.link_flags]
    run_tool([*command, *script, "program.c", "startup.c", "-o", "program.elf"], folder)
    emulate(board, folder / "program.elf")
    return (folder / "output.bin").read_bytes()


def build_image(board: str, model: Model, folder: Path) -> Image:
    """Build `model` into an image for `board`, in `folder`.

    The weights go to the section .weights, the arena to .bulk, the code to .model_code. Raises
    ToolError with the compiler's message.
    """
    upper = model.prefix.upper()
    described = find_board(board)
    lines = [
        f'#define {upper}_{what}_ATTR __attribute__((section("{section}")))\n'
        for what, section in described.sections.items()
    ]
    (folder / "sections.h").write_text("".join(lines))
    machine = described.flags
    for name, content in board_files(described).items():
        (folder / name).write_bytes(content)
    includes = [f"-I{folder}", *sorted({f"-I{source.parent}" for source in model.sources})]
    common = [*machine, *includes, f'-D{upper}_CONFIG_H="sections.h"', "-fstack-usage"]
    header = f'-DMODEL_HEADER="{model.prefix}.h"'
    element = f"-DELEMENT={model.element}"
    names = [header, element, f"-DPREFIX={model.prefix}", f"-DPREFIX_UPPER={upper}"]
    counts = [f"-DINPUT_COUNT={model.input_size}", f"-DOUTPUT_COUNT={model.output_size}"]

    def compile_one(source: Path, *flags: str) -> Path:
        target = folder / f"{source.stem}.o"
        run_tool([f"{TOOLCHAIN}gcc", *common, *flags, "-c", source, "-o", target], folder)
        return target

    objects = tuple(compile_one(source, *model.cflags) for source in model.sources)
    app = compile_one(HERE / "app.c", *APP_FLAGS, *names, *counts)
    startup = compile_one(folder / "startup.c", *APP_FLAGS)
    elf = folder / f"{model.prefix}.elf"
    script = [f"-L{folder}", *described.link_flags]
    run_tool([f"{TOOLCHAIN}gcc", *machine, *script, startup, app, *objects, "-o", elf], folder)
    return Image(board, folder, elf, objects, model.output_size, model.element)


BuildImage = Callable[[str, Model, Path], Image]


def build_counter(compiler: str, folder: Path) -> Path:
    """Compile QEMU's instruction counting plugin with the host's compiler."""
    plugin = folder / "instruction_count.so"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    run_tool([compiler, *flags, PLUGIN, "-o", plugin], folder)
    return plugin


def list_symbols(binary: Path) -> list[Symbol]:
    """All symbols of an object file or image."""
    printed = run_tool([f"{TOOLCHAIN}nm", "--format=posix", binary], binary.parent).decode()
    symbols = []
    for line in printed.splitlines():
        name, kind, *numbers = line.split()
        address, size = (int(number, 16) for number in [*numbers, "0", "0"][:2])
        symbols.append(Symbol(name, kind, address, size))
    return symbols


def section_sizes(binary: Path) -> dict[str, int]:
    """Bytes of each section of an object file or image."""
    printed = run_tool([f"{TOOLCHAIN}size", "--format=sysv", binary], binary.parent).decode()
    rows = [line.split() for line in printed.splitlines() if line.startswith(".")]
    return {row[0]: int(row[1]) for row in rows}


def stack_uses(object_file: Path) -> dict[str, tuple[int, str]]:
    """Stack of each function in bytes, and gcc's word for it: static, dynamic or bounded."""
    lines = object_file.with_suffix(".su").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    return {place.rsplit(":", 1)[1]: (int(size), kind) for place, size, kind in rows}
