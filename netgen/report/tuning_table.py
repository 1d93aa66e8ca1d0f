"""The result of a tuning as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Column, Table

from netgen.kernels.layer import Choice
from netgen.tune.search import Tuned


def tuning_table(layers: Sequence[Tuned]) -> Table:
    """One line per distinct layer: its own choice, what is faster, both times, all its steps."""
    table = Table(
        "layer",
        Column("steps", justify="right"),
        "own choice",
        Column("µs", justify="right"),
        "faster here",
        Column("µs", justify="right"),
    )
    for layer in layers:
        faster = layer.best != layer.own
        table.add_row(
            layer.key,
            str(layer.steps),
            _words(layer.own),
            f"{layer.own_seconds * 1e6:.1f}",
            _words(layer.best) if faster else "",
            f"{layer.best_seconds * 1e6:.1f}" if faster else "",
        )
    return table


def _words(choice: Choice) -> str:
    return " ".join(f"{name} {number}" for name, number in choice.items())
