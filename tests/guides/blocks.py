"""Blocks of code in the README and the guides: all of them, by language, as a reader meets them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
GUIDES = sorted((REPOSITORY / "netgen" / "guides").glob("*.md"))
DOCUMENTS = [README, *GUIDES]
# The language, then words for the tests: `long` blocks take minutes, and are only read; those of an
# `emulator` need one, those of a `wheel` what pip installs, those of an engine its package.
_FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BETWEEN_COMMANDS = {"&&", "||", "|", ";"}
_INLINE = re.compile(r"`(netgen [^`]*)`")
# Words that stand for something of the reader's own.
_STANDS_FOR = re.compile(r"\b[A-Z]{2,}(?:\.\w+)?\b|\.\.\.")


@dataclass(frozen=True)
class Block:
    """A block of code of a document."""

    document: Path
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str | None:
        """The file that the reader is to write, if the first line names one: `# my_net.py`."""
        named = re.match(r"# (\w+\.py)\n", self.text)
        return named[1] if named else None


@dataclass(frozen=True)
class Shown:
    """A command of a block of `console`, and the lines that it is shown to print, if any."""

    command: str
    output: str

    def programs(self) -> Iterator[list[str]]:
        """The words of each program that it starts; comments are none of them."""
        words: list[str] = []
        for word in shlex.split(self.command, comments=True):
            if word in _BETWEEN_COMMANDS:
                yield words
                words = []
            else:
                words.append(word)
        yield words

    def agrees(self, printed: str) -> bool:
        """Whether the lines are among those printed; `...` stands for any text."""
        parts = (re.escape(part) for part in self.output.strip("\n").split("..."))
        return re.search(".*?".join(parts), printed, re.DOTALL) is not None


def blocks(document: Path) -> list[Block]:
    """All blocks of a document, in order."""
    found = []
    for info, text in _FENCED.findall(document.read_text(encoding="utf-8")):
        language, *words = info.split() or [""]
        found.append(Block(document, language, tuple(words), text))
    return found


def blocks_of(language: str) -> list[Block]:
    """The blocks of all documents in a language."""
    return [block for path in DOCUMENTS for block in blocks(path) if block.language == language]


def commands(block: Block) -> list[Shown]:
    """The commands of a block of `console`; a line that ends in a backslash goes on."""
    found = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        ended = re.search(r"(?<!\\)\n", part)
        assert ended is not None, f"{block.document}: {part}"
        found.append(Shown(part[: ended.start()], part[ended.end() :]))
    return found


def inline_commands(document: Path) -> list[list[str]]:
    """The words of each `netgen ...` within the text; those with placeholders by their options."""
    prose = _FENCED.sub("", document.read_text(encoding="utf-8")).replace("\n", " ")
    found = []
    for text in _INLINE.findall(prose):
        for shown in text.split(" && "):
            words = shlex.split(shown)
            if not any("..." in word for word in words):
                found.append(words)
    return found


def has_placeholder(words: list[str]) -> bool:
    """Whether a word stands for a value of the reader's: it cannot be read as one."""
    return any(_STANDS_FOR.search(word) for word in words)
