"""Errors that go from one process to another."""

from __future__ import annotations

import pickle

import pytest

from netgen.errors import BudgetError, MissingExtraError, NetgenError, UsageError
from netgen.report.text import error_text

ERRORS = [
    UsageError("what", where="file", expected="this", found="that", hint="do", details=("a", "b")),
    MissingExtraError("ai_edge_litert", "litert", "comparing", "compare with NumPy"),
    BudgetError("what", hint="do"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_are_pickled_whole(error: NetgenError) -> None:
    """This process prints those of a judge, which runs in its own: a package that it lacks, say."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert error_text(again) == error_text(error)
    assert (again.message, again.hint, again.details) == (error.message, error.hint, error.details)
    assert str(again) == str(error)
