"""Lays out the braces of a C function: templates print a block of its own for every loop body.

A block without a head that ends the block around it says nothing by its braces, and loses them.
What is computed, and in which words, stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|/\*(?:.|\n)*?\*/")


@dataclass
class _Block:
    """Lines between braces; `tail` is empty where an `else` follows."""

    head: str
    items: list[str | _Block] = field(default_factory=list)
    tail: str = "}"


def tidy(function: str) -> str:
    """The same C function. Expects one statement or brace per line; indentation goes."""
    return "\n".join(_lines(_parse(function))) + "\n"


def _parse(text: str) -> list[str | _Block]:
    """Nested blocks of lines; a comment is one item, empty lines are left out."""
    top: list[str | _Block] = []
    open_blocks: list[_Block] = []
    pending = iter(text.splitlines())
    for raw in pending:
        line = raw.strip()
        while line.startswith("/*") and "*/" not in line:
            line += "\n" + next(pending).strip()
        code = _LITERAL.sub("", line)
        if code.startswith("}"):
            closed = open_blocks.pop()
            closed.tail = "" if code.endswith("{") else line
        items = open_blocks[-1].items if open_blocks else top
        if code.endswith("{"):
            open_blocks.append(_Block(line))
            items.append(open_blocks[-1])
        elif line and not code.startswith("}"):
            items.append(line)
    return top


def _lines(items: list[str | _Block], *, nested: bool = False) -> Iterator[str]:
    for number, item in enumerate(items, start=1):
        if isinstance(item, str):
            yield item
            continue
        # Names of a last block cannot meet others: what stands before it, it would have shadowed.
        bare = nested and item.head == "{" and number == len(items)
        if not bare:
            yield item.head
        yield from _lines(item.items, nested=True)
        if item.tail and not bare:
            yield item.tail
