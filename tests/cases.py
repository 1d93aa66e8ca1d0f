"""Cases that run at once and cases for CI: `pytest` alone is quick, CI runs everything."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import settings

from netgen.kernels.targets import TARGETS


def examples(count: int) -> settings:
    """Settings of a test that draws so many examples in CI, and a quarter of them elsewhere."""
    chosen = settings.default
    assert chosen is not None
    return settings(max_examples=max(count * chosen.max_examples // 100, 2))


# The text for each is that of another target but for an instruction, or for the widths of vectors.
_ALIKE = ("x86-64-v2", "x86-64-v4", "aarch64", "cortex-m", "cortex-m-dsp", "cortex-m-mve", "riscv")


def different_targets() -> list[object]:
    """All targets by name, for tests that read C; CI alone has those of much the same text."""
    return [heavy(name) if name in _ALIKE else name for name in (each.name for each in TARGETS)]


def heavy(*values: object) -> ParameterSet:
    """A case that CI alone runs, since others of the same test take every path that it takes."""
    return pytest.param(*values, marks=pytest.mark.heavy)
