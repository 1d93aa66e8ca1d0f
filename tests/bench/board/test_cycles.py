"""The estimate of cycles, by hand from the tables of the manuals."""

from __future__ import annotations

import pytest

from netgen.bench.board.cycles import MANUALS, estimated_cycles
from netgen.bench.board.emulator import Executed, read_counts


def cycles(core: str, *lines: str) -> int:
    """The estimate for instructions of four bytes that follow each other, each executed once."""
    executed = [Executed(4 * n, 1, 0, line) for n, line in enumerate(lines)]
    return estimated_cycles(executed, MANUALS[core])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["add r0, r1, r2"], 1),
        (["ldr r0, [r1]"], 2),
        (["ldrb.w r0, [r1, #1]", "ldr r2, [r1, #4]"], 3),  # one behind another takes 1
        (["ldr r0, [r1]", "add r0, r0", "ldr r2, [r1, #4]"], 5),
        (["str r0, [r1, #4]"], 1),
        (["str.w r0, [r1, r2, lsl #2]"], 2),
        (["ldrd r0, r1, [r2, #8]"], 3),
        (["ldmia.w r0!, {r1, r2, r3, r4}"], 5),
        (["push {r4, r5, r6, r7, lr}"], 6),
        (["vldmia r0!, {s0-s7}"], 9),
        (["vpush {d8-d9}"], 5),
        (["vfma.f32 s0, s1, s2"], 3),
        (["smlad r0, r1, r2, r0"], 1),
    ],
)
def test_a_cortex_m4_takes_what_its_manual_says(lines: list[str], expected: int) -> None:
    assert cycles("Cortex-M4", *lines) == expected


def test_a_cortex_m3_multiplies_and_adds_in_two() -> None:
    assert cycles("Cortex-M3", "mla r0, r1, r2, r3") == 2
    assert cycles("Cortex-M3", "mul r0, r1, r2") == 1
    assert cycles("Cortex-M4", "mla r0, r1, r2, r3") == 1


def test_branches_cost_more_where_they_are_taken() -> None:
    branch = Executed(0, 10, 7, "bne.n 8000")
    assert estimated_cycles([branch], MANUALS["Cortex-M4"]) == 10 + 7 * 2


def test_lines_of_the_plugin_are_read() -> None:
    counts = read_counts(
        "total 30\n4100 10 9\n4096 20 0\nstep 12\nstep 18\ntotal 31\n", {4100: "bne 4096"}
    )
    assert counts.total == 30
    assert counts.bands == (12, 18)
    assert [(each.address, each.text) for each in counts.executed] == [
        (4096, "unknown"),
        (4100, "bne 4096"),
    ]
