"""The code and the stack of a model as the compiler of a board makes them; budgets of memory."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from netgen.compiler import Lowered
from netgen.emission.files import write_files
from netgen.emission.footprint import Footprint
from netgen.emission.options import EmitOptions
from netgen.emission.selftest import self_test
from netgen.emission.source import emit_files
from netgen.errors import BudgetError, UsageError
from netgen.export.boards import Board
from netgen.ir.origin import Origin
from netgen.kernels.targets import find_target
from netgen.plan.data.plan import Plan
from netgen.runtime.footprint import measure_footprint
from netgen.runtime.programs import require_programs

# Firmware is compiled so: it is smaller than -O3, and hardly slower.
OPTIMISE = "-O2"


@dataclass(frozen=True)
class Budgets:
    """The most bytes of arena and of flash, where there is a limit."""

    arena: int | None = None
    flash: int | None = None


def compile_flags(plan: Plan, board: Board) -> tuple[str, ...]:
    """The flags of the target for gcc, with the board's core in place of another."""
    own = find_target(plan.target)
    kept = [f for f in own.flags("gcc") if f not in own.machine_flags and not f.startswith("-O")]
    return (*kept, OPTIMISE, *board.flags)


def measure_on(lowered: Lowered, board: Board, *, selftest: bool) -> Footprint:
    """Compile the C of a planned network for a board, and look at the object."""
    require_programs([board.compiler], board.packages)
    plan = lowered.plan
    test = self_test(plan, lowered.graph) if selftest else None
    options = EmitOptions("model", "model", "c", "netgen compile")
    files = emit_files(plan, Origin(lowered.graph.name), lowered.packed, options, test)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, {each: files[each] for each in ("model.c", "model.h")})
        flags = compile_flags(plan, board)
        return measure_footprint(folder / "model.c", board.toolchain, flags, board.name)


def require_budgets(plan: Plan, budgets: Budgets, footprint: Footprint | None) -> None:
    """Raise BudgetError for more than there is, UsageError for flash that nobody measured."""
    arena = plan.certificate.arena_bytes
    if budgets.arena is not None and arena > budgets.arena:
        raise BudgetError(
            "the arena is larger than its budget",
            expected=f"at most {budgets.arena:,} bytes",
            found=f"{arena:,}",
            hint="give it as --ram, which plans for it, or see netgen plan --pareto",
        )
    if budgets.flash is None:
        return
    if footprint is None:
        raise UsageError(
            "no code has been measured to compare with --max-flash", hint="add --measure BOARD"
        )
    flash = footprint.flash + plan.weights_bytes
    if flash > budgets.flash:
        raise BudgetError(
            "the flash that the model takes is larger than its budget",
            expected=f"at most {budgets.flash:,} bytes",
            found=f"{flash:,}: weights {plan.weights_bytes:,}, code and constants "
            f"{footprint.flash:,}",
            hint="--small makes less code",
        )
