"""Operators in every version that ONNX has of them, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from netgen.frontends.onnx_fold import FOLDS
from netgen.frontends.onnx_operators import MAPPINGS
from netgen.frontends.onnx_versions import NEWEST
from tests.frontends.arithmetic_cases import FOLDED
from tests.frontends.conftest import Load
from tests.frontends.layer_cases import LAYERS
from tests.frontends.operator_cases import (
    Case,
    check_complete,
    check_versions,
    versions,
    versions_of_new_forms,
)


def of(operator: str) -> Iterator[Sequence[Case]]:
    """The cases of an operator as a layer, and those of it on constants."""
    for table in (LAYERS, FOLDED):
        if operator in table:
            yield table[operator]


@pytest.mark.parametrize("operator", sorted(NEWEST))
def test_every_form_of_an_operator(load: Load, operator: str) -> None:
    for cases in of(operator):
        check_versions(load, cases, versions_of_new_forms(operator))


@pytest.mark.heavy
def test_versions_between_others_of_the_same_form(load: Load) -> None:
    for operator in NEWEST:
        for cases in of(operator):
            between = {*versions(operator)} - versions_of_new_forms(operator)
            check_versions(load, cases, between)


@pytest.mark.parametrize("operator", sorted(NEWEST))
def test_every_version_and_attribute_is_tried(operator: str) -> None:
    check_complete(operator, [case for cases in of(operator) for case in cases])


def test_every_operator_is_tried() -> None:
    assert LAYERS.keys() == MAPPINGS.keys()
    assert FOLDED.keys() == FOLDS.keys()
    assert NEWEST.keys() == MAPPINGS.keys() | FOLDS.keys()
