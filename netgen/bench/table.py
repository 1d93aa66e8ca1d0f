"""The rows of a bench as tables for the terminal, 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.table import Table

from netgen.bench.machine import Machine
from netgen.bench.result import BenchRow, cores_note, noise_note

_MEANING = "ratio: netgen's time divided by this runtime's, below 1 netgen is the faster one"


def bench_tables(rows: Sequence[BenchRow]) -> list[Table]:
    """One rich table per model, its label the title; runtimes without times have dashes."""
    tables = []
    for label, group in groupby(rows, lambda row: row.model):
        table = Table(
            title=label,
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for heading in ("runtime", "version"):
            table.add_column(heading, no_wrap=True)
        for heading in ("ms", "ratio", "quartiles", "runs", "error"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in group:
            table.add_row(row.runtime, row.version or "-", *_cells(row))
        tables.append(table)
    return tables


def bench_notes(rows: Sequence[BenchRow], machine: Machine) -> list[str]:
    """Lines that stand below the tables: what failed, how to read them, the machine, its noise."""
    noise = noise_note(rows)
    return [
        *dict.fromkeys(f"{row.runtime}: {row.error}" for row in rows if row.error is not None),
        _MEANING,
        f"{cores_note(rows)}: {machine}",
        *([noise] if noise else []),
    ]


def _cells(row: BenchRow) -> tuple[str, ...]:
    if row.error is not None:
        return "-", "-", "-", "-", _number(row.max_relative_error, ".1e")
    ours = row.runtime == "netgen"  # the same numbers stand in the row of its peer
    return (
        _number(row.median_ms, ".3f"),
        "" if ours else _number(row.ratio, ".2f"),
        "" if ours else f"{_number(row.ratio_low, '.2f')}-{_number(row.ratio_high, '.2f')}",
        str(row.runs),
        "" if ours else _number(row.max_relative_error, ".1e"),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
