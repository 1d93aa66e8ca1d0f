"""Boards as data: their core, memory, toolchain and emulator, and the packages that hold these."""

from __future__ import annotations

from dataclasses import dataclass

from netgen.emission.environment import render
from netgen.errors import UsageError

_ARM = ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "qemu-system-arm")
_RISCV = ("gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf", "qemu-system-misc")
# The processor class (`--target`) with the instructions of a core.
_TARGETS = {
    "Cortex-M3": "cortex-m",
    "Cortex-M4": "cortex-m-dsp",
    "Cortex-M7": "cortex-m-dsp",
    "Cortex-M33": "cortex-m-dsp",
    "Cortex-M55": "cortex-m-mve",
    "rv32imac": "riscv",
}
_M = 1 << 20
_K = 1 << 10


@dataclass(frozen=True)
class Region:
    """A stretch of memory; `access` is what the linker may put there."""

    name: str
    access: str
    origin: int
    bytes: int


@dataclass(frozen=True)
class Board:
    """One board that QEMU emulates.

    `flags` are those of its core for the compiler, `link` further ones of a toolchain that brings
    its own script. `regions` are its memories: code, data, and perhaps a larger one, which then
    holds what is named `bulk` and `weights`. `cycles` is the table of its core's manual, where that
    has one.
    """

    name: str
    core: str
    toolchain: str
    emulator: tuple[str, ...]
    packages: tuple[str, ...]
    flags: tuple[str, ...]
    regions: tuple[Region, ...]
    bulk: str
    weights: str
    link: tuple[str, ...] = ()
    cycles: str | None = None

    @property
    def compiler(self) -> str:
        """The command of its C compiler."""
        return f"{self.toolchain}gcc"

    @property
    def target(self) -> str:
        """The name of the target that has all instructions of its core."""
        return _TARGETS[self.core]

    @property
    def link_flags(self) -> tuple[str, ...]:
        """Flags of linking; the script, if it is ours, is NAME.ld."""
        return self.link or ("-nostartfiles", f"-T{self.name}.ld", "--specs=rdimon.specs")

    @property
    def sections(self) -> dict[str, str]:
        """The section of our script for weights, arena and code, by MODEL_WHAT_ATTR; else none."""
        places = {"WEIGHTS": ".weights", "ARENA": ".bulk", "CODE": ".model_code"}
        return places if self.regions else {}

    @property
    def machine(self) -> tuple[str, ...]:
        """The emulator's command, without the image; semihosting reaches files of the host."""
        quiet = ("-nographic", "-monitor", "none", "-serial", "none")
        return (*self.emulator, *quiet, "-semihosting-config", "enable=on,target=native")


def _cortex_m(
    name: str, core: str, fpu: str, regions: tuple[Region, ...], **more: str | None
) -> Board:
    given = {"bulk": regions[-1].name, "weights": regions[-1].name, **more}
    hard = ("-mfloat-abi=hard", *([f"-mfpu={fpu}"] if fpu != "auto" else ())) if fpu else ()
    return Board(
        name=name,
        core=f"Cortex-{core.rpartition('-')[2].upper()}",
        toolchain="arm-none-eabi-",
        emulator=("qemu-system-arm", "-M", name),
        packages=_ARM,
        flags=(f"-mcpu={core}", "-mthumb", *hard),
        regions=regions,
        bulk=str(given["bulk"]),
        weights=str(given["weights"]),
        cycles=given.get("cycles"),
    )


def _mps2(code: int, data: int, psram: int) -> tuple[Region, ...]:
    return (
        Region("CODE", "rx", code, 4 * _M),
        Region("DATA", "rw", data, 4 * _M),
        Region("PSRAM", "rwx", psram, 16 * _M),
    )


_AN547 = (
    Region("CODE", "rx", 0, 512 * _K),
    Region("DATA", "rw", 0x20000000, 512 * _K),
    Region("SRAM", "rwx", 0x21000000, 4 * _M),
    Region("DDR", "rwx", 0x60000000, 256 * _M),
)
# The core-coupled 64 KB stand elsewhere: 128 KB are in one piece, but QEMU has all in one.
_NETDUINO = (Region("CODE", "rx", 0x08000000, _M), Region("DATA", "rw", 0x20000000, 128 * _K))
_RISCV32 = Board(
    name="riscv32",
    core="rv32imac",
    toolchain="riscv64-unknown-elf-",
    emulator=("qemu-system-riscv32", "-M", "virt", "-bios", "none"),
    packages=_RISCV,
    flags=("-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"),
    regions=(),
    bulk="",
    weights="",
    link=(
        "--crt0=semihost",
        "--oslib=semihost",
        "-Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=64M",
        "-Wl,--defsym=__ram=0x84000000,--defsym=__ram_size=48M,--defsym=__stack_size=16K",
    ),
)

BOARDS = {
    board.name: board
    for board in (
        _cortex_m(
            "mps2-an385", "cortex-m3", "", _mps2(0, 0x20000000, 0x21000000), cycles="Cortex-M3"
        ),
        _cortex_m(
            "mps2-an386",
            "cortex-m4",
            "fpv4-sp-d16",
            _mps2(0, 0x20000000, 0x21000000),
            cycles="Cortex-M4",
        ),
        _cortex_m("mps2-an500", "cortex-m7", "fpv5-d16", _mps2(0, 0x20000000, 0x60000000)),
        _cortex_m(
            "mps2-an505", "cortex-m33", "fpv5-sp-d16", _mps2(0x10000000, 0x38000000, 0x80000000)
        ),
        _cortex_m("mps3-an547", "cortex-m55", "auto", _AN547, bulk="SRAM"),
        _cortex_m(
            "netduinoplus2",
            "cortex-m4",
            "fpv4-sp-d16",
            _NETDUINO,
            weights="CODE",
            cycles="Cortex-M4",
        ),
        _RISCV32,
    )
}


def find_board(name: str) -> Board:
    """A board by name. Raises UsageError for one that is not known."""
    if name not in BOARDS:
        raise UsageError(
            f"there is no board '{name}'", expected=f"one of {', '.join(BOARDS)}", found=name
        )
    return BOARDS[name]


def board_files(board: Board) -> dict[str, bytes]:
    """The start and the linker script of a board, by name; none where its C library has both."""
    if not board.regions:
        return {}
    return {
        "startup.c": render("boards/startup.c.j2").encode(),
        f"{board.name}.ld": render("boards/board.ld.j2", board=board).encode(),
    }
