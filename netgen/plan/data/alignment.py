"""Addresses and sizes are multiples of an alignment."""

from __future__ import annotations


def round_up(number: int, multiple: int) -> int:
    """The next multiple."""
    return -(-number // multiple) * multiple
