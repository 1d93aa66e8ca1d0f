"""Shares of work in threads of Python's, which end with it: nothing is left for a fork to lose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Share = TypeVar("_Share")


def run_shares(run: Callable[[_Share], None], shares: Sequence[_Share]) -> None:
    """Run every share, the first in the caller's thread, each other one in one of its own.

    Returns when all are done. An exception of a share is raised here, once the others are done.
    """
    with ThreadPoolExecutor(len(shares) - 1) as pool:
        others = [pool.submit(run, share) for share in shares[1:]]
        run(shares[0])
        for other in others:
            other.result()
