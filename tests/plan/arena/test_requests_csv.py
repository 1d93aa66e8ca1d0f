from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import PlanError
from netgen.plan.arena.greedy import least_bytes, place
from netgen.plan.arena.placement import place_smallest
from netgen.plan.arena.requests_csv import Request, read_requests, requests_csv, requests_packing
from netgen.plan.arena.shapes import extent

# Two at a time, three for a moment: 12 bytes are needed at 2.
EXAMPLE = "id,lower,upper,size\na,0,3,4\nb,2,5,4\nc,1,9,4\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "buffers.csv"


requests = st.lists(
    st.builds(
        lambda name, lower, length, size, alignment: Request(
            name, lower, lower + length, size, alignment
        ),
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=4),
        st.integers(-9, 9) | st.integers(0, 2**61),
        st.integers(1, 5) | st.integers(1, 2**61),
        st.integers(0, 20) | st.integers(0, 2**40),
        st.sampled_from([1, 1, 2, 3, 64]),
    ),
    max_size=7,
    unique_by=lambda request: request.id,
)


def read(file: Path, text: str) -> list[Request]:
    file.write_bytes(text.encode())
    return read_requests(file)


def test_buffers_live_from_lower_to_before_upper(file: Path) -> None:
    found = read(file, EXAMPLE)
    assert found == [Request("a", 0, 3, 4), Request("b", 2, 5, 4), Request("c", 1, 9, 4)]
    assert least_bytes(requests_packing(found)) == 12
    after = read(file, EXAMPLE.replace("b,2,", "b,3,"))
    assert least_bytes(requests_packing(after)) == 8


@given(requests)
def test_placements_never_overlap_whatever_the_numbers(given: list[Request]) -> None:
    packed = requests_packing(given)
    offsets = place_smallest(packed, accept_gap=True).offsets
    for index, (a, at) in enumerate(zip(given, offsets, strict=True)):
        assert at >= 0
        assert at % a.alignment == 0
        for b, bt in zip(given[:index], offsets, strict=False):
            apart_in_time = a.upper <= b.lower or b.upper <= a.lower
            assert apart_in_time or at + a.size <= bt or bt + b.size <= at
    fullest = max(
        (sum(b.size for b in given if b.lower <= a.lower < b.upper) for a in given), default=0
    )
    assert fullest <= least_bytes(packed) <= extent(packed.shapes, offsets)


@given(requests)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, given: list[Request]
) -> None:
    file = tmp_path_factory.mktemp("again") / "buffers.csv"
    offsets = place(requests_packing(given))
    text = requests_csv(given, offsets)
    assert read(file, text) == given
    assert [int(line.rpartition(",")[2]) for line in text.splitlines()[1:]] == offsets


def test_offsets_are_a_further_column(file: Path) -> None:
    text = requests_csv(read(file, EXAMPLE), [0, 4, 8])
    assert text == "id,lower,upper,size,offset\na,0,3,4,0\nb,2,5,4,4\nc,1,9,4,8\n"
    aligned = read(file, "size,alignment,id,upper,lower\n4,8,a,3,0\n2,1,b,5,2\n")
    assert requests_csv(aligned, [8, 0]) == (
        "id,lower,upper,size,alignment,offset\na,0,3,4,8,8\nb,2,5,2,1,0\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE.replace("\n", "\r\n"),
        "\ufeff" + EXAMPLE,
        EXAMPLE.rstrip("\n"),
        "\n" + EXAMPLE.replace("\nb", "\n\n  \nb"),
        EXAMPLE.replace(",", " , "),
        EXAMPLE.replace("a,0", '"a","+0"'),
    ],
    ids=["crlf", "byte order mark", "no last newline", "blank lines", "spaces", "quotes"],
)
def test_what_spreadsheets_write_is_read(file: Path, text: str) -> None:
    assert read(file, text) == read(file, EXAMPLE)


def test_a_header_alone_has_no_buffers(file: Path) -> None:
    assert read(file, "id,lower,upper,size\n") == []


HEADER = "id,lower,upper,size\n"
MALFORMED = {
    "negative size": (HEADER + "a,0,1,-4\n", "line 2: the size .*from 0 to .*found '-4'"),
    "upper below lower": (HEADER + "a,5,3,4\n", "line 2: .*never alive.*above the lower, 5.*3"),
    "upper at lower": (HEADER + "a,5,5,4\n", "line 2: .*never alive"),
    "duplicate": (HEADER + "a,0,1,4\nb,0,1,4\na,1,2,4\n", "line 4: .*'a' is there twice.*line 2"),
    "no id": (HEADER + " ,0,1,4\n", "line 2: the id is empty"),
    "missing column": ("id,lower,size\na,0,4\n", "line 1: .*columns.*id,lower,upper,size"),
    "unknown column": ("id,lower,upper,size,gaps\n", "line 1: .*found id,lower,upper,size,gaps"),
    "column twice": ("id,id,lower,upper,size\n", "line 1: .*each once"),
    "no header": ("a,0,1,4\n", "line 1: these are not the columns"),
    "empty": ("", "line 1: .*found an empty file"),
    "too few fields": (HEADER + "a,0,1\n", "line 2: .*expected 4, found 3"),
    "too many fields": (HEADER + "a,0,1,4,5\n", "line 2: .*expected 4, found 5"),
    "fraction": (HEADER + "a,0,1,4.0\n", "line 2: the size .*'4.0'"),
    "exponent": (HEADER + "a,0,1e3,4\n", "line 2: the upper .*'1e3'"),
    "empty number": (HEADER + "a,,1,4\n", "line 2: the lower .*found ''"),
    "other digits": (HEADER + "a,0,1,\u0664\n", "line 2: the size"),
    "huge size": (HEADER + f"a,0,1,{2**40 + 1}\n", "line 2: the size .*to 1099511627776"),
    "huge time": (HEADER + f"a,0,{10**30},4\n", "line 2: the upper"),
    "more digits than fit": (HEADER + f"a,0,1,{'9' * 9000}\n", r"line 2: the size .*9\.\.\.'"),
    "alignment of 0": ("id,lower,upper,size,alignment\na,0,1,4,0\n", "line 2: the alignment"),
    "open quote": (HEADER + 'a,0,1,4\n"b,0,1,4\n', "line 3: this is no CSV"),
}


@pytest.mark.parametrize(("text", "message"), MALFORMED.values(), ids=list(MALFORMED))
def test_malformed_files_are_refused_with_the_line(file: Path, text: str, message: str) -> None:
    with pytest.raises(PlanError, match=f"buffers.csv {message}") as caught:
        read(file, text)
    assert len(str(caught.value)) < 300


def test_what_is_not_utf_8_is_refused_with_the_line(file: Path) -> None:
    file.write_bytes(EXAMPLE.encode() + b"\xff,0,1,4\n")
    with pytest.raises(PlanError, match=r"buffers.csv line 5: the file is not UTF-8"):
        read_requests(file)


def test_what_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(PlanError, match=r"buffers.csv: the buffers cannot be read: No such file"):
        read_requests(file)
