"""Removes from a C function what nobody would write by hand.

Templates are uniform: they print the first row as `0 * K`, and a loop over panels even where there
is one. Here loops with literal bounds that never run go, those that run once become their body,
integers take the place of their names, and terms that are nothing vanish. What is computed, and in
which order, stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

_LOOP = re.compile(r"for \(int (\w+) = (\d+); \1 < (\d+); (?:\1 \+= (\d+)|\+\+\1)\) \{")
_CONSTANT = re.compile(r"const int (\w+) = (\d+);")
# In a comment: what is left of an activation that is none.
_FORMULA = re.compile(r"(?<= = )\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)(?=[.,;]| for tiles)")
_LOOP_HEAD = re.compile(r"(?:LANES )?(?:for|while) ")
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|/\*(?:.|\n)*?\*/")

# A factor: a call, an element, a name, a number, something in parentheses.
_FACTOR = r"(?:\w+\([^()]*\)|\w+(?:\[[^\[\]]*\])*|\([^()]*\))"
# A term starts behind these; where a sum starts, behind no minus.
_TERM = r"(?:^|(?<=[(\[!])|(?<=[=,<>?:+-] ))"
_SUM = r"(?:^|(?<=[(\[!])|(?<=[=,<>?:+] ))"
# Where a number ends that is no part of a product.
_END = r"(?![.\w]| [*/])"


def _product(match: re.Match[str]) -> str:
    return str(int(match[1]) * int(match[2]))


def _sum(match: re.Match[str]) -> str:
    return str(int(match[1]) + int(match[2] + match[3]))


_RULES = (
    (re.compile(rf"{_TERM}0(?: \* {_FACTOR})+"), "0"),
    (re.compile(rf"{_TERM}{_FACTOR}(?: \* {_FACTOR})* \* 0(?![.\w])"), "0"),
    (re.compile(rf"{_TERM}1 \* "), ""),
    (re.compile(r" [*/] 1(?![.\w])"), ""),
    (re.compile(rf"{_TERM}(\d+) \* (\d+)(?![.\w])"), _product),
    (re.compile(rf" [+-] 0{_END}"), ""),
    (re.compile(rf"{_SUM}0 \+ "), ""),
    (re.compile(rf"{_SUM}(\d+) ([+-]) (\d+){_END}"), _sum),
    # Constants meet at the end of a sum.
    (re.compile(rf"(?<= \+ )(\d+) (\+) (\d+){_END}"), _sum),
    (re.compile(r"\+ -(\d)"), r"- \1"),
    (re.compile(rf"{_TERM}\(-1\) \* "), "-"),
    # A product in parentheses that is itself a factor.
    (re.compile(rf"{_TERM}\(((?:\w+|\([^()]*\))(?: \* \w+)+)\)(?= \* )"), r"\1"),
    # A row in a sum, or alone in parentheses; a number below zero as the first factor.
    (re.compile(rf"{_SUM}\((first \+ \w+|\w+(?: \* \w+)* \+ \d+)\)(?= [-+] |[)\];])"), r"\1"),
    (re.compile(rf"{_TERM}\((-\d+)\)(?= \* )"), r"\1"),
    # One name in parentheses, unless they are a cast or a call.
    (re.compile(r"(?<![\w)\]}])\((\w+(?:\[[^\[\]]*\])*)\)(?=[;,)\]]| [-+*/%<>=?:&|])"), r"\1"),
    (re.compile(r"\b(\w+) \+= 1(?=[;)])"), r"++\1"),
    # A vector of one is an element.
    (re.compile(r"\bLOAD1\((\w+)\)"), r"\1[0]"),
    (re.compile(r"\bLOAD1\((\w+) \+ ((?:[^()]|\([^()]*\))*)\)"), r"\1[\2]"),
    (re.compile(r"\bSTORE1\((\w+), ([^;]*)\);"), r"\1[0] = \2;"),
    (re.compile(r"\bSTORE1\((\w+) \+ ((?:[^(),]|\([^()]*\))*), ([^;]*)\);"), r"\1[\2] = \3;"),
    (re.compile(r"(?<= = )\(([^()]*(?:\([^()]*\)[^()]*)*)\);"), r"\1;"),
)


@dataclass
class _Block:
    """Lines between braces; `tail` is empty where an `else` follows."""

    head: str
    items: list[str | _Block] = field(default_factory=list)
    tail: str = "}"


def tidy(function: str) -> str:
    """The same C function, shorter. Expects one statement or brace per line; indentation goes."""
    return "\n".join(_lines(_tidied(_parse(function), nested=False))) + "\n"


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


def _lines(items: list[str | _Block]) -> Iterator[str]:
    for item in items:
        if isinstance(item, str):
            yield item
            continue
        yield item.head
        yield from _lines(item.items)
        if item.tail:
            yield item.tail


def _tidied(items: list[str | _Block], *, nested: bool) -> list[str | _Block]:
    kept: list[str | _Block] = []
    pending = list(items)
    while pending:
        item = pending.pop(0)
        if isinstance(item, _Block):
            kept += _tidied_block(item, last=nested and not pending)
            continue
        line = _FORMULA.sub(r"\1", item) if item.startswith("/*") else _simplified(item)
        constant = _CONSTANT.fullmatch(line)
        if constant:
            pending = _substituted(pending, constant[1], constant[2])
        else:
            kept.append(line)
    return kept


def _tidied_block(block: _Block, *, last: bool) -> list[str | _Block]:
    """What becomes of a block: nothing, its contents, or itself; `last` in the block around it."""
    loop = _LOOP.fullmatch(_simplified(block.head))
    if loop:
        first, end, step = int(loop[2]), int(loop[3]), int(loop[4] or 1)
        if first >= end:
            return []
        if first + step >= end and not _needs_loop(block, loop[1]):
            block = _Block("{", _substituted(block.items, loop[1], loop[2]))
    items = _tidied(block.items, nested=True)
    # Names of a last block cannot meet others: what stands before it, it would have shadowed.
    if block.head == "{" and last:
        return items
    return [_Block(_simplified(block.head), items, block.tail)]


def _needs_loop(block: _Block, name: str) -> bool:
    """Whether the body changes the loop's variable, or leaves the loop."""
    changes = re.compile(rf"(?:\+\+|--){name}\b|\b{name}(?:\+\+|--| [-+*/]?= )")
    return _leaves(block) or any(changes.search(line) for line in _lines(block.items))


def _leaves(block: _Block) -> bool:
    return any(
        item in {"continue;", "break;"}
        if isinstance(item, str)
        else not _LOOP_HEAD.match(item.head) and _leaves(item)
        for item in block.items
    )


def _substituted(items: list[str | _Block], name: str, value: str) -> list[str | _Block]:
    word = re.compile(rf"\b{name}\b")
    return [
        _Block(word.sub(value, item.head), _substituted(item.items, name, value), item.tail)
        if isinstance(item, _Block)
        else item
        if item.startswith("/*")
        else word.sub(value, item)
        for item in items
    ]


@cache  # kernels repeat each other's lines, and themselves
def _simplified(line: str) -> str:
    """A line with its index arithmetic done, as far as that needs no names."""
    while True:
        before = line
        for pattern, replacement in _RULES:
            line = pattern.sub(replacement, line)
        if line == before:
            return line
