"""An estimate of cycles: executed instructions weighted by the manual of their core.

The tables are those of Arm's reference manuals of the processors (instruction set summary, load and
store timings). What they leave open (a range) has the value stated here. Wait states of flash,
contention for the bus and stalls of the FPU are not in them, so this stays an estimate. Cores
without such a table (M7, M33, M55, RISC-V) have none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from netgen.bench.board.emulator import Executed


@dataclass(frozen=True)
class Manual:
    """Cycles of a core: all instructions take 1 but for these.

    A load or store of one register takes `single`, 1 behind another; of more registers one more
    than there are. A taken branch takes `refill` more: the manual says 1 to 3. `others` are by what
    mnemonics begin with, the first that fits.
    """

    core: str
    single: int
    refill: int
    others: tuple[tuple[str, int], ...]


# A division ends early by the leading zeros of its operands: 2 to 12 cycles.
_DIVISION = (("udiv", 7), ("sdiv", 7))
MANUALS = {
    manual.core: manual
    for manual in (
        Manual(
            "Cortex-M3",
            2,
            2,
            # Long products end early, too: 3 to 5 cycles, 4 to 7 where they add.
            (*_DIVISION, ("smull", 4), ("umull", 4), ("smlal", 6), ("umlal", 6), ("ml", 2)),
        ),
        Manual(
            "Cortex-M4",
            2,
            2,
            (
                *_DIVISION,
                *(("vdiv", 14), ("vsqrt", 14)),
                *(("vmla", 3), ("vmls", 3), ("vnmla", 3), ("vnmls", 3)),
                *(("vfma", 3), ("vfms", 3), ("vfnma", 3), ("vfnms", 3)),
            ),
        ),
    )
}

_SEVERAL = ("ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop", "ldrd", "strd")
_LISTED = re.compile(r"\{(.*)\}")
_RANGE = re.compile(r"([a-z]+)(\d+) *- *[a-z]+(\d+)")


def estimated_cycles(executed: Sequence[Executed], manual: Manual) -> int:
    """The estimate for instructions in the order of their addresses."""
    cycles = 0
    before: Executed | None = None
    for each in executed:
        follows = before is not None and 0 < each.address - before.address <= 4
        pipelined = follows and before is not None and _is_single(before)
        cycles += each.count * _cycles(each, manual, pipelined=pipelined)
        cycles += each.taken * manual.refill
        before = each
    return cycles


def _cycles(each: Executed, manual: Manual, *, pipelined: bool) -> int:
    name = each.mnemonic
    if name.startswith(_SEVERAL):
        return 1 + _registers(each)
    if _is_single(each):
        # A store to a constant offset leaves in the shade of what follows.
        stored = name.startswith(("str", "vstr")) and each.operands.count(",") <= 2
        offset = "#" in each.operands or each.operands.count(",") == 1
        hidden = name.startswith("str") and stored and offset
        return 1 if pipelined or hidden else manual.single
    return next((cost for opens, cost in manual.others if name.startswith(opens)), 1)


def _is_single(each: Executed) -> bool:
    """Whether an instruction loads or stores one register."""
    name = each.mnemonic
    return name.startswith(("ldr", "str", "vldr", "vstr")) and not name.startswith(_SEVERAL)


def _registers(each: Executed) -> int:
    """The number of registers of a word that an instruction loads or stores."""
    listed = _LISTED.search(each.operands)
    if listed is None:  # of a pair
        return 2
    count = 0
    for part in listed[1].split(","):
        between = _RANGE.search(part)
        words = 2 if part.strip().startswith("d") else 1
        count += words * (int(between[3]) - int(between[2]) + 1 if between else 1)
    return count
