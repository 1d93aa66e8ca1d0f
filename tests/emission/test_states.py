"""The C of models with states: several streams, run after run, from the beginning and anew."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.emission.options import WeightsAs
from netgen.plan.data.options import PlanOptions
from tests.cases import heavy
from tests.emission.programs import SANITIZERS, WARNINGS, emission
from tests.plan.stateful_graphs import BODIES, assert_alike, expected_runs, stateful
from tests.tools import COMPILERS, any_compiler, link, run_tool

DRIVER = Path(__file__).with_name("states.c")
RUNS = 5


@pytest.mark.parametrize(
    ("name", "weights_as", "compiler"),
    [
        ("rings", "c", "gcc"),
        ("bands", "inline", "clang"),
        heavy("rings", "incbin", "clang"),
        heavy("channels", "c", "clang"),
        heavy("read_late", "inline", "gcc"),
        heavy("circle", "c", "gcc"),
        heavy("shuffle", "c", "clang"),
    ],
)
def test_streams(name: str, weights_as: WeightsAs, compiler: str, tmp_path: Path) -> None:
    graph = stateful(name)
    emitted = emission(graph, "generic", weights_as)
    sources = emitted.write(tmp_path)
    shutil.copy(DRIVER, tmp_path)
    flags = [compiler, "-std=c99", "-O1", *WARNINGS, *SANITIZERS, "-I."]
    program = link(tmp_path, flags, [*sources, "states.c"])
    runs = [*expected_runs(graph, RUNS)]
    images = b"".join(inputs[graph.inputs[0].name].astype("<f4").tobytes() for inputs, _ in runs)
    found = np.frombuffer(program.run(feed=images), "<f4").reshape(3 * RUNS - 1, -1)
    outputs = [results[0] for _, results in runs]
    expected = [outputs[0]]
    for behind, output in pairwise(outputs):
        expected += [output, behind]
    for ours, theirs in zip(found, [*expected, *outputs], strict=True):
        assert_alike(ours, theirs)


FORMS: tuple[WeightsAs, ...] = ("c", "inline", "incbin", "blob")


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("name", "weights_as"),
    [
        *[("codes", form) for form in FORMS[:2]],
        *[heavy("codes", form) for form in FORMS[2:]],
        ("channels", "c"),
        *[heavy(name, "c") for name in BODIES if name not in {"codes", "channels"}],
    ],
)
def test_no_warnings(name: str, weights_as: WeightsAs, compiler: str, tmp_path: Path) -> None:
    for options in (PlanOptions(), PlanOptions(input="arena"), PlanOptions(threads=2)):
        emitted = emission(stateful(name), "generic", weights_as, memory=options)
        for source in emitted.write(tmp_path):
            if source.endswith(".c"):
                run_tool(
                    [compiler, "-std=c99", "-O1", *WARNINGS, "-c", source, "-o", "m.o"], tmp_path
                )


def test_the_header_says_what_lives_between_runs() -> None:
    emitted = emission(stateful("rings"), "generic", "c")
    header, logic = emitted.header, emitted.logic
    assert "#define MODEL_STATE_BYTES 216u" in header
    assert "int32_t model_reset(model_t *m);" in header
    assert "Between two runs the rest of it may be used for anything." in header
    assert "state:    the first 216 bytes of the arena" in logic
    assert "(state)" in logic


def test_nothing_is_said_of_states_where_there_are_none() -> None:
    graph = netgen.load("ds_cnn", height=32, width=32, filters=8)
    emitted = emission(graph, "generic", "c")
    for text in (emitted.header, emitted.logic):
        assert "reset" not in text
        assert "STATE" not in text


def test_pushed_rows_leave_the_state_until_they_are_finished(tmp_path: Path) -> None:
    """An image that is given up changes nothing: what states become is assigned at the end."""
    graph = stateful("bands")
    emitted = emission(graph, "generic", "c", memory=PlanOptions(input="rows"))
    plan = emitted.plan
    pushed = range(plan.segments[0].last + 1)
    following = {state.next for state in plan.states}
    assert not following & {plan.steps[n].writes for n in pushed}
    emitted.write(tmp_path)
    run_tool([any_compiler(), "-std=c99", *WARNINGS, "-c", "model.c", "-o", "m.o"], tmp_path)
