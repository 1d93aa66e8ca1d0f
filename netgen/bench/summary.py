"""The rows of several models as one table: a row per model, a column per peer, netgen's ratios."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.table import Table

from netgen.bench.result import BenchRow


def summary_table(rows: Sequence[BenchRow]) -> Table:
    """The table of medians and ratios for the terminal."""
    headings, *lines = _lines(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    return table


def summary_markdown(rows: Sequence[BenchRow]) -> str:
    """The table of medians and ratios in Markdown: one line per model."""
    headings, *lines = _lines(rows)
    named = [[f"`{label}`", *cells] for label, *cells in lines]
    return "\n".join(
        f"| {' | '.join(line)} |" for line in [headings, ["---"] * len(headings), *named]
    )


def _lines(rows: Sequence[BenchRow]) -> list[list[str]]:
    """Headings, then per model its label, netgen's milliseconds, its ratio to each peer.

    A peer without times has a dash, also where it took part for other models only.
    """
    peers = list(dict.fromkeys(row.runtime for row in rows if row.runtime != "netgen"))
    lines = [["model", "ms", *peers]]
    for label, group in groupby(rows, lambda row: row.model):
        found = {row.runtime: row for row in group}
        ours = found["netgen"].median_ms
        ratios = [found[peer].ratio if peer in found else None for peer in peers]
        cells = ["-" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        lines.append([label, "-" if ours is None else f"{ours:.3g}", *cells])
    return lines
