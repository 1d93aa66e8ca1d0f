"""Every case: the text after the pass, and equal outputs before and after.

`pytest --update-golden` writes the texts anew; a rewrite that changes outputs still fails.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import initial_states, interpret, next_states
from netgen.ir.operator import Const
from netgen.ir.tensor_type import Array
from netgen.ir.text import parse_graph, print_graph
from netgen.ir.verify import verify
from netgen.passes import PIPELINE, Pass, run_pipeline
from netgen.weights.seeded import seeded_weights, uniform
from tests.passes.cases import Case, read_cases, update_case

CASES = read_cases(Path(__file__).parent)
PASSES: dict[str, Pass] = {rewrite.__name__: rewrite for rewrite in (*PIPELINE, run_pipeline)}


def seeded(text: str) -> Graph:
    graph = verify(parse_graph(text)[0])
    constants = dict(seeded_weights(graph))
    for node in graph.nodes:
        if isinstance(node.op, Const) and not node.type.element.is_float:
            constants[node.op.data] = drawn(node)
    return graph.with_constants(constants)


def drawn(node: Node) -> Array:
    """Floats up to 2, or any codes."""
    numbers, element = uniform(node.name, node.type.shape), node.type.element
    if element.is_float:
        return 2.0 * numbers
    spread: Array = np.floor((numbers + 1.0) / 2.0 * (element.high - element.low)) + element.low
    return spread.astype(element.storage)


def assert_equal_outputs(before: Graph, after: Graph) -> None:
    """Compare all outputs, to 1e-6 of the largest: of one inference, of states of three."""
    image = {node.name: drawn(node) for node in before.inputs}
    assert len(before.outputs) == len(after.outputs)
    states, states_after = initial_states(before), initial_states(after)
    for _ in range(3 if states else 1):
        expected, found = interpret(before, image, states), interpret(after, image, states_after)
        states, states_after = next_states(before, expected), next_states(after, found)
        for old, new in zip(before.outputs, after.outputs, strict=True):
            scale = max(1.0, float(np.abs(expected[old]).max()))
            np.testing.assert_allclose(found[new], expected[old], rtol=0, atol=1e-6 * scale)


def test_every_pass_has_cases_of_both_kinds() -> None:
    for name in PASSES:
        results = {case.after is None for case in CASES if case.file.stem == name}
        assert results == ({True, False} if name != "run_pipeline" else {False}), name
    assert {case.file.stem for case in CASES} == PASSES.keys()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    rewrite = PASSES[case.file.stem]
    before = seeded(case.before)
    after = verify(rewrite(before))
    assert_equal_outputs(before, after)
    text = print_graph(after)
    unchanged = print_graph(before)
    if request.config.getoption("--update-golden"):
        update_case(case, None if text == unchanged else text)
        return
    assert text == (unchanged if case.after is None else case.after)
    # A graph without data is rewritten in the same way.
    assert print_graph(verify(rewrite(before.with_constants({})))) == text
    # There is nothing left to do.
    assert print_graph(rewrite(after)) == text


def test_the_driver_sees_a_wrong_rewrite() -> None:
    case = next(case for case in CASES if case.name == "relu6 behind a convolution")
    before = seeded(case.before)
    wrong = before.rewrite({}, renames={"y": "c"})
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_equal_outputs(before, wrong)


def test_updating_a_case(tmp_path: Path) -> None:
    file = tmp_path / "drop_identities.cases"
    file.write_text("# why\n\n== a\nold\n-> unchanged\n\n== b\nold\n->\nnew\n")
    first, second = read_cases(tmp_path)
    update_case(first, "newer\n")
    update_case(second, None)
    assert file.read_text() == "# why\n\n== a\nold\n->\nnewer\n\n== b\nold\n-> unchanged\n"


@pytest.mark.parametrize("text", ["== a\nold\n", "old\n->\nnew\n", "== a\nb\n-> c\n", "== a\n->\n"])
def test_malformed_cases(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.cases").write_text(text)
    with pytest.raises(ValueError, match=r"x\.cases is malformed"):
        read_cases(tmp_path)
