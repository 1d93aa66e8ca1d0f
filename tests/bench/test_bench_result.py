"""Ratios, quartiles, agreement and noise, from times and outputs that are given."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.bench.result import BenchRow, compared, final_rows, noise_note

OURS = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
ROWS = [
    BenchRow("net", "netgen"),
    BenchRow("net", "gone", error="not installed"),
    BenchRow("net", "slow", max_relative_error=1e-6),
    BenchRow("net", "fast", max_relative_error=2e-6),
]
SECONDS = {
    "netgen": OURS,
    "slow": OURS * np.array([2.0, 4.0, 4.0, 4.0, 8.0]),
    "fast": OURS / 2.0,
}
RUNS = {"netgen": 10, "slow": 5, "fast": 20}


def test_ratio_is_ours_to_theirs_round_by_round() -> None:
    ours, gone, slow, fast = final_rows(ROWS, SECONDS, RUNS, SECONDS["slow"] * 1.02)
    assert (slow.ratio, slow.ratio_low, slow.ratio_high) == (0.25, 0.25, 0.25)
    assert fast.ratio == 2.0
    assert (ours.median_ms, slow.median_ms, fast.median_ms) == (3e3, 12e3, 1.5e3)
    assert (ours.ratio, ours.max_relative_error) == (slow.ratio, 1e-6)
    assert (ours.runs, gone.runs, slow.runs, fast.runs) == (10, 0, 5, 20)
    assert (gone.median_ms, gone.ratio, gone.error) == (None, None, "not installed")


def test_quartiles() -> None:
    seconds = {"netgen": OURS, "slow": np.ones(5)}
    ours, slow = final_rows([ROWS[0], ROWS[2]], seconds, RUNS, np.ones(5))
    assert (slow.ratio_low, slow.ratio, slow.ratio_high) == (2.0, 3.0, 4.0)
    assert (ours.ratio_low, ours.ratio, ours.ratio_high) == (2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("factor", "noisy"), [(0.96, True), (0.98, False), (1.0, False), (1.02, False), (1.04, True)]
)
def test_noise(factor: float, noisy: bool) -> None:
    rows = final_rows(ROWS, SECONDS, RUNS, SECONDS["slow"] * factor)
    assert [row.self_ratio for row in rows] == pytest.approx([factor] * 4)
    assert [row.noisy for row in rows] == [noisy] * 4
    note = noise_note(rows)
    assert (note is not None) == noisy
    assert note is None or f"gave {factor:.2f}, expected 1 within 0.03" in note


def outputs(*values: float) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return [np.array(values, np.float32)]


def test_agreement_is_relative_to_the_largest_output() -> None:
    row = compared(ROWS[2], outputs(100.05, 0.0), outputs(100.0, 0.0))
    assert row.error is None
    assert row.max_relative_error == pytest.approx(5e-4, rel=1e-3)
    assert compared(ROWS[2], outputs(0.0), outputs(0.0)).max_relative_error == 0.0
    # Of nothing but zeros the error is the largest number itself, as `netgen verify` has it.
    row = compared(ROWS[2], outputs(2.0**-20), outputs(0.0))
    assert (row.error, row.max_relative_error) == (None, 2.0**-20)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (outputs(1.002), outputs(1.0)),
        (outputs(np.nan), outputs(1.0)),
        (outputs(np.inf), outputs(np.inf)),
        (outputs(1.0), outputs(0.0)),
    ],
)
def test_disagreement(
    ours: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
    theirs: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
) -> None:
    row = compared(ROWS[2], ours, theirs)
    assert row.error is not None
    assert "netgen and slow do not compute the same" in row.error


def test_other_shapes() -> None:
    row = compared(ROWS[2], outputs(1.0, 2.0), outputs(1.0))
    assert row.error == (
        "netgen and slow give outputs of different shapes, expected [(1,)], found [(2,)]"
    )
    row = compared(ROWS[2], outputs(1.0) * 2, outputs(1.0))
    assert row.error is not None
