"""The result of a bench: one row per runtime, and whether the machine was quiet enough."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netgen.bench.subject import Precision
from netgen.bench.worker import Array
from netgen.errors import VerifyError
from netgen.ir.tensor_type import Array as Times
from netgen.runtime.compare import relative_error

# Runtimes that compute in fp32 differ by about 3e-5 of the largest output, bf16 by 1e-2 and more.
LARGEST_ERROR = 1e-3
# Runtimes of int8 round differently from TensorFlow Lite's reference: by single codes, which behind
# a softmax were up to 0.5 of the largest output on noise. What computes something else is off by 1.
LARGEST_ERROR_OF_CODES = 0.5
OURS = "netgen"
# The float twin of a network of codes, compiled likewise.
OUR_FLOATS = "netgen fp32"
# How far from 1 the first peer's ratio to itself may be.
QUIET = 0.03


@dataclass(frozen=True)
class BenchRow:
    """One model in one runtime.

    `median_ms` is the time of one inference, the median over the rounds. `ratio` is netgen's time
    divided by this runtime's: the median of the rounds' ratios, `ratio_low` and `ratio_high` their
    quartiles. Below 1 netgen is the faster one. netgen's own row has its ratio to the first peer
    that ran (ONNX Runtime, unless others were asked for). `runs` is the number of inferences timed.
    `max_relative_error` is the largest difference between netgen's outputs and this runtime's,
    relative to its largest output; in netgen's row to the first peer.

    `self_ratio` is the first peer's ratio to a second process of itself; `noisy` says that it was
    not 1 within 0.03, and that the run's ratios say little. `error` says why a row has no times: a
    peer that is not installed, failed, or computes something else; `exit_code` is that error's.
    `threads` is how many each runtime had, on as many cores.

    `precision` is what the runtime computes with. Of a network of codes the rows of fp32 are of its
    float twin: their errors are relative to netgen's own row of that. That row's error is the
    distance of codes from floats on these inputs, which are noise; no limit is set to it.
    """

    model: str
    runtime: str
    median_ms: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    runs: int = 0
    version: str | None = None
    max_relative_error: float | None = None
    self_ratio: float | None = None
    noisy: bool = False
    error: str | None = None
    exit_code: int | None = None
    threads: int = 1
    precision: Precision = "fp32"

    @property
    def is_peer(self) -> bool:
        """Whether it is another runtime's."""
        return self.runtime not in {OURS, OUR_FLOATS}

    def as_json(self) -> dict[str, object]:
        """All fields by name."""
        return dataclasses.asdict(self)


def compared(
    row: BenchRow,
    ours: Sequence[Array],
    theirs: Sequence[Array],
    limit: float = LARGEST_ERROR,
) -> BenchRow:
    """Row with the largest relative error of netgen's outputs, and an error if that is too much."""
    shapes, expected = [a.shape for a in ours], [a.shape for a in theirs]
    if shapes != expected:
        fault = VerifyError(
            f"netgen and {row.runtime} give outputs of different shapes",
            expected=str(expected),
            found=str(shapes),
        )
        return replace(row, error=str(fault), exit_code=fault.exit_code)
    worst = max(relative_error(a, b) for a, b in zip(ours, theirs, strict=True))
    row = replace(row, max_relative_error=worst if np.isfinite(worst) else None)
    if worst <= limit:
        return row
    fault = VerifyError(
        f"netgen and {row.runtime} do not compute the same",
        expected=f"outputs within {limit:g} of the largest",
        found=f"{worst:.3g}",
    )
    return replace(row, error=str(fault), exit_code=fault.exit_code)


def final_rows(
    rows: Sequence[BenchRow],
    seconds: Mapping[str, Times],
    runs: Mapping[str, int],
    twin: Times | None,
) -> list[BenchRow]:
    """Rows with their times.

    `seconds` of one inference, an element per round, by runtime: netgen first, then the peers that
    ran. `twin` is the first of these once more, None if there is none.
    """
    first = next((row for row in rows if row.is_peer and row.runtime in seconds), None)
    self_ratio = None if first is None or twin is None else _ratios(twin, seconds[first.runtime])[0]
    noisy = self_ratio is not None and not abs(self_ratio - 1.0) <= QUIET
    finished = []
    for row in rows:
        peer = first if row.runtime == OURS else row
        timed = _with_ratio(row, peer, seconds) if row.runtime in seconds else row
        finished.append(
            replace(timed, self_ratio=self_ratio, noisy=noisy, runs=runs.get(row.runtime, 0))
        )
    return finished


def _with_ratio(row: BenchRow, peer: BenchRow | None, seconds: Mapping[str, Times]) -> BenchRow:
    """Row with its own time, and netgen's ratio to `peer`."""
    row = replace(row, median_ms=float(np.median(seconds[row.runtime])) * 1e3)
    if peer is None:
        return row
    median, low, high = _ratios(seconds[OURS], seconds[peer.runtime])
    return replace(
        row,
        ratio=median,
        ratio_low=low,
        ratio_high=high,
        max_relative_error=peer.max_relative_error,
    )


def _ratios(ours: Times, theirs: Times) -> tuple[float, float, float]:
    """Median and quartiles round by round: what slows a whole round down does not matter."""
    low, median, high = np.percentile(ours / theirs, [25, 50, 75])
    return float(median), float(low), float(high)


def failure(rows: Sequence[BenchRow]) -> int:
    """Give the exit code of a run: the first peer's fault if no peer at all ran, otherwise 0."""
    peers = [row for row in rows if row.is_peer]
    if any(row.error is None for row in peers):
        return 0
    return next((row.exit_code for row in peers if row.exit_code), 0)


def cores_note(rows: Sequence[BenchRow]) -> str:
    """Say what the times are of: precision, threads, cores."""
    precisions = " and ".join(sorted({row.precision for row in rows}, reverse=True))
    counts = sorted({row.threads for row in rows})
    if counts == [1]:
        return f"{precisions}, one thread, one core"
    number = " and ".join(map(str, counts))
    return f"{precisions}, {number} threads on as many cores"


def noise_note(rows: Sequence[BenchRow]) -> str | None:
    """Say in a sentence that the machine was too noisy to trust the rows; None if it was not."""
    found = [row.self_ratio for row in rows if row.noisy and row.self_ratio is not None]
    if not found:
        return None
    worst = max(found, key=lambda ratio: abs(ratio - 1.0))
    return (
        f"the machine was too noisy: the first peer against itself gave {worst:.2f}, expected 1 "
        f"within {QUIET}; stop what else is running and measure again"
    )
