"""The notation of channel maps: which channel of which operand each channel of a result is.

    x0[0:24]+x1[0:216]         runs, one after the other: of operand x0, then of x1
    x0[1:58:2]                 every other channel, as Python slices
    0[16]                      16 channels of zeros
    (x0[0:58]|x1[0:58])        dealt out in turn: x0[0], x1[0], x0[1], x1[1], ...
    ((x0[0:8]|x1[0:7])|x2[0:15])    x0[0], x2[0], x1[0], x2[1], x0[1], ...

    channels = term {"+" term}
    term     = run | "(" channels "|" channels {"|" channels} ")"
    run      = "x" INT "[" INT ":" INT [":" INT] "]" | "0[" INT "]"

Of what is dealt out, the first parts may have one channel more than the last ones. A list of
channels has one text: that of `print_channels`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError

# A channel is `operand * OPERAND + channel`, one number; zeros are those of an operand -1.
Codes: TypeAlias = npt.NDArray[np.int64]
OPERAND = 1 << 32
ZERO = -OPERAND

_MOST_CHANNELS = 1 << 24
_MOST_DEPTH = 32
# Deals of more parts would be longer than what they save, and finding them takes time.
_MOST_PARTS = 16

_RUN = re.compile(
    r"x(?P<operand>[0-9]{1,9})\[(?P<first>[0-9]{1,9}):(?P<stop>[0-9]{1,9})"
    r"(?::(?P<step>[0-9]{1,9}))?\]|0\[(?P<zeros>[0-9]{1,9})\]"
)


@dataclass(frozen=True)
class OperandRun:
    """Channels `first`, `first + step`, ... of an operand; of operand -1: zeros."""

    operand: int
    first: int
    length: int
    step: int
    leaves: ClassVar[int] = 1

    def __str__(self) -> str:
        if self.operand < 0:
            return f"0[{self.length}]"
        stop = self.first + (self.length - 1) * self.step + 1
        step = f":{self.step}" if self.step > 1 else ""
        return f"x{self.operand}[{self.first}:{stop}{step}]"

    def cut(self, length: int) -> OperandRun:
        """The first `length` channels."""
        return OperandRun(self.operand, self.first, length, self.step if length > 1 else 1)


@dataclass(frozen=True)
class _Deal:
    """The channels of several parts, dealt out in turn."""

    parts: tuple[_Term, ...]
    length: int

    @property
    def leaves(self) -> int:
        """The number of runs that its text writes down."""
        return sum(part.leaves for part in self.parts)

    def __str__(self) -> str:
        return f"({'|'.join(map(str, self.parts))})"

    def cut(self, length: int) -> _Term:
        """The first `length` channels."""
        size = len(self.parts)
        parts = tuple(
            part.cut(_dealt(length, size, place)) for place, part in enumerate(self.parts[:length])
        )
        return _Deal(parts, length) if len(parts) > 1 else parts[0]


_Term: TypeAlias = "OperandRun | _Deal"


def _dealt(length: int, parts: int, place: int) -> int:
    """The number of `length` channels, dealt out to `parts` parts in turn, that one part gets."""
    return (length - place + parts - 1) // parts


def print_channels(channels: Codes) -> str:
    """The notation of channels; terms are taken greedily, those that say most."""
    terms, codes = [], channels.tolist()
    while codes:
        term = _first_term(codes)
        terms.append(str(term))
        codes = codes[term.length :]
    return "+".join(terms)


def _first_term(codes: list[int], *, dealt: bool = False) -> _Term:
    """The run at the beginning, or the deal that spares the most runs.

    What is `dealt` out itself should cover all, so that a deal that spares none is good enough.
    """
    best: _Term = first_run(codes)
    most = 0
    for parts in range(2, min(_MOST_PARTS, len(codes)) + 1):
        deal = _first_deal(codes, parts)
        if deal is None:
            continue
        spared = len(split_runs(codes[: deal.length])) - deal.leaves
        if spared > most or (dealt and spared == most and deal.length > best.length):
            best, most = deal, spared
    return best


def first_run(codes: Sequence[int], at: int = 0) -> OperandRun:
    """The run from a channel on."""
    operand, first = divmod(codes[at], OPERAND)
    length = _run_length(codes, at)
    step = codes[at + 1] - codes[at] if length > 1 else 1
    return OperandRun(operand, first, length, max(step, 1))


def _run_length(codes: Sequence[int], at: int) -> int:
    """The number of channels from `at` on that are of one operand, at equal, positive distances.

    If the first two are no neighbours, the second is left to a run of neighbours behind it.
    """
    if len(codes) - at < 2:
        return 1
    step = codes[at + 1] - codes[at]
    if not (0 < step < OPERAND // 2 or codes[at] == codes[at + 1] == ZERO):
        return 1
    end = at + 2
    while end < len(codes) and codes[end] - codes[end - 1] == step:
        end += 1
    lone = end == at + 2 < len(codes) and codes[end] - codes[end - 1] == 1
    return 1 if lone else end - at


def split_runs(codes: Sequence[int]) -> list[OperandRun]:
    """All channels as runs, one after the other."""
    runs: list[OperandRun] = []
    at = 0
    while at < len(codes):
        runs.append(first_run(codes, at))
        at += runs[-1].length
    return runs


def _first_deal(codes: list[int], size: int) -> _Deal | None:
    """Channels dealt out at the beginning by `size` parts, at most one of them a deal itself."""
    parts: list[_Term] = []
    nested = -1
    length = len(codes)
    for place in range(size):
        hand = codes[place::size]
        parts.append(first_run(hand))
        if parts[place].length >= min(2, len(hand)):
            length = min(length, _length(hand, parts[place], place, size))
        elif nested < 0:
            nested = place
        else:
            return None
    if nested >= 0:
        hand = codes[nested:length:size]
        parts[nested] = _first_term(hand, dealt=True)
        length = min(length, _length(hand, parts[nested], nested, size))
    if length < size:
        return None
    return _Deal(tuple(p.cut(_dealt(length, size, n)) for n, p in enumerate(parts)), length)


def _length(hand: Sequence[int], part: _Term, place: int, size: int) -> int:
    """The number of channels that can be dealt out before one follows that a part lacks."""
    return place + size * part.length if part.length < len(hand) else _MOST_CHANNELS


def parse_channels(text: str) -> Codes:
    """The channels that a text stands for. Raises GraphError where it is malformed."""
    parser = _Parser(text)
    codes = parser.channels(0)
    if parser.at < len(text):
        raise parser.fault("'+' or the end")
    return codes


class _Parser:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.total = 0

    def fault(self, expected: str) -> GraphError:
        return GraphError(
            "a channel map is malformed",
            expected=f"{expected} at place {self.at + 1} of '{self.text}'",
            found=repr(self.text[self.at : self.at + 12]) if self.text[self.at :] else "its end",
        )

    def has(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self.at += 1
        return True

    def channels(self, depth: int) -> Codes:
        terms = [self.term(depth)]
        while self.has("+"):
            terms.append(self.term(depth))
        return np.concatenate(terms)

    def term(self, depth: int) -> Codes:
        start = self.at
        if not self.has("("):
            return self.run()
        if depth == _MOST_DEPTH:
            raise GraphError(f"a channel map is nested deeper than {_MOST_DEPTH} brackets")
        hands = [self.channels(depth + 1)]
        while self.has("|"):
            hands.append(self.channels(depth + 1))
        if not self.has(")"):
            raise self.fault("'|' or ')'")
        codes = np.empty(sum(map(len, hands)), np.int64)
        for place, hand in enumerate(hands):
            if len(hands) < 2 or len(hand) != _dealt(len(codes), len(hands), place):
                raise GraphError(
                    "channels cannot be dealt out in turn",
                    expected="two or more equal parts, or one channel more in the first ones",
                    found=self.text[start : self.at],
                )
            codes[place :: len(hands)] = hand
        return codes

    def run(self) -> Codes:
        match = _RUN.match(self.text, self.at)
        if match is None:
            raise self.fault("a run like x0[0:8], x0[1:8:2] or 0[8]")
        if match["zeros"]:
            length, first, step = int(match["zeros"]), ZERO, 0
        else:
            step = int(match["step"] or 1)
            channels = range(int(match["first"]), int(match["stop"]), step) if step else range(0)
            length, first = len(channels), int(match["operand"]) * OPERAND + int(match["first"])
        self.total += length
        if not length or self.total > _MOST_CHANNELS:
            raise GraphError(
                "a run of channels that cannot be",
                expected=f"at least 1 channel, and at most {_MOST_CHANNELS} in all runs",
                found=match.group(),
            )
        self.at = match.end()
        return first + step * np.arange(length, dtype=np.int64)
