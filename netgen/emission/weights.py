"""The packed weights as files: C arrays, an assembler file with a binary, a blob with a header."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from netgen.emission.c_types import PLAIN, packed_members, word_bytes
from netgen.emission.wrap import wrap_code, wrap_comment
from netgen.kernels.layer import Json
from netgen.plan.data.plan import PackedWeights, Plan
from netgen.plan.data.step_layer import packed_element
from netgen.plan.packing import PackedBytes

BLOB_HEADER_BYTES = 128
_BLOB_START = b"NETGENW\0" + struct.pack("<I", 2)
_CRC_BYTES = 4
# By the bytes of a word: as many as look well.
_WORDS_PER_LINE = {4: 8, 2: 12, 1: 16}


@dataclass(frozen=True)
class WeightArray:
    """One C array, the packed weights of a call: `bytes` from `offset` on, of these types.

    `owner` is the number of the first step that reads it, or the state that begins with it. The
    union that it is has the name `tag`.
    """

    owner: str
    name: str
    tag: str
    title: str
    offset: int
    bytes: int
    dtypes: tuple[str, ...]

    @property
    def members(self) -> str:
        """The members of the union that it is."""
        return packed_members(self.dtypes, self.bytes)


def weight_arrays(plan: Plan, prefix: str) -> dict[int, WeightArray]:
    """The arrays of the C form, by offset, each named by the first step or state that reads it."""
    arrays: dict[int, WeightArray] = {}

    def add(place: PackedWeights | None, owner: str, title: str, dtype: str) -> None:
        if place is not None and place.offset not in arrays:
            arrays[place.offset] = WeightArray(
                owner=owner,
                name=f"{prefix}_weights_{owner}",
                tag=f"{prefix}_packed_{owner}",
                title=title,
                offset=place.offset,
                bytes=place.bytes,
                dtypes=(dtype,),
            )

    for index, step in enumerate(plan.steps):
        add(step.weights, str(index), step.name, packed_element(plan, step))
    for number, state in enumerate(plan.states):
        title = f"{state.value} before the first run"
        add(state.initial, f"state{number}", title, plan.values[state.value].type.dtype)
    return arrays


def is_plain(arrays: Iterable[WeightArray]) -> bool:
    """Whether all weights are floats, so that those of a binary file are an array of these."""
    return all(array.dtypes == (PLAIN,) for array in arrays)


def all_members(arrays: Iterable[WeightArray], size: int) -> str:
    """The members of a union of all weights of a binary file, which are of several types."""
    return packed_members(sorted({PLAIN, *(d for array in arrays for d in array.dtypes)}), size)


def c_words(content: PackedBytes, size: int) -> str:
    """Bits as hexadecimal words of so many bytes: short, exact, and quick to compile."""
    words = content.view(f"<u{size}")
    digits, columns = 2 * size, 2 * size + 3
    nibbles = (words[:, None] >> np.arange(4 * digits - 4, -1, -4, dtype=words.dtype)) & 15
    text = np.empty((words.size, columns), np.uint8)
    text[:, 0:2] = np.frombuffer(b"0x", np.uint8)
    text[:, 2:-1] = np.frombuffer(b"0123456789abcdef", np.uint8)[nibbles]
    text[:, -1] = ord(",")
    per_line = _WORDS_PER_LINE[size]
    full = words.size // per_line * per_line
    lines = np.empty((full // per_line, columns * per_line + 1), np.uint8)
    lines[:, :-1] = text[:full].reshape(len(lines), columns * per_line)
    lines[:, -1] = ord("\n")
    rest = text[full:].tobytes().decode()
    return lines.tobytes().decode() + (rest + "\n" if rest else "")


def c_array(array: WeightArray, content: PackedBytes, head: str, attributes: str) -> str:
    """The definition of one array, whose storage and union `head` names; `content` is of all."""
    part = content[array.offset : array.offset + array.bytes]
    words = c_words(part, word_bytes(array.dtypes))
    comment = wrap_comment([f"/* {array.title} */"], "")
    lines = [*comment, *wrap_code(f"{head} {array.name}{attributes} = {{{{", 0)]
    return "\n".join(lines) + f"\n{words}}}}};\n"


def layout_id(plan_json: Mapping[str, Json]) -> bytes:
    """Hash of all that decides where the code looks for which weight: graph, target, plan."""
    return hashlib.sha256(json.dumps(plan_json, sort_keys=True).encode()).digest()


def model_id(layout: bytes, packed: PackedBytes, *, blob: bool) -> str:
    """A number that header, code and weights share, as C: of the layout, and of the weights.

    A blob may come with other weights, and tells by itself what it is.
    """
    content = b"" if blob else packed.tobytes()
    return f"0x{hashlib.sha256(layout + content).hexdigest()[:8]}u"


def blob(plan: Plan, packed: PackedBytes, layout: bytes) -> bytes:
    """The blob: a header of 128 bytes, then the packed weights, all little-endian.

    0 magic and version; 12 byte order; 16 header bytes; 20 alignment; 24 content bytes (64 bits);
    32 CRC-32 (IEEE 802.3) of all other bytes; 40 target (24 bytes); 64 layout id (32 bytes).
    """
    content = packed.tobytes()
    numbers = (0x01020304, BLOB_HEADER_BYTES, plan.alignment, len(content))
    before = _BLOB_START + struct.pack("<IIIQ", *numbers)
    behind = bytes(4) + plan.target.encode().ljust(24, b"\0") + layout
    behind = behind.ljust(BLOB_HEADER_BYTES - len(before) - _CRC_BYTES, b"\0") + content
    crc = zlib.crc32(behind, zlib.crc32(before))
    return before + struct.pack("<I", crc) + behind


def byte_list(data: bytes) -> str:
    """Bytes as C initialisers."""
    return ", ".join(f"0x{byte:02x}" for byte in data)


def blob_start() -> str:
    """Magic and version as C initialisers."""
    return byte_list(_BLOB_START)
