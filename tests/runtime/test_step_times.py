"""Times of steps: each named once, its bands added up; and what a notebook shows of a model."""

from __future__ import annotations

import dataclasses
import re
from base64 import b64decode
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

import netgen
from netgen.dsl import Tensor, image, network
from netgen.errors import UsageError
from netgen.ops import conv2d, flatten, global_avg_pool, linear, relu
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ModelImage
from tests.pictures import parse

IMAGE = np.ones((4, 3, 2), np.float32)


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def image(self) -> ModelImage: ...


@pytest.fixture
def model(sum_stub: Stub) -> CompiledModel:
    """A model whose run has two steps."""
    return CompiledModel(dataclasses.replace(sum_stub.image(), steps=("sums", "<scaled>")))


def test_the_least_of_the_rounds_is_kept(
    model: CompiledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is read before the run, and twice for each step: seconds as they are listed."""
    first = [0.0, 3.0, 3.0, 8.0, 8.0]
    second = [10.0, 11.0, 11.0, 18.0, 18.0]
    readings = iter([*first, *second])
    monkeypatch.setattr("time.perf_counter", lambda: next(readings))
    found = model.profile(IMAGE, rounds=2)
    assert [(step.name, step.us) for step in found.steps] == [("sums", 1e6), ("<scaled>", 5e6)]
    assert found.us == 6e6
    assert str(found).splitlines()[0].split() == ["sums", "1000000.0", "us", "16.7", "%"]
    assert "<td>&lt;scaled&gt;</td>" in found._repr_html_()


def test_zeros_are_the_image_by_default(model: CompiledModel) -> None:
    found = model.profile(rounds=1)
    assert all(step.us > 0 for step in found.steps)
    with pytest.raises(UsageError, match="there is nothing to measure"):
        model.profile(rounds=0)


def test_a_notebook_shows_ports_and_escapes_names(sum_stub: Stub) -> None:
    port = dataclasses.replace(sum_stub.image().inputs[0], name="<b>")
    shown = CompiledModel(dataclasses.replace(sum_stub.image(), inputs=(port,)))._repr_html_()
    assert "<td>&lt;b&gt;</td><td>(4, 3, 2)</td><td>float32</td>" in shown
    assert "<img" not in shown
    parse(f"<div>{shown}</div>")


@network
def banded() -> Tensor:
    x = relu(conv2d(image(16, 16, 3), 8, 3, pad=1, name="first"))
    x = relu(conv2d(x, 8, 3, stride=2, pad=1, name="second"))
    return linear(flatten(global_avg_pool(x)), 3, name="classes")


@pytest.mark.heavy
def test_of_a_network(tmp_path: Path) -> None:
    """Bands of a step are one line; the memory map travels with the file."""
    netgen.compile(netgen.load(banded), ram="least").save(tmp_path / "m.netgen")
    model = netgen.load_compiled(tmp_path / "m.netgen")
    found = model.profile()
    assert len({step.name for step in found.steps}) == len(found.steps) == len(model.image.steps)
    assert found.steps[-1].name == "classes"
    picture = re.search('src="data:image/svg[+]xml;base64,([^"]+)"', model._repr_html_())
    assert picture is not None
    assert parse(b64decode(picture[1]).decode()).tag.endswith("svg")
