"""Numbers of bytes as people write them: 262144, 256K, 1.5M or 2G, K being 1024."""

from __future__ import annotations

import re


def byte_count(text: str) -> int | None:
    """The number that a text says; None for a text that is no number of bytes."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([KMG]?)B?", text.strip().upper())
    if found is None:
        return None
    number, unit = found.groups()
    return int(float(number) * 1024 ** ("KMG".index(unit) + 1 if unit else 0))
