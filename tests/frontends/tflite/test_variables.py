"""Variables of files, run after run as LiteRT runs them; and files whose variables are faulty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError, WeightsError
from netgen.export.litert_session import LiteRT
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.interpret import initial_states, interpret, next_states
from netgen.report.verify import require_agreement, verify_graph
from netgen.runtime.compare import seeded_inputs
from tests.cases import heavy
from tests.frontends.tflite.test_tflite_fuzz import outcome
from tests.frontends.tflite.tflite_models import NONE, Model
from tests.frontends.tflite.tflite_mutations import mutant, pick
from tests.frontends.tflite.variable_models import (
    BUILDS,
    ROW,
    ROWS,
    add,
    begin,
    handle,
    kept_rows,
    read,
    running_sum,
)
from tests.tools import find_package

RUNS = 5


def written(folder: Path, model: Model) -> Path:
    path = folder / "m.tflite"
    path.write_bytes(model.content())
    return path


@pytest.mark.parametrize("name", BUILDS)
def test_runs_are_those_of_litert(name: str, tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    path = written(tmp_path, BUILDS[name]())
    graph, judge = load_tflite(path), LiteRT(path)
    stream = None
    if graph.states:
        stream = netgen.compile(graph, target="generic").stream()
    states = initial_states(graph)
    for run in range(RUNS):
        inputs = seeded_inputs(graph, run)
        expected, values = judge.run(inputs), interpret(graph, inputs, states)
        states = next_states(graph, values)
        for value, array in expected.items():
            np.testing.assert_array_equal(values[value].astype(array.dtype), array)
        if stream is not None:
            found = stream(*[inputs[node.name][0] for node in graph.inputs])
            found = found if isinstance(found, tuple) else (found,)
            for output, array in zip(graph.outputs, found, strict=True):
                np.testing.assert_array_equal(array, expected[output][0])


@pytest.mark.parametrize("name", ["kept rows", "read before and after", "codes"])
def test_verify_compares_several_runs(name: str, tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    path = written(tmp_path, BUILDS[name]())
    comparison = verify_graph(load_tflite(path), "generic", "tflite", file=path)
    require_agreement(comparison, 1e-6)
    graph = load_tflite(path)
    require_agreement(verify_graph(graph, "generic", "numpy"), 1e-6)


def test_verify_sees_a_state_that_is_lost(tmp_path: Path) -> None:
    """One run alone would not tell."""
    find_package("ai_edge_litert")
    path = written(tmp_path, running_sum())
    graph = load_tflite(path)
    (state,) = graph.states
    lost = Graph(
        graph.name, graph.nodes, graph.outputs, graph.constants, graph.origin, {state.name: "x"}
    )
    comparison = verify_graph(lost, "generic", "tflite", file=path)
    assert comparison.max_relative_error > 0.1


def test_states_of_a_file(tmp_path: Path) -> None:
    graph = load_tflite(written(tmp_path, kept_rows()))
    assert [(state.name, str(state.type)) for state in graph.states] == [("s", "f32[1,3,1,4]")]
    assert set(graph.constants) == {"s.initial"}
    graph = load_tflite(written(tmp_path, running_sum()))
    assert not graph.constants, "zeros are no constant"
    assert graph.next_values == {"s": "y"}
    assert not load_tflite(written(tmp_path, BUILDS["assigned first"]())).states
    never = load_tflite(written(tmp_path, BUILDS["never assigned"]()))
    assert never.next_values == {"s": "s"}


def without_beginning() -> Model:
    model = Model({"x": ROW})
    add(model, read(model, handle(model, "s"), "r", ROW), "x", "y")
    return model


def once(change: Callable[[Model], object]) -> Callable[[], Model]:
    """A running sum, whose beginning is changed."""

    def build() -> Model:
        model = running_sum()
        change(model.others[0])
        return model

    return build


def late() -> Model:
    model = running_sum()
    begin(model, s=np.ones(ROW))
    return model


def other_shape() -> Model:
    model = running_sum()
    model.tensor("wide", ROWS)
    model.node("CONCATENATION", ["x", "x", "x"], ["wide"], Axis=1, FusedActivationFunction=NONE)
    return model.node("ASSIGN_VARIABLE", ["s.handle", "wide"], [])


def assigned_a_constant() -> Model:
    model = running_sum()
    return model.node("ASSIGN_VARIABLE", ["s.handle", model.constant("c", np.ones(ROW))], [])


def no_subgraph(index: int) -> Callable[[], Model]:
    def build() -> Model:
        model = running_sum()
        return model.node("CALL_ONCE", [], [], InitSubgraphIndex=index)

    return build


def computed_with_a_handle() -> Model:
    model = running_sum()
    return model.node("RELU", ["s.handle"], ["z"])


def read_nothing() -> Model:
    model = Model({"x": ROW})
    model.tensor("v", (), "RESOURCE")
    return model.node("READ_VARIABLE", ["v"], ["y"])


def read_as_codes() -> Model:
    model = running_sum()
    model.codes_of("z", ROW, "int8", 0.5, 0)
    return model.node("READ_VARIABLE", ["s.handle"], ["z"])


def two_results() -> Model:
    model = running_sum()
    return model.node("READ_VARIABLE", ["s.handle"], ["z", "w"])


def assigned_alone() -> Model:
    model = running_sum()
    return model.node("ASSIGN_VARIABLE", ["s.handle"], [])


def named_twice() -> Model:
    model = running_sum()
    return model.node("VAR_HANDLE", [], ["s.handle"], SharedName="t")


FAULTS: dict[str, tuple[Callable[[], Model], str]] = {
    "read before it is there": (
        without_beginning,
        "a variable is read that was not assigned, and begins with nothing: operator 1 READ_",
    ),
    "a beginning behind the first use": (
        late, "operator 1 ASSIGN_VARIABLE of subgraph 2: a variable is used before it gets"
    ),
    "another shape": (
        other_shape, "another type, expected f32[1,1,1,4], found f32[1,3,1,4]: operator 6 ASSIGN"
    ),
    "a constant": (assigned_a_constant, "a variable becomes a constant"),
    "no subgraph": (no_subgraph(7), "a subgraph that is not there, or the main one: operator 5"),
    "a negative subgraph": (no_subgraph(-1), "a subgraph that is not there, or the main one"),
    "the main subgraph": (no_subgraph(0), "a subgraph that is not there, or the main one"),
    "a handle as a value": (computed_with_a_handle, "s.handle is a variable, not what it holds"),
    "no handle": (read_nothing, "a variable that no VAR_HANDLE has named before"),
    "read as codes": (read_as_codes, "has another element type"),
    "two results": (two_results, "it must have one result, found 2"),
    "no value": (assigned_alone, "it must have variable and value, expected 2, found 1"),
    "a handle twice": (named_twice, "a result that is there already"),
    "arithmetic in what runs once": (
        once(lambda model: model.node("ADD", ["s.begins", "s.begins"], ["y"])),
        "operator 2 ADD of subgraph 1: not supported in what runs once: operator 0 CALL_ONCE",
    ),
    "a call in what runs once": (
        once(lambda model: model.node("CALL_ONCE", [], [], InitSubgraphIndex=1)),
        "operator 2 CALL_ONCE of subgraph 1: not supported in what runs once",
    ),
    "an input of what runs once": (
        once(lambda model: model.inputs.update({"s.begins": ROW})),
        "subgraph 1, which runs once, has inputs or outputs",
    ),
    "a beginning that is computed": (
        once(lambda model: model.tensor("s.begins", ROW).fields.pop("Buffer")),
        "operator 1 ASSIGN_VARIABLE of subgraph 1: a variable must begin with a constant",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str, tmp_path: Path) -> None:
    build, message = FAULTS[name]
    with pytest.raises(GraphError) as caught:
        load_tflite(written(tmp_path, build()))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_beginning_that_is_no_number(tmp_path: Path) -> None:
    model = kept_rows()
    model.buffers[1].fields["Data"][:4] = 0xFF
    with pytest.raises(WeightsError, match="what the variable s begins with is not finite"):
        load_tflite(written(tmp_path, model))


def test_a_beginning_of_too_few_bytes(tmp_path: Path) -> None:
    model = running_sum()
    model.others[0].tensor("s.begins", ROWS)
    with pytest.raises(WeightsError, match=r"operator 1 ASSIGN_VARIABLE of subgraph 1: the w"):
        load_tflite(written(tmp_path, model))


@pytest.mark.parametrize("part", [0, *(heavy(part) for part in range(1, 6))])
def test_mutated_variables(tmp_path: Path, part: int) -> None:
    graphs, count = 0, 200
    for seed in range(part * count, (part + 1) * count):
        draw = np.random.default_rng([1, seed])
        content = mutant(draw, BUILDS[pick(draw, [*BUILDS])])
        result = outcome(tmp_path / "m.tflite", content, watched=not seed % 20)
        graphs += isinstance(result, Graph)
        assert isinstance(result, Graph) or "\n" not in result, seed
    assert count // 6 < graphs < count * 2 // 3
