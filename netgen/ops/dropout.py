"""dropout: y = x; the pass `drop_identities` removes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ops.identity import Identity


@dataclass(frozen=True)
class Dropout(Identity):
    """Dropout at inference (Srivastava et al. 2014): the value itself."""

    operator_name: ClassVar[str] = "dropout"


def dropout(x: Tensor, *, name: str | None = None) -> Tensor:
    """Dropout at inference (Srivastava et al. 2014): the value itself."""
    return apply(Dropout(), x, name=name)
