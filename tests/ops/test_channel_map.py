"""channel_map against lists of channels, and its notation against Python's own lists."""

from __future__ import annotations

import re
from itertools import chain, zip_longest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import GraphError
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import TensorType
from netgen.ir.text import parse_graph, print_graph
from netgen.ops.channel_map import ChannelMap, channel_map_op
from tests.meaning import meaning as operator_meaning

Channel = tuple[int, int]
ZERO = (-1, 0)


def run(operand: int, first: int, stop: int, step: int = 1) -> list[Channel]:
    return [(operand, channel) for channel in range(first, stop, step)]


def deal(*hands: list[Channel]) -> list[Channel]:
    """Take one channel of each hand in turn, until no hand has any."""
    return [channel for row in zip_longest(*hands) for channel in row if channel is not None]


def meaning(text: str) -> list[Channel]:
    """The notation, which is nearly Python, evaluated by Python."""
    code = re.sub(r"(?<![x0-9])0\[([0-9]+)\]", r"zeros[:\1]", text)
    names: dict[str, object] = {f"x{n}": run(n, 0, 2000) for n in range(20)}
    names |= {"zeros": [ZERO] * 2000, "deal": deal}
    found = eval(code.replace("(", "deal(").replace("|", ","), names)  # noqa: S307  # Python judges texts of this file
    assert isinstance(found, list)
    return found


def sources(op: ChannelMap) -> list[Channel]:
    operands, channels = op.sources()
    assert operands.dtype == channels.dtype == np.int64
    return [*zip(operands.tolist(), channels.tolist(), strict=True)]


SOME = st.integers(-1, 3).flatmap(
    lambda n: st.just(ZERO) if n < 0 else st.tuples(st.just(n), st.integers(0, 9))
)

RUNS = st.builds(
    lambda n, first, length, step: run(n, first, first + length * step, step),
    st.integers(0, 3), st.integers(0, 5), st.integers(1, 9), st.integers(1, 3),
) | st.builds(lambda length: [ZERO] * length, st.integers(1, 5))  # fmt: skip
# Concatenated, dealt out, and dealt out again; and channels without any order.
LISTS = st.lists(SOME, min_size=1, max_size=30) | st.recursive(
    RUNS,
    lambda part: st.lists(part, min_size=2, max_size=3).map(lambda parts: [*chain(*parts)])
    | st.lists(part, min_size=2, max_size=3).map(lambda parts: deal(*parts)),
    max_leaves=5,
)


@given(LISTS)
def test_a_list_of_channels_comes_back(channels: list[Channel]) -> None:
    op = channel_map_op(channels)
    assert sources(op) == channels
    assert meaning(op.channels) == channels
    assert ChannelMap(op.channels) == op
    assert [*chain(*(run(*r) for r in as_slices(op)))] == channels


def as_slices(op: ChannelMap) -> list[tuple[int, int, int, int]]:
    """The runs with their ends; zeros as channel 0 again and again are checked here."""
    runs = []
    for operand, first, length, step in op.runs:
        if operand < 0:
            assert (first, step) == (0, 1)
            runs += [(-1, 0, 1, 1)] * length
        else:
            runs.append((operand, first, first + length * step, step))
    return runs


@pytest.mark.parametrize(
    ("channels", "text"),
    [
        (run(0, 3, 4), "x0[3:4]"),
        (run(0, 0, 24) + run(1, 0, 216), "x0[0:24]+x1[0:216]"),
        (run(0, 1, 58, 2), "x0[1:58:2]"),
        ([ZERO] * 8 + run(0, 0, 16) + [ZERO], "0[8]+x0[0:16]+0[1]"),
        (deal(run(0, 0, 58), run(1, 0, 58)), "(x0[0:58]|x1[0:58])"),
        (
            deal(run(0, 0, 80), run(0, 80, 160), run(0, 160, 240)),
            "(x0[0:80]|x0[80:160]|x0[160:240])",
        ),
        (
            deal(deal(run(0, 0, 8), run(1, 0, 7)), run(2, 0, 15)) + run(3, 5, 9),
            "((x0[0:8]|x1[0:7])|x2[0:15])+x3[5:9]",
        ),
        (
            deal(run(2, 0, 4), deal(deal(run(0, 0, 1), run(1, 0, 1)), run(3, 2, 4))),
            "(x2[0:4]|((x0[0:1]|x1[0:1])|x3[2:4]))",
        ),
        (deal([ZERO] * 5, run(0, 0, 5)), "(0[5]|x0[0:5])"),
        (run(0, 4, 5) + run(0, 1, 9) + run(0, 1, 2), "x0[4:5]+x0[1:9]+x0[1:2]"),
        (run(0, 0, 1) + run(0, 3, 9), "x0[0:1]+x0[3:9]"),
        (run(0, 2, 3) + run(0, 1, 2) + run(0, 0, 1), "x0[2:3]+x0[1:2]+x0[0:1]"),
    ],
)
def test_texts(channels: list[Channel], text: str) -> None:
    assert channel_map_op(channels).channels == text
    assert meaning(text) == channels


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("x0[0:4]+x0[4:6]", "x0[0:6]"),
        ("(x0[0:9:2]|x0[1:10:2])", "x0[0:10]"),
        ("(x0[0:1]+x1[7:9]|x2[0:2]+0[1])", "x0[0:1]+(x2[0:2]|x1[7:9])+0[1]"),
        ("x0[00:3:2]", "x0[0:3:2]"),
        ("0[1]+0[2]", "0[3]"),
    ],
)
def test_other_texts_of_a_map(text: str, canonical: str) -> None:
    assert ChannelMap(text).channels == canonical
    assert meaning(text) == meaning(canonical)


def test_the_deepest_unit_of_shufflenet_v2_is_one_line() -> None:
    x = run(0, 0, 116)
    for unit in range(1, 9):
        x = deal(x[:116], run(unit, 0, 116))
    assert channel_map_op(x).channels == (
        "((((((((x0[0:1]|x1[0:1])|x2[0:2])|x3[0:4])|x4[0:7])|x5[0:14])|x6[0:29])|x7[0:58])"
        "|x8[0:116])"
    )
    assert channel_map_op(x).named() == tuple(range(9))
    assert channel_map_op(deal(run(1, 0, 9), run(0, 0, 9))).named() == (1, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a run like x0[0:8], x0[1:8:2] or 0[8] at place 1 of '', found its end"),
        ("x0", "at place 1 of 'x0', found 'x0'"),
        ("x0[0:4]+", "at place 9 of 'x0[0:4]+', found its end"),
        ("x0[0:4]x1[0:4]", "expected '+' or the end at place 8"),
        ("(x0[0:4]|x1[0:4]", "expected '|' or ')' at place 17"),
        ("x0[0:4] ", "expected '+' or the end at place 8 of 'x0[0:4] ', found ' '"),
        ("1[3]", "found '1[3]'"),
        ("x0[4:4]", "at least 1 channel, and at most 16777216 in all runs, found x0[4:4]"),
        ("x0[0:4:0]", "a run of channels that cannot be"),
        ("0[0]", "a run of channels that cannot be"),
        ("0[9999999]+0[9999999]", "a run of channels that cannot be"),
        ("0[999999999]", "a run of channels that cannot be"),
        ("x0[0:9999999999]", "malformed"),
        ("(x0[0:4])", "two or more equal parts, or one channel more in the first ones"),
        ("(x0[0:4]|x0[0:5])", "cannot be dealt out in turn"),
        ("(x0[0:6]|x0[0:4])", "found (x0[0:6]|x0[0:4])"),
        ("(" * 50, "nested deeper than 32 brackets"),
    ],
)
def test_malformed_maps(text: str, words: str) -> None:
    with pytest.raises(GraphError, match=re.escape(words)):
        ChannelMap(text)


def test_a_map_of_nothing() -> None:
    with pytest.raises(GraphError, match="a channel map is malformed"):
        channel_map_op([])


@given(LISTS, st.integers(1, 3), st.booleans())
def test_reference(channels: list[Channel], width: int, flat: bool) -> None:
    read = sorted({n for n, _ in channels} - {-1}) or [0]
    channels = [(read.index(n), c) if n >= 0 else ZERO for n, c in channels]
    pixels = (width,) if flat else (1, 2, width)
    rng = np.random.default_rng(3)
    most = 1 + max(c for _, c in channels)
    operands = [rng.normal(size=(*pixels, most + n)) for n in range(len(read))]
    op = channel_map_op(channels)
    y = operator_meaning(op, operands)
    assert op.infer([TensorType("f32", x.shape) for x in operands]).shape == y.shape
    for place, (n, c) in enumerate(channels):
        expected = np.zeros(pixels) if n < 0 else operands[n][..., c]
        np.testing.assert_array_equal(y[..., place], expected)
    moments = [1.0, 2.0, 4.0, 8.0][: len(read)]
    mean = sum(moments[n] if n >= 0 else 0.0 for n, _ in channels) / len(channels)
    assert op.second_moment(moments) == pytest.approx(mean)
    assert op.macs([], TensorType("f32", y.shape)) == 0


IMAGE = TensorType("f32", (1, 4, 5, 6))


@pytest.mark.parametrize(
    ("text", "operands", "message"),
    [
        ("x0[0:6]", (), r"takes the operands x0, x1, \.\.\., expected at least 1, found 0"),
        ("x0[0:1]", (TensorType("f32", ()),), r"x0 must have channels, found f32\[\]"),
        ("x0[0:6]+x1[0:6]", (IMAGE, TensorType("f32", (1, 4, 4, 6))), "x1 has the wrong shape"),
        ("x0[0:6]+x1[0:6]", (IMAGE, TensorType("f32", (1, 6))), "x1 has the wrong shape"),
        ("x0[0:7]", (IMAGE,), "that x0 does not have, expected at least 7 channels, found 6"),
        ("x0[0:6]+x1[6:7]", (IMAGE, IMAGE), "that x1 does not have, expected at least 7"),
        ("x0[0:6]", (IMAGE, IMAGE), "the operands that it has, expected x0, found x0, x1"),
        ("x0[0:6]+x2[0:1]", (IMAGE, IMAGE), "expected x0, x2, found x0, x1"),
        ("0[2]", (IMAGE, IMAGE), "expected x0, found x0, x1"),
    ],
)
def test_refusals(text: str, operands: tuple[TensorType, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        ChannelMap(text).infer(operands)


def test_zeros_alone_are_of_as_many_pixels_as_their_operand() -> None:
    op = ChannelMap("0[2]")
    assert op.infer([IMAGE]).shape == (1, 4, 5, 2)
    assert operator_meaning(op, [np.ones(IMAGE.shape)]).tolist() == np.zeros((1, 4, 5, 2)).tolist()


TEXT = """\
netgen 1
graph net {
  %a : f32[1,2,2,4] = input
  %b : f32[1,2,2,4] = input
  %y : f32[1,2,2,9] = channel_map(%a, %b) {channels="(x0[0:4]|x1[0:4])+0[1]"}
  return %y
}
"""


def test_text_form_of_graphs() -> None:
    graph, _ = parse_graph(TEXT)
    assert print_graph(graph) == TEXT
    assert graph["y"].op == REGISTRY.make("channel_map", {"channels": "(x0[0:4]|x1[0:4])+0[1]"})
    assert ChannelMap().attributes() == {"channels": "x0[0:1]"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"(x0[0:4]|x1[0:4])+0[1]"', "(1,2)", "expected a text in double quotes, found '('"),
        ('+0[1]"', "+0[1]", "unexpected character '\"'"),
        ("+0[1]", "+0[1", "%y: a channel map is malformed"),
        ("+0[1]", "", r"the type of %y is wrong, expected f32[1,2,2,8]"),
        ("x1[0:4]", "x1[1:5]", "%y: the map reads channels that x1 does not have"),
    ],
)
def test_faults_in_the_text_form(old: str, new: str, words: str) -> None:
    with pytest.raises(GraphError, match=re.escape(words)) as caught:
        parse_graph(TEXT.replace(old, new), "net.ir")
    assert str(caught.value).startswith("net.ir:5: ")
