"""Measured times of steps, with a model whose steps take a known time."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import pytest

import netgen
from netgen.compiler import lower, resolve_target
from netgen.report import measure
from netgen.report.measure import measure_steps
from netgen.runtime.inputs import Array
from netgen.runtime.model import CompiledModel
from tests.report.pages import fused, source

IMAGE = np.zeros((1, 1, 1), np.float32)


class _Clock:
    """Time that only passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class _Model:
    """Two steps: the first in bands of 2 and 3 ms, the second of 10 ms, slower in some runs."""

    def __init__(self, clock: _Clock) -> None:
        self.clock, self.runs = clock, 0

    def run_with_hook(self, image: Array, *, hook: Callable[[int, Array], None]) -> None:
        assert image is IMAGE
        self.runs += 1
        late = 0.5 if self.runs % 4 == 0 else 0.0
        for step, seconds in ((0, 0.002), (0, 0.003), (1, 0.010 + late)):
            self.clock.now += seconds
            hook(step, image)


def test_bands_are_added_up_and_medians_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(measure, "time", clock)
    times = measure_steps(cast("CompiledModel", _Model(clock)), (IMAGE,), 2)
    assert times == pytest.approx([5.0, 10.0])


def test_a_compiled_model() -> None:
    model = netgen.compile(source("rows"), target="generic", input="rows")
    steps = lower(source("rows"), resolve_target("generic")).plan.steps
    (node,) = fused("rows").inputs
    times = measure_steps(model, (np.zeros(node.type.shape[1:], np.float32),), len(steps))
    assert len(times) == len(steps)
    assert all(0 < time < 1000 for time in times)
