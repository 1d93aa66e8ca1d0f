"""The result of a run on a board: instructions, an estimate of cycles, flash, RAM, outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from netgen.emission.footprint import Footprint
from netgen.errors import VerifyError
from netgen.export.boards import BOARDS

# Largest error of floats, relative to the largest output; as `netgen verify` has it.
_TOLERANCE = 1e-5
_SHOWN = 12


@dataclass(frozen=True)
class LayerCount:
    """One step: its instructions, those of the call and the hook among them."""

    index: int
    name: str
    kernel: str
    macs: int
    instructions: int


@dataclass(frozen=True)
class OutputCheck:
    """An output beside the reference: elements that differ in a bit, and the largest error.

    `exact` outputs are codes that must be equal; others may differ in the last bits of floats.
    """

    name: str
    elements: int
    differ: int
    relative_error: float
    exact: bool

    @property
    def right(self) -> bool:
        """Whether the output is what it must be."""
        return self.differ == 0 if self.exact else self.relative_error <= _TOLERANCE

    def __str__(self) -> str:
        if self.differ == 0:
            return f"%{self.name}: all {self.elements} elements equal the reference's"
        return (
            f"%{self.name}: {self.differ} of {self.elements} elements differ from the reference's, "
            f"by {self.relative_error:.1e} of the largest at most"
        )


@dataclass(frozen=True)
class BoardResult:
    """A run of a network on an emulated board; `estimated_cycles` where the core's manual has them.

    Bytes are those of RAM and flash; the code's and the stack's are measured with the compiler that
    `footprint` names.
    """

    model: str
    board: str
    core: str
    target: str
    instructions: int
    estimated_cycles: int | None
    macs: int
    layers: tuple[LayerCount, ...]
    mnemonics: tuple[tuple[str, int], ...]
    footprint: Footprint
    weights_bytes: int
    arena_bytes: int
    state_bytes: int
    outputs: tuple[OutputCheck, ...]

    @property
    def flash_bytes(self) -> int:
        """Code, constants and weights."""
        return self.footprint.flash + self.weights_bytes

    def as_json(self) -> dict[str, object]:
        """All of it by name."""
        return {
            **asdict(self),
            "mnemonics": dict(self.mnemonics),
            "instructions_per_mac": ratio(self.instructions, self.macs),
            "flash_bytes": self.flash_bytes,
        }


def ratio(count: int, macs: int) -> float | None:
    """Per multiply-accumulate, where there are any."""
    return round(count / macs, 3) if macs else None


def board_tables(result: BoardResult) -> list[Table]:
    """A table of the layers."""
    table = Table(title=f"{result.model} on {result.board} ({result.core}), {result.target}")
    for heading in ("step", "layer", "kernel"):
        table.add_column(heading)
    for heading in ("MACs", "instructions", "per MAC"):
        table.add_column(heading, justify="right")
    for layer in result.layers:
        per = ratio(layer.instructions, layer.macs)
        table.add_row(
            str(layer.index),
            layer.name,
            layer.kernel,
            f"{layer.macs:,}",
            f"{layer.instructions:,}",
            "-" if per is None else f"{per:.2f}",
        )
    return [table]


def _not_own(result: BoardResult, own: str) -> str:
    return f"{result.target}; --target {own} has the instructions of {result.core}"


def board_lines(result: BoardResult) -> list[str]:
    """Totals, memory and outputs, in lines."""
    per, size = ratio(result.instructions, result.macs), result.footprint
    most = ", ".join(f"{name} {count:,}" for name, count in result.mnemonics[:_SHOWN])
    own = BOARDS[result.board].target
    return [
        *([] if result.target == own else [f"target:       {_not_own(result, own)}"]),
        f"instructions: {result.instructions:,} executed in one run, {per} per MAC",
        f"most often:   {most}",
        f"cycles:       {_cycles(result)}",
        f"flash:        {result.flash_bytes:,} bytes: code {size.code:,}, constants "
        f"{size.constants:,}, weights {result.weights_bytes:,}",
        f"RAM:          arena {result.arena_bytes:,} bytes, of it state {result.state_bytes:,}",
        f"stack:        {size.stack:,} bytes at most, without the C library and the hook: "
        f"{' > '.join(size.chain)}",
        f"compiler:     {size.compiler}",
        *(f"output {output}" for output in result.outputs),
    ]


def _cycles(result: BoardResult) -> str:
    if result.estimated_cycles is None:
        return f"no estimate: the manual of {result.core} has no table of them"
    per = ratio(result.estimated_cycles, result.macs)
    return (
        f"{result.estimated_cycles:,} estimated by the manual's table for {result.core}, {per} per "
        "MAC; not measured"
    )


def require_outputs(results: Sequence[BoardResult]) -> None:
    """Raise VerifyError where an output of a board is wrong."""
    wrong = [(result, output) for result in results for output in result.outputs]
    for result, output in wrong:
        if not output.right:
            raise VerifyError(
                "the model on the board does not agree with its reference",
                where=result.board,
                expected="equal codes" if output.exact else f"at most {_TOLERANCE:.0e}",
                found=str(output),
                hint="see whether it does here: netgen verify MODEL --target TARGET --layers",
            )
