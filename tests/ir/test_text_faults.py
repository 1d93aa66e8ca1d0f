"""Malformed text: always a GraphError on one line that names file and line, never anything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import GraphError
from netgen.ir.text import parse_graph, print_graph

VALID = """\
netgen 1
graph tiny {
  %image : f32[1,8,8,2] = input
  %w     : f32[4,3,3,2] = const {data=@w}
  %b     : f32[4]       = const {data=@b}
  %c     : f32[1,8,8,4] = conv2d(%image, %w, %b) {pad=1, act=relu6}
  %v     : f32[4]       = const {data=@v}
  %n     : f32[1,8,8,4] = batch_norm(%c, %b, %b, %b, %v) {eps=0x1p-10}
  return %n
}
"""

# Replacement of one piece, line of the error, words of the message.
FAULTS = [
    ("netgen 1", "netgem 1", 1, "expected 'netgen', found 'netgem'"),
    ("netgen 1", "netgen 2", 1, "of another version, expected 1, found 2"),
    ("netgen 1", "netgen one", 1, "expected an integer"),
    ("graph tiny", "grph tiny", 2, "expected 'graph'"),
    ("graph tiny", "graph", 2, "expected a name"),
    ("graph tiny {", "graph tiny {constants=@ab} {", 2, "SHA-256"),
    ("graph tiny {", "graph tiny {constants=3} {", 2, "expected an array"),
    ("graph tiny {", f"graph tiny {{alpha=1, constants=@{'0' * 64}}} {{", 2, "no such attribute"),
    ("graph tiny {", "graph tiny", 3, "expected '{'"),
    ("%image :", "image :", 3, "expected a value like %x, found 'image'"),
    ("%image :", "%image", 3, "expected ':'"),
    ("%image :", "%imäge :", 3, r"unexpected character '\xe4'"),
    ("%image :", "% image :", 3, "unexpected character '%'"),
    ("f32[1,8,8,2]", "f64[1,8,8,2]", 3, "unknown element type 'f64', expected one of f32"),
    ("f32[1,8,8,2]", "f32[1,0,8,2]", 3, "empty dimension"),
    ("f32[1,8,8,2]", "f32[1,-8,8,2]", 3, "empty dimension"),
    ("f32[1,8,8,2]", "f32[1,8,8,2", 3, "expected ']'"),
    ("f32[1,8,8,2]", "f32[1,8,,2]", 3, "expected an integer"),
    ("f32[1,8,8,2]", "f32[1,8,8.0,2]", 3, "expected an integer"),
    ("f32[1,8,8,2]", "f32[1,99999,99999,2]", 3, "too large"),
    ("f32[1,8,8,2]", f"f32[1,{'9' * 5000}]", 3, "too large"),
    ("= input", "input", 3, "expected '='"),
    ("= input", "= input(%w)", 3, "%w is used before it is defined"),
    ("{data=@w}", "(%image) {data=@w}", 4, "const takes no operands, expected 0, found 1"),
    ("{data=@w}", "{data=w}", 4, "expected an array like @x, found 'w'"),
    ("{data=@w}", "", 4, "must name its array"),
    ("{data=@w}", "{data=@w, data=@w}", 4, "the attribute 'data' stands twice"),
    ("{data=@w}", "{data=@w", 5, "expected '}'"),
    ("{data=@w}", "{date=@w}", 4, "expected a name, found '@w'"),
    ("{data=@w}", "{date=3}", 4, "const has no attribute 'date', expected one of data"),
    ("%b  ", "%w  ", 5, "%w: two values have the same name"),
    ("conv2d(", "conv3d(", 6, "%c: unknown operator 'conv3d', expected one of absolute"),
    ("%image, %w, %b)", "%image)", 6, "conv2d takes the operands x, w, b, residual"),
    ("%image, %w, %b)", "%image, %w, %b, %b, %b)", 6, "expected 2 to 4, found 5"),
    ("%image, %w, %b)", "%image, %w, %n)", 6, "%n is used before it is defined"),
    ("%image, %w, %b)", "%image, %b, %w)", 6, "%c: w must have 4 dimensions"),
    ("%image, %w, %b)", "%image, %w, %w)", 6, "%c: b has the wrong shape"),
    ("%image, %w, %b)", "%image %w, %b)", 6, "expected ')'"),
    ("f32[1,8,8,4] = conv2d", "f32[1,8,9,4] = conv2d", 6, "expected f32[1,8,8,4], found f32[1,8,9"),
    ("pad=1", "pad=-1", 6, "pad must be one number or (top, bottom, left, right)"),
    ("pad=1", "pad=(1,1)", 6, "pad must be one number or (top, bottom, left, right)"),
    ("pad=1", "pad=(1,,1)", 6, "expected an integer"),
    ("pad=1", "pad=same", 6, "the attribute 'pad' of conv2d is ill-typed"),
    ("pad=1", "pad=0x1p0", 6, "ill-typed, expected a tuple of integers, found 1.0"),
    ("pad=1", "pad", 6, "expected '='"),
    ("pad=1", "pad=", 6, "expected a name"),
    ("pad=1", "stride=0", 6, "stride must be one or two whole numbers"),
    ("pad=1", "groups=x", 6, "the attribute 'groups' of conv2d is ill-typed, expected an integer"),
    ("pad=1", "groups=0", 6, "groups must be positive"),
    ("pad=1", "groups=3", 6, "cannot be split into 3 groups"),
    ("pad=1", "dilation=9", 6, "does not fit"),
    ("act=relu6", "act=relu7", 6, "unknown activation 'relu7'"),
    ("act=relu6", "act=@relu6", 6, "expected a name"),
    ("act=relu6", "act=6", 6, "the attribute 'act' of conv2d is ill-typed, expected a name"),
    ("eps=0x1p-10", "eps=1", 8, "expected a hexadecimal float, found 1"),
    ("eps=0x1p-10", "eps=1e-5", 8, "expected a hexadecimal float, found '1e-5'"),
    ("eps=0x1p-10", "eps=-0x1p-10", 8, "eps must be finite and not negative"),
    ("eps=0x1p-10", "eps=0x1p99999", 8, "too large for a double"),
    ("eps=0x1p-10", "eps=nan", 8, "ill-typed"),
    ("return %n", "", 10, "expected a value"),
    ("return %n", "return", 10, "expected a value"),
    ("return %n", "return %nn", 9, "%nn is used before it is defined"),
    ("return %n", "return %n %c", 9, "expected '}'"),
    ("return %n\n}", "return %n", 10, "expected '}', found the end of the text"),
    ("return %n\n}", "return %n\n}\ngraph", 11, "expected the end of the text, found 'graph'"),
]


def test_the_valid_text_is_valid() -> None:
    assert print_graph(parse_graph(VALID)[0]) == VALID


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS)
def test_a_fault_is_named_with_its_line(old: str, new: str, line: int, words: str) -> None:
    assert VALID.count(old) == 1
    with pytest.raises(GraphError) as caught:
        parse_graph(VALID.replace(old, new), "net.ir")
    message = str(caught.value)
    assert message.startswith(f"net.ir:{line}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing", "\0", "netgen", "\ufeffnetgen 1"])
def test_no_text_at_all(text: str) -> None:
    with pytest.raises(GraphError, match=r"^net\.ir:[1-3]: "):
        parse_graph(text, "net.ir")


PIECES = [
    *"%@:=(){},[]#\n\r\0é-.", "netgen", "graph", "return", "const", "input", "add", "conv2d",
    "pad=(0,1,0,1)", "stride=2", "0", "-1", "99999999999999999999", "0x1p-3", "0x1p9999", "%image",
    "data=@w", "f32", "[1,2]", "eps=nan", "groups=0", "act=", "shape=()",
]  # fmt: skip


@given(st.data())
def test_edited_text_never_raises_anything_but_graph_errors(data: st.DataObject) -> None:
    lines = VALID.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.integers(0, len(lines) - 1))
        line = lines[row]
        words = [match.span() for match in re.finditer(r"\w+|\S", line)] or [(0, 0)]
        first, last = data.draw(st.sampled_from(words))
        edit = data.draw(st.sampled_from(["replace", "insert", "delete", "drop", "double"]))
        piece = data.draw(st.sampled_from(PIECES) | st.text(max_size=3))
        lines[row] = {
            "replace": line[:first] + piece + line[last:],
            "insert": line[:first] + piece + line[first:],
            "delete": line[:first] + line[last:],
            "drop": "",
            "double": line * 2,
        }[edit]
    fault = ""
    try:
        graph, _ = parse_graph("".join(lines), "net.ir")
    except GraphError as error:
        fault = str(error)
    if fault:
        assert re.match(r"net\.ir:\d+: ", fault)
        assert "\n" not in fault
    else:
        text = print_graph(graph)
        assert print_graph(parse_graph(text)[0]) == text
