"""Mutations of a plan's JSON form: numbers, texts, lists and objects replaced, at random places."""

# ruff: noqa: ANN401  # JSON values are of any type

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

# Where C's types end, where floats are no longer exact, and what no computer holds.
_LARGE = (
    *(2**15, 2**16, 2**24, 2**29, 2**30, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63),
    *(10**6, 10**9, 10**12, 10**18, 10**30, 10**400),
)
_STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, float("nan"), float("inf"), "", "x", "\ud800", "a\nb", [], {},
    [[]], {"x": 1}, "9" * 5000,
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A part of a document: in its container, a list or an object, under its key."""

    container: Any
    key: Any
    path: tuple[Any, ...]

    @property
    def value(self) -> Any:
        return self.container[self.key]


def places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[Place]:
    """All parts of a document below this one."""
    if not isinstance(part, dict | list):
        return
    for key in part if isinstance(part, dict) else range(len(part)):
        yield Place(part, key, (*path, key))
        yield from places(part[key], (*path, key))


class Mutator:
    """Draws mutated documents; a seed gives the same ones everywhere."""

    def __init__(self, document: Any, seed: int) -> None:
        self.document = copy.deepcopy(document)
        self.draw = np.random.default_rng(seed)

    def mutated(self) -> Any:
        """The document with one to three mutations, most often with what follows made to agree."""
        for _ in range(int(self.draw.choice([1, 1, 1, 2, 3]))):
            self._mutate_once()
        if self.draw.random() < 0.8:
            restate(self.document)
        return self.document

    def _mutate_once(self) -> None:
        found = list(places(self.document))
        if not found:
            return
        if self.draw.random() < 0.15:
            self._everywhere(found)
            return
        place = self._pick(found)
        value = place.value
        if self.draw.random() < 0.08:
            place.container[place.key] = self._one_of(_STRANGE)
        elif isinstance(value, bool):
            place.container[place.key] = not value
        elif isinstance(value, int):
            place.container[place.key] = self._number(value, found)
        elif isinstance(value, str):
            place.container[place.key] = self._like(value, found)
        elif isinstance(value, list):
            self._list(value)
        elif isinstance(value, dict):
            self._object(value)
        else:
            place.container[place.key] = self._like(value, found)

    def _pick(self, found: list[Place]) -> Place:
        """A place: of one key of the plan as likely as of another, or else anywhere."""
        if self.draw.random() < 0.5:
            kind = self._one_of(sorted({str(place.path[0]) for place in found}))
            found = [place for place in found if str(place.path[0]) == kind]
        chosen: Place = self._one_of(found)
        return chosen

    def _one_of(self, options: Any) -> Any:
        return options[int(self.draw.integers(len(options)))]

    def _number(self, value: int, found: list[Place]) -> int:
        near = (value + 1, value - 1, value * 2, value // 2, -value, value + 64, value + 4, 0, 1)
        kind = self.draw.random()
        if kind < 0.45:
            return int(self._one_of(near))
        if kind < 0.7:
            return int(self._one_of(_LARGE)) + int(self.draw.integers(-1, 2))
        others = [p.value for p in found if type(p.value) is int]
        return int(self._one_of(others)) if others else 1

    def _like(self, value: Any, found: list[Place]) -> Any:
        """Another value of the same kind that stands elsewhere in the document."""
        others = [p.value for p in found if type(p.value) is type(value)]
        return copy.deepcopy(self._one_of(others))

    def _everywhere(self, found: list[Place]) -> None:
        """One number, or one text, replaced wherever it stands."""
        place = self._one_of([p for p in found if type(p.value) in {int, str}])
        old = place.value
        new = self._number(old, found) if type(old) is int else self._like(old, found)
        for other in found:
            if type(other.value) is type(old) and other.value == old:
                other.container[other.key] = new

    def _list(self, value: list[Any]) -> None:
        kind = int(self.draw.integers(5))
        if not value or kind == 0:
            value.append(copy.deepcopy(self._one_of(value)) if value else 0)
            return
        at = int(self.draw.integers(len(value)))
        if kind == 1:
            del value[at]
        elif kind == 2:
            other = int(self.draw.integers(len(value)))
            value[at], value[other] = value[other], value[at]
        elif kind == 3:
            value.insert(at, copy.deepcopy(value[at]))
        else:
            value.clear()

    def _object(self, value: dict[str, Any]) -> None:
        if not value:
            value["x"] = 0
            return
        key, other = self._one_of([*value]), self._one_of([*value])
        kind = int(self.draw.integers(4))
        if kind == 0:
            del value[key]
        elif kind == 1:
            value[f"{key}_"] = value[key]
        elif kind == 2:
            value[key], value[other] = value[other], value[key]
        else:
            value[key] = copy.deepcopy(value[other])


def restate(document: Any) -> None:
    """Make the keys that follow from steps and buffers agree with them, where they can be read."""
    if not isinstance(document, dict):
        return
    steps, buffers = document.get("steps"), document.get("buffers")
    if isinstance(steps, list):
        macs = [step.get("macs") for step in steps if isinstance(step, dict)]
        document["macs"] = sum(n for n in macs if type(n) is int)
        _restate_bands(document.get("segments"), steps)
    if isinstance(buffers, list):
        sizes = [b for b in buffers if isinstance(b, dict) and b.get("kind") != "arena"]
        document["caller_bytes"] = sum(b["bytes"] for b in sizes if type(b.get("bytes")) is int)


def _restate_bands(segments: Any, steps: list[Any]) -> None:
    for segment in segments if isinstance(segments, list) else ():
        if isinstance(segment, dict) and isinstance(segment.get("steps"), list):
            segment["band_rows"] = [
                steps[n].get("rows")
                for n in segment["steps"]
                if type(n) is int and 0 <= n < len(steps) and isinstance(steps[n], dict)
            ]
