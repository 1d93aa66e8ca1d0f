"""All that is wrong with a file in one line: each reason once, with the operators that have it."""

from __future__ import annotations

from collections.abc import Sequence

from netgen.errors import GraphError, NetgenError, WeightsError

WITHOUT_QUANTISATION = (
    "netgen does not compute it of such codes: convert the model without quantisation "
    "(no optimizations in the converter), or without this operator"
)


class UnsupportedError(GraphError):
    """An operator as a whole is not for netgen; the message goes on behind "the operator is"."""


class Faults:
    """Errors with the operators and inputs that have them, in the order of the file."""

    def __init__(self) -> None:
        self._inputs: list[str] = []
        self._reasons: dict[tuple[bool, str], list[str]] = {}
        self._weights_only = True
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def of_input(self, name: str, error: NetgenError) -> None:
        """Add the fault of an input of the network."""
        self._count += 1
        self._weights_only &= isinstance(error, WeightsError)
        self._inputs.append(f"input {name}: {error}")

    def of_operator(
        self, index: int, name: str, results: Sequence[str], error: NetgenError
    ) -> None:
        """Add the fault of an operator, which makes tensors of these names."""
        self._count += 1
        self._weights_only &= isinstance(error, WeightsError)
        reason = isinstance(error, UnsupportedError), str(error)
        title = f"{index} {name} {' and '.join(results)}".rstrip()
        self._reasons.setdefault(reason, []).append(title)

    def raise_all(self, where: str) -> None:
        """Raise GraphError with all of them, WeightsError if nothing but weights is wrong."""
        if not self:
            return
        kind: type[NetgenError] = WeightsError if self._weights_only else GraphError
        groups = [_group(*reason, titles) for reason, titles in self._reasons.items()]
        raise kind(
            f"{self._count} part{'s' if self._count > 1 else ''} of the model cannot be used: "
            + "; ".join(self._inputs + groups),
            where=where,
        )


def _group(of_all: bool, reason: str, titles: Sequence[str]) -> str:
    """A reason, what to do about it, then the operators: a list may be long."""
    several = len(titles) > 1
    noun = "operators" if several else "operator"
    listed = ", ".join(titles)
    if of_all:
        return f"{len(titles)} {noun} {'are' if several else 'is'} {reason}: {listed}"
    return f"{reason}: {noun} {listed}"
