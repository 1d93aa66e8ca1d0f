"""Errors of a network name the file and line of its author."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.dsl.load import load_network
from netgen.errors import GraphError

HEAD = """\
from netgen.dsl.network import network
from netgen.dsl.tensor import image, scope
from netgen.ops import *


@network
def my_network(size: int = 8):
    x = image(size, size)
"""


# The faulty line, or several, the last of which is at fault; words of the message.
FAULTS = [
    (
        "y = image(0, 3)",
        "an input needs at least one pixel and one channel, found height 0, width 3",
    ),
    ("y = image(10**5, 10**5)", "a value of the shape [1, 100000, 100000, 3] is too large"),
    ("y = conv2d(x, 0)", "%conv2d.w: the shape [0, 1, 1, 3] has an empty dimension"),
    (
        "y = conv2d(x, 4, 0)",
        "kernel must be one or two whole numbers, expected at least 1 and at most 2147483647, "
        "found 0",
    ),
    ("y = conv2d(x, 4, (3, 3, 3))", "kernel must be one or two whole numbers"),
    ("y = conv2d(x, 4, 3, stride=0)", "stride must be one or two whole numbers"),
    ("y = conv2d(x, 4, 3, pad=-1)", "pad must be one number or (top, bottom, left, right)"),
    ("y = conv2d(x, 4, 3, groups=0)", "groups must be positive, found 0"),
    ("y = conv2d(x, 4, 3, groups=2)", "%conv2d: 3 to 4 channels cannot be split into 2 groups"),
    ("y = conv2d(x, 4, 9)", "%conv2d: the kernel is 9 high and does not fit, expected at least 9"),
    ("y = depthwise_conv2d(x, 9)", "%depthwise_conv2d: the kernel is 9 high and does not fit"),
    ("y = depthwise_conv2d(x, 0)", "kernel must be one or two whole numbers"),
    ("y = depthwise_conv2d(x, multiplier=0)", "the shape [0, 3, 3, 1] has an empty dimension"),
    ("y = linear(x, 10)", "%linear: x must have 2 dimensions, found f32[1,8,8,3]"),
    (
        "y = conv2d(flatten(x), 3)",
        "%reshape is no image, expected the dimensions N, H, W, C, found",
    ),
    ("y = global_avg_pool(flatten(x))", "%global_avg_pool: x must have 4 dimensions"),
    ("y = pad(x, (1, 2))", "pad must be one number or (top, bottom, left, right)"),
    ("y = pad(flatten(x), 1)", "%pad: x must have 4 dimensions"),
    ("y = batch_norm(x, eps=-1.0)", "eps must be finite and not negative, found -1.0"),
    ("y = batch_norm(x, eps=float('nan'))", "eps must be finite and not negative, found nan"),
    ("y = reshape(x, (1, 5))", "%reshape: f32[1,8,8,3] cannot be reshaped to [1, 5]"),
    ("y = add(x, conv2d(x, 4))", "%add: the second operand has the wrong shape"),
    ("y = x + conv2d(x, 4)", "%add: the second operand has the wrong shape"),
    ("y = relu(x, name='a b')", "'a b' cannot name a value"),
    ("with scope('a b'): pass", "'a b' cannot name a scope, expected letters, digits"),
    ("with scope(''): pass", "'' cannot name a scope"),
    ("with scope('größe'): pass", r"'gr\xf6\xdfe' cannot name a scope"),
    ("with scope('a'):\n        y = conv2d(x, 4, 9)", "%a.conv2d: the kernel is 9 high"),
    (
        "for i in range(9):\n        x = conv2d(x, 4, 3, stride=2)",
        "%conv2d_3: the kernel is 3 high",
    ),
    ("y = 1 // (size - 8)", "the network my_network failed: ZeroDivisionError: integer division"),
    ("y = x.no_such_thing", "failed: AttributeError: 'Tensor' object has no attribute"),
    (
        "y = conv2d(x, 'wide')",
        "%conv2d.w: a shape must be whole numbers, found ('wide', 1, 1, 3)",
    ),
    ("y = conv2d(x, 4.5)", "%conv2d.w: a shape must be whole numbers, found (4.5, 1, 1, 3)"),
    ("y = image(8.5, 8)", "a shape must be whole numbers, found (1, 8.5, 8, 3)"),
    ("y = conv2d(x, 4, 1.0)", "kernel must be one or two whole numbers"),
    ("y = conv2d(x, 4, 3, stride=1.5)", "stride must be one or two whole numbers, expected at"),
    ("y = conv2d(x, 4, 3, stride=(1, '2'))", "2147483647, found (1, '2')"),
    ("y = conv2d(x, 4, 3, pad='full')", "(top, bottom, left, right), expected at least 0 and at"),
    ("y = max_pool2d(x, 2, pad=0.5)", "pad must be one number or (top, bottom, left, right)"),
    (
        "y = conv2d(x, 4, groups=1.5)",
        "the attribute 'groups' of conv2d is ill-typed, expected an integer, found 1.5",
    ),
    ("y = channel_shuffle(x, True)", "'groups' of channel_shuffle is ill-typed, expected an int"),
    (
        "y = quantize(x, 0.1, 2.5)",
        "the attribute 'zero' of quantize is ill-typed, expected an integer, found 2.5",
    ),
    ("y = quantize(x, 0.1, dtype=8)", "'dtype' of quantize is ill-typed, expected a name, found 8"),
    ("y = quantize(x, 'a')", "this is no scale, expected a positive float32, found 'a'"),
    ("y = quantize(x, 1e39)", "this is no scale, expected a positive float32, found 1e+39"),
    ("y = quantize(x, 10**400)", "this is no scale, expected a positive float32, found 1000"),
    ("y = global_avg_pool(x, 1e39)", "this is no scale, expected a positive float32, found 1e+39"),
    ("y = global_avg_pool(x, None, 5)", "a zero point without a scale, expected both, or neither"),
    (
        "y = batch_norm(x, eps='small')",
        "the attribute 'eps' of batch_norm is ill-typed, expected a number, found 'small'",
    ),
    ("y = leaky_relu(x, alpha=10**400)", "'alpha' of leaky_relu is ill-typed, expected a number"),
    (
        "y = reshape(x, (1, 19.2))",
        "'shape' of reshape is ill-typed, expected a tuple of integers, found (1, 19.2)",
    ),
    ("y = reshape(x, 192)", "'shape' of reshape is ill-typed, expected a tuple of integers, found"),
    ("y = x + 3", "%add: an operand is no tensor, found int"),
    ("y = relu(my_network)", "%relu: an operand is no tensor, found Network"),
]


def write(folder: Path, body: str) -> Path:
    path = folder / "my_net.py"
    path.write_text(HEAD + body)
    return path


@pytest.mark.parametrize(("statement", "words"), FAULTS)
def test_the_authors_line_is_named(statement: str, words: str, tmp_path: Path) -> None:
    write(tmp_path, f"    {statement}\n    return x\n")
    line = HEAD.count("\n") + statement.count("\n") + 1
    with pytest.raises(GraphError) as caught:
        load_network(f"{tmp_path}/my_net.py").build()
    message = str(caught.value)
    assert message.startswith(f"my_net.py:{line}: ")
    assert message.count("my_net.py") == 1
    assert words in message
    assert "\n" not in message


def test_a_block_function_names_the_line_inside_it(tmp_path: Path) -> None:
    body = (
        "    return block(x, 3)\n\n\ndef block(x, kernel):\n    return conv2d(x, 4, 3 * kernel)\n"
    )
    write(tmp_path, body)
    with pytest.raises(GraphError, match=r"^my_net\.py:13: %conv2d: the kernel is 9 high"):
        load_network(f"{tmp_path}/my_net.py").build()


@pytest.mark.parametrize(
    ("result", "found"),
    [("None", "NoneType"), ("[x]", "list"), ("()", "tuple"), ("(x, 3)", "tuple"), ("3", "int")],
)
def test_a_network_that_returns_no_tensor(result: str, found: str, tmp_path: Path) -> None:
    write(tmp_path, f"    return {result}\n")
    with pytest.raises(GraphError) as caught:
        load_network(f"{tmp_path}/my_net.py").build()
    assert str(caught.value) == (
        "my_net.py:6: the network my_network must return a tensor or a tuple of tensors, "
        f"found {found}"
    )


def test_a_value_remembers_its_line(tmp_path: Path) -> None:
    write(tmp_path, "    with scope('a'):\n        y = conv2d(x, 4)\n    return x + relu(x), y\n")
    graph = load_network(f"{tmp_path}/my_net.py").build()
    lines = {node.name: str(node.source) for node in graph.nodes}
    assert lines == {
        "image": "my_net.py:8",
        "a.conv2d": "my_net.py:10",
        "a.conv2d.w": "my_net.py:10",
        "a.conv2d.b": "my_net.py:10",
        "relu": "my_net.py:11",
        "add": "my_net.py:11",
    }
