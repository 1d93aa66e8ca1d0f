"""Index expressions of C, printed from their parts: what is nothing is not there.

A part is a number or C, such as a name. A sum leaves out zeros, a product ones; numbers that meet
are added up or multiplied. Parts that are looser than the operator around them get parentheses.
Among numbers a named constant is one of them; beside C its name is printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

Term: TypeAlias = "int | str"


class NamedInt(int):
    """A whole number that C knows by a name."""

    name: str

    def __str__(self) -> str:
        return self.name


def named_int(name: str, value: int) -> NamedInt:
    """The number `value`, by a name."""
    made = NamedInt(value)
    made.name = name
    return made


_NUMBER = re.compile(r"-?\d+")
_SIGN = re.compile(r" [-+] ")
_INNERMOST = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def sum_of(*terms: Term) -> Term:
    """`a + b - c`. Terms may be sums themselves, or empty."""
    if all(type(term) is int for term in terms):
        return sum(map(int, terms))
    parts: list[Term] = []
    for term in (part for given in _named(terms, nothing=0) for part in _terms(str(given))):
        last = parts.pop() if parts else 0
        if isinstance(last, int) and isinstance(term, int):
            parts.append(last + term)
        else:
            parts += [last, term] if last else [term]
    kept = [part for part in parts if part] or [0]
    if len(kept) == 1:
        return kept[0]
    first, *others = map(str, kept)
    signed = (f" - {part[1:]}" if part.startswith("-") else f" + {part}" for part in others)
    return first + "".join(signed)


def difference(a: Term, b: Term) -> Term:
    """`a - b`."""
    return sum_of(a, product(-1, _named((a, b), nothing=0)[1]))


def product(*factors: Term) -> Term:
    """`a * b`. The number stands where the first of the numbers stood."""
    number, place, others = 1, 0, list[str]()
    for factor in map(_number, _named(factors, nothing=1)):
        if isinstance(factor, int):
            place = len(others) if abs(number) == 1 else place
            number *= factor
        elif factor.startswith("-") and not _is_sum(factor):
            number, others = -number, [*others, factor[1:]]
        else:
            others.append(factor)
    if not others or number == 0:
        return number
    if abs(number) != 1:
        others.insert(place, str(abs(number)))
    if len(others) == 1 and number > 0:
        return others[0]
    text = " * ".join(_factor(factor, first=at == 0) for at, factor in enumerate(others))
    return text if number > 0 else f"-{text}"


def quotient(a: Term, b: Term) -> Term:
    """`a / b`, rounded as C does; 0 where a is 0."""
    return f"{grouped(a)} / {grouped(b)}" if _number(a) != 0 else 0


def remainder(a: Term, b: Term) -> Term:
    """`a % b`; 0 where a is 0."""
    return f"{grouped(a)} % {grouped(b)}" if _number(a) != 0 else 0


def lesser(a: Term, b: Term) -> str:
    """The lesser of two."""
    return f"{a} < {b} ? {a} : {b}"


def greater(a: Term, b: Term) -> str:
    """The greater of two."""
    return f"{a} > {b} ? {a} : {b}"


def grouped(term: Term) -> str:
    """The term, in parentheses if it is more than a name or a number."""
    text = str(term)
    return f"({text})" if " " in _flat(text) or text.startswith("-") else text


def _named(parts: Sequence[Term], nothing: int) -> list[Term]:
    """Constants as plain numbers among numbers, else by name, unless they are nothing."""
    if not any(isinstance(part, NamedInt) for part in parts):
        return list(parts)
    plain = all(isinstance(_number(part), int) for part in parts if part != "")
    return [
        (int(part) if plain or part in (0, nothing) else part.name)
        if isinstance(part, NamedInt)
        else part
        for part in parts
    ]


def _number(term: Term) -> Term:
    if isinstance(term, int):
        return term
    text = str(term)
    return int(text) if _NUMBER.fullmatch(text) else text


@lru_cache(maxsize=4096)
def _flat(text: str) -> str:
    """The text with what is in brackets struck out, as long as before."""
    while found := _INNERMOST.search(text):
        text = text[: found.start()] + "_" * len(found[0]) + text[found.end() :]
    return text


def _is_sum(text: str) -> bool:
    return _SIGN.search(_flat(text)) is not None


@lru_cache(maxsize=4096)
def _terms(text: str) -> tuple[Term, ...]:
    """The terms of a sum, numbers as such; those behind a minus begin with it."""
    start, found = 0, list[Term]()
    for sign in _SIGN.finditer(_flat(text)) if " " in text else ():
        found.append(_number(text[start : sign.start()]))
        start = sign.end()
        if sign[0] == " - ":
            text, start = text[: start - 1] + "-" + text[start:], start - 1
    return (*found, _number(text[start:])) if text else ()


def _factor(text: str, *, first: bool) -> str:
    """The text as a factor: a quotient needs no parentheses where it comes first."""
    loose = re.search(r" [^*/%\w] " if first else r" [^*\w] ", _flat(text))
    return f"({text})" if loose else text
