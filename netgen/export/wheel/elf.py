"""The needs of an ELF library: other libraries, and versions of the C library.

By these a wheel is `manylinux` or not: see PEP 600. Layouts are those of the ELF specification and
of the GNU extension `.gnu.version_r`; fields of 64-bit files, little end first.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Libraries that every manylinux system has, of those that generated C may ask for.
_EVERYWHERE = frozenset({"libc.so.6", "libm.so.6", "libpthread.so.0"})
# The oldest glibc that pip calls manylinux in this way.
_OLDEST = (2, 17)
_DYNAMIC, _VERSIONS_NEEDED = 6, 0x6FFFFFFE  # kinds of sections
_NEEDED = 1  # kind of an entry of the dynamic section


@dataclass(frozen=True)
class _Section:
    kind: int
    offset: int
    size: int
    link: int  # the section of its strings
    info: int


def platform_tag(libraries: Iterable[bytes], machine: str) -> str:
    """The tag of a wheel with these libraries: `manylinux_2_17_x86_64`, say.

    It is `linux_x86_64`, which package indexes refuse, where a library needs more than the C
    library, or cannot be read.
    """
    newest = _OLDEST
    for library in libraries:
        found = _glibc(library)
        if found is None:
            return f"linux_{machine}"
        newest = max(newest, found)
    return f"manylinux_{newest[0]}_{newest[1]}_{machine}"


def _glibc(library: bytes) -> tuple[int, int] | None:
    """The newest glibc that a library asks for, (0, 0) for none; None for what is not provable."""
    try:
        sections = _sections(library)
        names, versions = set(_needed(library, sections)), list(_versions(library, sections))
    except (struct.error, ValueError, IndexError):
        return None
    if not names <= _EVERYWHERE:
        return None
    found = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", version) for version in versions]
    known = [(int(each[1]), int(each[2])) for each in found if each is not None]
    # GLIBC_PRIVATE, say, is no version that a system has or has not.
    return max(known, default=(0, 0)) if len(known) == len(found) else None


def _sections(library: bytes) -> list[_Section]:
    if library[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no ELF file of 64 bits, little end first")
    (table,) = struct.unpack_from("<Q", library, 0x28)
    size, count = struct.unpack_from("<HH", library, 0x3A)
    found = []
    for at in range(table, table + size * count, size):
        (kind,) = struct.unpack_from("<I", library, at + 4)
        offset, length, link, info = struct.unpack_from("<QQII", library, at + 0x18)
        found.append(_Section(kind, offset, length, link, info))
    return found


def _text(library: bytes, strings: _Section, at: int) -> str:
    start = strings.offset + at
    return library[start : library.index(b"\0", start)].decode("ascii")


def _needed(library: bytes, sections: list[_Section]) -> Iterator[str]:
    """Names of the libraries that are loaded with it."""
    for section in sections:
        if section.kind == _DYNAMIC:
            for at in range(section.offset, section.offset + section.size, 16):
                tag, value = struct.unpack_from("<qQ", library, at)
                if tag == _NEEDED:
                    yield _text(library, sections[section.link], value)


def _versions(library: bytes, sections: list[_Section]) -> Iterator[str]:
    """Names of the versions of their functions that it asks for: `GLIBC_2.14`."""
    for section in sections:
        if section.kind == _VERSIONS_NEEDED:
            at = section.offset
            for _ in range(section.info):
                _, count, _, entries, following = struct.unpack_from("<HHIII", library, at)
                entry = at + entries
                for _ in range(count):
                    _, _, _, name, behind = struct.unpack_from("<IHHII", library, entry)
                    yield _text(library, sections[section.link], name)
                    entry += behind
                at += following
