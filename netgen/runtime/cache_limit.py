"""Files of the cache folder, kept below a limit: those that were not used for longest go.

The limit is `$NETGEN_CACHE_LIMIT`, a number of bytes such as 2G, or `none`; without it 4G. Files
that were used within the last hour stay, whatever the limit says: another process may be about to
map them.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from netgen.errors import UsageError
from netgen.runtime.byte_counts import byte_count

VARIABLE = "NETGEN_CACHE_LIMIT"
DEFAULT_LIMIT = 4 << 30

_IN_USE = 3600.0  # seconds
_KINDS = {".so": "library", ".weights": "weights", ".log": "compiler's output", ".ref": "key"}
# What this cache writes, and nothing else that a user may have in the same folder.
_OWN = re.compile(r"[0-9a-f]{64}\.[a-z]+|\.new-\w+")


@dataclass(frozen=True)
class Entry:
    """A file of the cache: its size in bytes, and when it was last used, in seconds of the epoch.

    What a process left that was killed while it wrote is of the kind `unfinished`.
    """

    path: Path
    bytes: int
    used: float

    @property
    def kind(self) -> str:
        """A word for its content."""
        if self.path.name.startswith("."):
            return "unfinished"
        return _KINDS.get(self.path.suffix, self.path.suffix[1:])


def cache_limit() -> int | None:
    """Read the most bytes that the cache may take; None without a limit. Raises UsageError."""
    setting = os.environ.get(VARIABLE, "").strip()
    if setting.lower() == "none":
        return None
    limit = byte_count(setting) if setting else DEFAULT_LIMIT
    if limit is None:
        raise UsageError(
            "is no number of bytes",
            where=f"{VARIABLE}={setting}",
            expected="a number such as 500M or 2G, or none",
            hint=f"correct or unset {VARIABLE}",
        )
    return limit


def entries(folder: Path) -> list[Entry]:
    """List the cache's own files, the one that was not used for longest first."""
    found = []
    with contextlib.suppress(OSError):  # there is no folder before the first build
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # another process has removed it just now
                if _OWN.fullmatch(path.name):
                    facts = path.stat()
                    found.append(Entry(path, facts.st_size, facts.st_mtime))
    return sorted(found, key=lambda entry: (entry.used, entry.path.name))


def keep_within(folder: Path, limit: int | None) -> None:
    """Remove what was not used for longest, until the folder has at most `limit` bytes."""
    if limit is None:
        return
    there = entries(folder)
    excess, now = sum(entry.bytes for entry in there) - limit, time.time()
    for entry in there:
        if excess <= 0 or now - entry.used < _IN_USE:
            return
        excess -= remove([entry])


def remove(unwanted: Iterable[Entry]) -> int:
    """Remove files and return their bytes. Models that are loaded from them go on."""
    freed = 0
    for entry in unwanted:
        with contextlib.suppress(OSError):
            entry.path.unlink()
            freed += entry.bytes
    return freed
