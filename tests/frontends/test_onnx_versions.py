"""Operators in every version that ONNX has of them, against ONNX Runtime."""

from __future__ import annotations

import pytest

from netgen.frontends.onnx_fold import FOLDS
from netgen.frontends.onnx_operators import MAPPINGS
from netgen.frontends.onnx_versions import NEWEST
from tests.frontends.arithmetic_cases import FOLDED
from tests.frontends.conftest import Load
from tests.frontends.layer_cases import LAYERS
from tests.frontends.operator_cases import Case, check, check_complete, parameters


@pytest.mark.parametrize(("one", "opset"), [*parameters(LAYERS), *parameters(FOLDED)])
def test_operator(load: Load, one: Case, opset: int) -> None:
    check(load, one, opset)


@pytest.mark.parametrize("operator", sorted(NEWEST))
def test_every_version_and_attribute_is_tried(operator: str) -> None:
    check_complete(operator, [*LAYERS.get(operator, ()), *FOLDED.get(operator, ())])


def test_every_operator_is_tried() -> None:
    assert LAYERS.keys() == MAPPINGS.keys()
    assert FOLDED.keys() == FOLDS.keys()
    assert NEWEST.keys() == MAPPINGS.keys() | FOLDS.keys()
