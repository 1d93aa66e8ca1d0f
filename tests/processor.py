"""Tests that run the C of a target need a processor that has its instructions."""

from __future__ import annotations

import pytest

from netgen.kernels.targets import find_target
from netgen.runtime.cpu import missing_features


def require_processor(target: str) -> None:
    """Skip the test where this processor cannot run a target's C; `native` it always can."""
    missing = missing_features(find_target(target)) if target != "native" else ()
    if missing:
        # To emulate one would take longer than all other tests together. What the same C computes
        # without these instructions is tested everywhere: tests/emission/test_other_machines.py.
        pytest.skip(f"this processor lacks {', '.join(missing)}")
