"""The rows of a bench as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from netgen.bench.result import BenchRow, noise_note


def bench_table(rows: Sequence[BenchRow]) -> Table:
    """Rows as a rich table; its caption says so if the machine was too noisy."""
    table = Table(caption=noise_note(rows))
    for heading in ("model", "runtime", "version"):
        table.add_column(heading)
    for heading in ("ms", "netgen / it", "quartiles", "runs", "error"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.model, row.runtime, row.version or "", *_cells(row))
    return table


def _cells(row: BenchRow) -> tuple[str, str, str, str, str]:
    if row.error is not None:
        return "", "", "", "", row.error
    return (
        _number(row.median_ms, ".3f"),
        _number(row.ratio, ".2f"),
        f"{_number(row.ratio_low, '.2f')} to {_number(row.ratio_high, '.2f')}",
        str(row.runs),
        _number(row.max_relative_error, ".1e"),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
