"""Networks in a user's own file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from netgen.dsl.load import load_network
from netgen.errors import UsageError

ONE = """\
from netgen.dsl.network import network
from netgen.dsl.tensor import image
from netgen.models import mobilenet_v1
from netgen.models.mobilenet_v2 import mobilenet_v2
from netgen.ops import relu

SIZE = 4


@network
def my_network(size: int = SIZE):
    return relu(image(size, size))
"""
TWO = ONE + "\n\n@network\ndef other():\n    return image(2, 2)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_by_name(folder: Path) -> None:
    (folder / "two.py").write_text(TWO)
    assert load_network("two.py:my_network").build(size=6)["relu"].type.shape == (1, 6, 6, 3)
    assert load_network(f"{folder}/two.py:other").build().outputs == ("image",)


def test_the_only_network_needs_no_name(folder: Path) -> None:
    (folder / "one.py").write_text(ONE)
    assert load_network("one.py").name == "my_network"


def test_an_imported_network_may_be_named(folder: Path) -> None:
    (folder / "one.py").write_text(ONE)
    assert load_network("one.py:mobilenet_v2").name == "mobilenet_v2"


def test_an_empty_name_is_none(folder: Path) -> None:
    (folder / "one.py").write_text(ONE)
    assert load_network("one.py:").name == "my_network"


def test_an_alias_is_the_name(folder: Path) -> None:
    (folder / "one.py").write_text(f"{ONE}\nalias = my_network\ndel my_network\n")
    assert load_network("one.py:alias").name == "my_network"


def test_the_file_is_read_anew_and_leaves_nothing_behind(folder: Path) -> None:
    path = list(sys.path)
    for size in (4, 5):
        (folder / "one.py").write_text(ONE.replace("SIZE = 4", f"SIZE = {size}"))
        assert load_network("one.py").build()["image"].type.shape[1] == size
    assert [entry.name for entry in folder.iterdir()] == ["one.py"]
    assert sys.path == path


def test_a_file_named_like_a_loaded_module(folder: Path) -> None:
    (folder / "netgen.py").write_text("")
    (folder / "numpy.py").write_text(ONE.replace("import relu", "import relu as act, relu"))
    numpy = sys.modules["numpy"]
    assert load_network("numpy.py:my_network").build().name == "my_network"
    assert sys.modules["numpy"] is numpy


def test_two_files_of_one_name_do_not_mix(folder: Path) -> None:
    for size in (4, 5):
        (folder / str(size)).mkdir()
        (folder / str(size) / "net.py").write_text(ONE.replace("SIZE = 4", f"SIZE = {size}"))
    nets = [load_network(f"{size}/net.py") for size in (4, 5)]
    assert [net.build()["image"].type.shape[1] for net in nets] == [4, 5]


def test_a_file_may_import_its_neighbours(folder: Path) -> None:
    (folder / "nets").mkdir()
    (folder / "nets" / "netgen_test_blocks.py").write_text("WIDTH = 7\n")
    text = "from netgen_test_blocks import WIDTH\n" + ONE.replace("SIZE = 4", "SIZE = WIDTH")
    (folder / "nets" / "net.py").write_text(text)
    try:
        assert load_network("nets/net.py").build()["image"].type.shape[1] == 7
    finally:
        sys.modules.pop("netgen_test_blocks", None)


@pytest.mark.parametrize(
    ("text", "reference", "message"),
    [
        (ONE, "none.py:my_network", "none.py: there is no such file; check the path"),
        (ONE, "none.py", "none.py: there is no such file; check the path"),
        (ONE, "net.txt:x", "'net.txt:x' names no network, expected FILE.py:NAME, for example "),
        (ONE, "my_network", "'my_network' names no network, expected FILE.py:NAME"),
        (TWO, "net.py:nothing", "net.py: there is no 'nothing'; its networks: net.py:mobilenet_v1"),
        (TWO, "net.py:SIZE", "net.py: 'SIZE' is no network, expected a function decorated with @n"),
        (TWO, "net.py:relu", "net.py: 'relu' is no network"),
        (
            TWO,
            "net.py",
            "net.py: the file does not hold exactly one network, found 2; its networks: "
            "net.py:my_network, net.py:other",
        ),
        ("", "net.py", "not hold exactly one network, found 0; decorate a function of it with @ne"),
        ("", "net.py:x", "net.py: there is no 'x'; decorate a function of it with @network"),
        ("x = 1\ny = (\n", "net.py", "net.py:2: a syntax error: '(' was never closed"),
        ("x = 1\n  y = 2\n", "net.py", "net.py:2: a syntax error: unexpected indent"),
        ("x = '\\u00e4\xff\n", "net.py", "net.py:1: a syntax error: "),
        ("x = 1\n\ny = 1 / 0\n", "net.py", "net.py:3: the import failed: ZeroDivisionError: divi"),
        (
            "import no_such_module\n",
            "net.py",
            "net.py:1: the import failed: ModuleNotFoundError: N",
        ),
        ("x = 1\nexit(3)\n", "net.py", "net.py:2: the import failed: SystemExit: 3"),
        (
            "def f():\n    raise KeyError\n\nf()\n",
            "net.py",
            "net.py:2: the import failed: KeyError",
        ),
        ("raise ValueError('a\\nb')\n", "net.py", "net.py:1: the import failed: ValueError: a b"),
        ("x = 1\0\n", "net.py", "net.py"),
        (
            "from netgen.dsl.network import network\n\n@network\ndef f(x):\n    return x\n",
            "net.py",
            "net.py:3: the parameter 'x' of f cannot be set from outside",
        ),
    ],
)
def test_files_that_hold_no_such_network(
    text: str, reference: str, message: str, folder: Path
) -> None:
    (folder / "net.py").write_text(text)
    modules = set(sys.modules)
    with pytest.raises(UsageError) as caught:
        load_network(reference)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    if "import failed" in message or "syntax" in message:
        assert set(sys.modules) == modules


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "net.py").mkdir()
    with pytest.raises(UsageError, match=r"net\.py: there is no such file"):
        load_network("net.py:x")


def test_a_file_that_is_not_utf8(folder: Path) -> None:
    (folder / "net.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(UsageError, match=r"net\.py:\d+: a syntax error: "):
        load_network("net.py:x")
