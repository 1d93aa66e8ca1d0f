"""Assembly of emitted C: its innermost loops, what they multiply, what they keep on the stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.emission.programs import Emission
from tests.tools import run_tool

# An immediate of aarch64 opens with the sign that opens a comment of x86-64.
_COMMENT = re.compile(r"\s*(?:#(?!-?\d|:)|//).*")
_LABEL = re.compile(r"^([.\w$]+):")
# Conditional and plain jumps of x86-64 and aarch64, with their target.
_JUMP = re.compile(r"^(?:j\w+|b\.?\w*|cbn?z|tbn?z)\s+(?:.*,\s*)?([.\w$]+)$")
_FUSED = re.compile(r"^(?:vf\w*m(?:add|sub)\w*|fml[as]|fn?m(?:add|sub))\b")
_PRODUCT = re.compile(r"^(?:v?mul[ps]s|fmul)\b")
_SUM = re.compile(r"^(?:v?add[ps]s|fadd)\b")
# Its operands are registers of vectors, which aarch64 also calls by the width of their first lane.
_VECTOR = re.compile(r"%[xyz]mm\d|\b[vqds]\d+\b")
_STACK = re.compile(r"\(%rsp\b|\[sp\b")
# Where a function has a frame pointer; elsewhere its register is one like others.
_FRAME = re.compile(r"\(%rsp\b|\[sp\b|\(%rbp\b|\[x29\b")
_HAS_FRAME = re.compile(r"movq %rsp, %rbp|(?:mov|add) x29, sp")


@dataclass(frozen=True)
class Loop:
    """An innermost loop: its instructions in order."""

    function: str
    instructions: tuple[str, ...]
    has_frame: bool = False

    def _count(self, pattern: re.Pattern[str]) -> int:
        return sum(bool(pattern.search(text)) for text in self.instructions)

    @property
    def fused(self) -> int:
        """Fused multiply-adds."""
        return self._count(_FUSED)

    @property
    def products(self) -> int:
        """Multiplications of their own."""
        return self._count(_PRODUCT)

    @property
    def sums(self) -> int:
        """Additions of their own."""
        return self._count(_SUM)

    @property
    def share(self) -> float:
        """Fused multiply-adds, of all instructions on registers of vectors."""
        return self.fused / self._count(_VECTOR)

    @property
    def spills(self) -> int:
        """Accesses to the stack."""
        return self._count(_FRAME if self.has_frame else _STACK)


def assembly(emission: Emission, folder: Path, command: Sequence[str]) -> str:
    """The assembly of the C file."""
    emission.write(folder)
    name = emission.prefix
    run_tool([*command, "-S", f"{name}.c", "-o", f"{name}.s"], folder)
    return (folder / f"{name}.s").read_text()


def functions(text: str) -> dict[str, list[str]]:
    """Instructions and labels by function."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for raw in text.splitlines():
        line = _COMMENT.sub("", raw).strip().replace("\t", " ")
        label = _LABEL.match(line)
        if label and not label[1].startswith("."):
            lines = found.setdefault(label[1], [])
        elif line and (label or not line.startswith(".")):
            lines.append(line)
    return found


def innermost_loops(text: str) -> list[Loop]:
    """All loops that contain no other loop."""
    loops = []
    for name, lines in functions(text).items():
        at = {label[1]: n for n, line in enumerate(lines) if (label := _LABEL.match(line))}
        has_frame = any(_HAS_FRAME.match(line) for line in lines)
        spans = []
        for end, line in enumerate(lines):
            jump = _JUMP.match(line)
            if jump and at.get(jump[1], end) < end:
                spans.append((at[jump[1]], end))
        for start, end in spans:
            inner = any(start <= s and e <= end and (s, e) != (start, end) for s, e in spans)
            if not inner:
                body = [t for t in lines[start : end + 1] if not _LABEL.match(t)]
                # What gcc makes of a static function gets an ending of its own.
                loops.append(Loop(name.partition(".")[0], tuple(body), has_frame))
    return loops
