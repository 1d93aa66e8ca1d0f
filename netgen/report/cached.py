"""Files of the cache, as a table and for programs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from netgen.report.byte_words import byte_words
from netgen.runtime.cache_limit import Entry


def entry_facts(entries: Sequence[Entry], now: float) -> list[dict[str, object]]:
    """Name, kind, bytes and seconds since the last use of each file; `now` is of the same clock."""
    return [
        {
            "file": entry.path.name,
            "kind": entry.kind,
            "bytes": entry.bytes,
            "unused_seconds": max(0.0, now - entry.used),
        }
        for entry in entries
    ]


def entry_table(entries: Sequence[Entry], now: float) -> Table:
    """One line for each file."""
    table = Table("file", "kind")
    table.add_column("bytes", justify="right")
    table.add_column("unused for", justify="right")
    for entry in entries:
        unused = time_words(max(0.0, now - entry.used))
        table.add_row(entry.path.name[:16], entry.kind, f"{entry.bytes:,}", unused)
    total = sum(entry.bytes for entry in entries)
    table.caption = f"{len(entries)} files, {byte_words(total)}"
    return table


def time_words(seconds: float) -> str:
    """A time in its largest whole unit: 40 s, 3 min, 5 h, 12 days."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
