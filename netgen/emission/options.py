"""Options of the emitted files, apart from the network and its plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from netgen.errors import UsageError

WeightsAs = Literal["c", "inline", "incbin", "blob"]

_KEYWORDS = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
    "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while",
})  # fmt: skip
# With `_t` these are types of <stddef.h> and <stdint.h>.
_TYPES = re.compile(r"size|ptrdiff|wchar|max_align|u?int(_least|_fast)?(8|16|32|64)|u?int(ptr|max)")
# What ends or changes a string of C and of the assembler, line breaks and trigraphs among it, or
# has no UTF-8.
_UNQUOTABLE = re.compile(r'["\'\\\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]|\?\?')
# Headers of C11, of POSIX and of vector instructions. A file of the same name hides them from all
# that is compiled with -I on its folder.
_HEADERS = frozenset({
    "assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits",
    "locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbool", "stddef",
    "stdint", "stdio", "stdlib", "stdnoreturn", "string", "tgmath", "threads", "time", "uchar",
    "wchar", "wctype",
    "fcntl", "pthread", "sched", "semaphore", "unistd",
    "arm_neon", "immintrin",
})  # fmt: skip


@dataclass(frozen=True)
class EmitOptions:
    """`prefix` opens every public name, `stem` every file name; `command` is printed in the C.

    With two `regions` of RAM the header has the names of the second, even where nothing is left
    for it: the caller's code stays the same for all sizes.
    """

    prefix: str
    stem: str
    weights_as: WeightsAs
    command: str
    regions: bool = False


def prefix_of(stem: str) -> str:
    """The prefix for an output file's stem. Raises UsageError where it is no C identifier."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", stem) or (
        stem in _KEYWORDS or _TYPES.fullmatch(stem)
    ):
        raise UsageError(
            f"'{stem}' cannot open the names of C functions",
            expected="a letter, then letters, digits and underscores, and no word of C",
            hint="choose another file name for -o, or a --prefix",
        )
    return stem


def require_includable(stem: str) -> None:
    """Raise UsageError where no #include or .incbin can name the files of an output's stem.

    Headers of C may not be hidden: some file systems find them in any case of letters.
    """
    if _UNQUOTABLE.search(stem):
        raise UsageError(
            f"{stem!r} cannot stand between the quotes of an #include",
            expected="a file name without quotes, backslashes, ?? and control characters",
            hint="choose another file name for -o",
        )
    if stem.lower() in _HEADERS:
        raise UsageError(
            f"{stem}.h would hide C's own <{stem.lower()}.h>",
            hint="choose another file name for -o",
        )
