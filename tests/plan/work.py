"""The planner's work, counted: how often its functions are called, on any machine the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import netgen.plan


def calls_of(work: Callable[[], object]) -> int:
    """The number of calls of functions of `netgen.plan`."""
    top = str(Path(str(netgen.plan.__file__)).parent)
    count = 0

    def seen(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        code = frame.f_code
        # Comprehensions are functions before Python 3.12, and generators are resumed as often.
        if event == "call" and code.co_filename.startswith(top) and code.co_name[0] != "<":
            count += 1

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
