"""The bare allocator: buffers as CSV in, the same with offsets out.

The form is that of the MiniMalloc benchmarks: `id,lower,upper,size`, where a buffer is alive from
`lower` up to, but without, `upper`; `alignment` may be a fifth column. What a column `offset` holds
is not read: it is written anew.
"""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from netgen.errors import PlanError
from netgen.plan.arena.greedy import Packing, packing
from netgen.plan.arena.shapes import Shape, Slice

_NEEDED = ("id", "lower", "upper", "size")
_COLUMNS = (*_NEEDED, "alignment", "offset")
# Whatever is added up from such sizes, the solver's 64 bits are enough for it.
_LARGEST_SIZE = 2**40
_LARGEST_TIME = 2**62


@dataclass(frozen=True)
class Request:
    """A line of the file: who needs how many bytes, and from when until when."""

    id: str
    lower: int
    upper: int
    size: int
    alignment: int = 1


@dataclass(frozen=True)
class _Line:
    """The fields of a line by column, and where the line is, for errors."""

    where: str
    fields: Mapping[str, str]

    def number(self, column: str, least: int, most: int) -> int:
        """A whole number within limits. Raises PlanError for anything else."""
        text = self.fields[column].strip()
        expected = f"a whole number from {least} to {most}"
        if re.fullmatch("[+-]?[0-9]{1,20}", text) is None or not least <= int(text) <= most:
            shown = text if len(text) <= 40 else f"{text[:37]}..."
            raise PlanError(
                f"the {column} is out of range or no number",
                where=self.where,
                expected=expected,
                found=f"'{shown}'",
            )
        return int(text)


def read_requests(path: Path) -> list[Request]:
    """Read a CSV file of buffers. Raises PlanError, with the line, where it is not of the form."""
    requests: list[Request] = []
    lines: dict[str, str] = {}
    for line in _lines(path):
        request = _request(line)
        if request.id in lines:
            raise PlanError(
                f"the id '{request.id}' is there twice",
                where=line.where,
                found=f"it in {lines[request.id]}, too",
                hint="give each buffer an id of its own",
            )
        lines[request.id] = line.where
        requests.append(request)
    return requests


def requests_packing(requests: Sequence[Request]) -> Packing:
    """The buffers as shapes of one slice each; time is counted in beginnings of buffers."""
    begins = sorted({request.lower for request in requests})
    shapes = []
    for r in requests:
        first, end = bisect_left(begins, r.lower), bisect_left(begins, r.upper)
        shapes.append(Shape((Slice(first, end - 1, 0, r.size),)))
    return packing(shapes, [request.alignment for request in requests])


def requests_csv(requests: Sequence[Request], offsets: Sequence[int]) -> str:
    """The buffers with their offsets; alignments only where there are any."""
    aligned = any(request.alignment != 1 for request in requests)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_NEEDED, *["alignment"] * aligned, "offset"])
    for r, offset in zip(requests, offsets, strict=True):
        alignment = [r.alignment] * aligned
        writer.writerow([r.id, r.lower, r.upper, r.size, *alignment, offset])
    return text.getvalue()


def _request(line: _Line) -> Request:
    name = line.fields["id"].strip()
    if not name:
        raise PlanError("the id is empty", where=line.where, hint="give each buffer an id")
    lower = line.number("lower", -_LARGEST_TIME, _LARGEST_TIME)
    upper = line.number("upper", -_LARGEST_TIME, _LARGEST_TIME)
    if upper <= lower:
        raise PlanError(
            "the buffer is never alive",
            where=line.where,
            expected=f"an upper above the lower, {lower}",
            found=str(upper),
            hint="upper is the first time at which the buffer is no longer needed",
        )
    size = line.number("size", 0, _LARGEST_SIZE)
    alignment = 1
    if "alignment" in line.fields:
        alignment = line.number("alignment", 1, _LARGEST_SIZE)
    return Request(name, lower, upper, size, alignment)


def _lines(path: Path) -> Iterator[_Line]:
    """The lines after the header, blank ones left out."""
    rows = _rows(path)
    number, header = next(rows, (1, []))
    columns = _columns(header, f"{path} line {number}")
    for number, row in rows:
        where = f"{path} line {number}"
        if len(row) != len(columns):
            raise PlanError(
                "the line has another number of fields than the header",
                where=where,
                expected=str(len(columns)),
                found=str(len(row)),
            )
        yield _Line(where, dict(zip(columns, row, strict=True)))


def _columns(header: Sequence[str], where: str) -> list[str]:
    columns = [name.strip() for name in header]
    known = set(_NEEDED) <= set(columns) <= set(_COLUMNS)
    if not known or len(set(columns)) < len(columns):
        raise PlanError(
            "these are not the columns of a list of buffers",
            where=where,
            expected=f"{','.join(_NEEDED)} and, if need be, alignment",
            found=",".join(columns) or "an empty file",
            hint="name them in the first line, each once",
        )
    return columns


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Fields by line, with the number of the line. Raises PlanError for what is no CSV in UTF-8."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise PlanError(f"the buffers cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise PlanError(
            "the file is not UTF-8", where=f"{path} line {number}", hint="save it as UTF-8"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
    except csv.Error as error:
        raise PlanError(
            f"this is no CSV: {error}", where=f"{path} line {reader.line_num}"
        ) from error
