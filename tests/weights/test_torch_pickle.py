"""Operations that a pickle may not use are refused, and have had no effect."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from netgen.errors import WeightsError
from netgen.weights.read import read_weights
from netgen.weights.torch_objects import Tensor
from netgen.weights.torch_pickle import load_pickle

if TYPE_CHECKING:
    from tests.weights.conftest import Writer


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def touch(marker: Path) -> bytes:
    return text(f": > {marker}")


def build_on(opcodes: bytes, command: bytes) -> bytes:
    """BUILD with a state whose attributes would later be called."""
    state = b"}" + text("__setstate__") + b"cos\nsystem\ns"
    return opcodes + state + b"b" + command + b"b"


# Each takes the opcodes that push a shell command, and runs it where nothing hinders.
ATTACKS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "reduce": (lambda c: b"cos\nsystem\n" + c + b"\x85R", "os.system"),
    "posix": (lambda c: b"cposix\nsystem\n" + c + b"\x85R", "posix.system"),
    "nested in a dict": (
        lambda c: b"}" + text("state_dict") + b"cos\nsystem\n" + c + b"\x85Rs",
        "os.system",
    ),
    "stack global": (lambda c: text("os") + text("system") + b"\x93" + c + b"\x85R", "os.system"),
    "inst": (lambda c: b"(" + c + b"ios\nsystem\n", "os.system"),
    "obj": (lambda c: b"(csubprocess\nPopen\n" + c + b"o", "subprocess.Popen"),
    "newobj": (lambda c: b"csubprocess\nPopen\n" + c + b"\x85\x81", "subprocess.Popen"),
    "newobj_ex": (lambda c: b"csubprocess\nPopen\n" + c + b"\x85}\x92", "subprocess.Popen"),
    "copyreg": (lambda c: b"ccopyreg\n_reconstructor\n" + c + b"\x85R", "copyreg._reconstructor"),
    "build": (lambda c: build_on(b"ccollections\nOrderedDict\n)R", c), "os.system"),
    "eval": (lambda c: b"cbuiltins\neval\n" + c + b"\x85R", "builtins.eval"),
    "python 2's eval": (lambda c: b"c__builtin__\neval\n" + c + b"\x85R", "__builtin__.eval"),
    "a dotted name": (
        lambda c: text("collections") + text("OrderedDict.__init__.__globals__") + b"\x93" + c,
        "collections.OrderedDict.__init__.__globals__",
    ),
    "an alias in torch": (lambda c: b"ctorch._utils\nsys\n" + c + b"\x85R", "torch._utils.sys"),
    "a function named as a storage": (
        lambda c: b"cos\nsystem.Storage\n" + c + b"\x85R",
        "os.system.Storage",
    ),
    "extension": (lambda c: b"\x82\x01" + c + b"\x85R", "EXT1"),
    "protocol 0 persistent id": (lambda c: b"Pstorage\n" + c, "PERSID"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_nothing_runs(attack: str, form: str, tmp_path: Path, writer: Writer) -> None:
    marker = tmp_path / "ran"
    make, named = ATTACKS[attack]
    opcodes = make(touch(marker))
    bare = b"\x80\x02" + opcodes + b"."
    path = tmp_path / "evil.pth"
    path.write_bytes(bare if form == "bare" else writer.form(form, opcodes))
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: refused: the file ")
    assert named in message
    assert "\n" not in message
    assert "save model.state_dict() alone" in message
    assert not marker.exists()


@pytest.mark.parametrize("attack", ["reduce", "posix", "stack global", "inst", "build"])
def test_the_attacks_are_real(attack: str, tmp_path: Path) -> None:
    """Python's own unpickler does run them: the refusals above are not of harmless files."""
    marker = tmp_path / "ran"
    opcodes = ATTACKS[attack][0](touch(marker))
    pickle.loads(b"\x80\x02" + opcodes + b".")
    assert marker.exists()


def test_an_object_that_pickles_itself_as_a_call(tmp_path: Path, writer: Writer) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    for protocol in range(2, 6):
        path = tmp_path / "evil.pt"
        path.write_bytes(writer.zip(pickle.dumps({"w": Evil()}, protocol)[:-1]))
        with pytest.raises(WeightsError, match=r"wants to call (builtins|__builtin__)\.eval"):
            read_weights(path)
    assert not (tmp_path / "ran").exists()


def load(opcodes: bytes) -> object:
    return load_pickle(io.BytesIO(b"\x80\x02" + opcodes + b"."), "f.pth")[0]


ORDERED = b"ccollections\nOrderedDict\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
FLOATS = b"ctorch\nFloatStorage\n"


@pytest.mark.parametrize(
    "target",
    [b"}", b"]", b"N", ORDERED, REBUILD, FLOATS, text("t")],
    ids=["dict", "list", "None", "OrderedDict", "function", "storage type", "str"],
)
def test_only_a_state_dict_takes_attributes(target: bytes) -> None:
    with pytest.raises(WeightsError, match="sets attributes"):
        load(target + b"}" + text("__code__") + b"Nsb")


def test_a_state_dict_s_attributes_are_dropped(writer: Writer) -> None:
    state = writer.encode(OrderedDict({"a": 1})) + b"}" + text("_metadata") + b"}s" + b"b"
    result = load(state)
    assert result == {"a": 1}
    assert vars(result) == {}


@pytest.mark.parametrize(
    "arguments",
    [b"K\x05\x85", b"}\x85", b"]]\x86", text("ab") + b"\x85", b"]K\x01a\x85", b"])a\x85", b"]"],
)
def test_ordered_dict_of_odd_arguments(arguments: bytes) -> None:
    with pytest.raises(ValueError, match=r"OrderedDict|call of something"):
        load(ORDERED + arguments + b"R")


def test_ordered_dict_of_pairs_from_python_2() -> None:
    pair = b"](U\x01aK\x07e"
    assert load(ORDERED + b"](" + pair + b"e\x85R") == OrderedDict({"a": 7})


def test_keys_cannot_be_nests_of_tuples() -> None:
    nest = b")" + b"\x85" * 100_000
    for opcodes in (b"}" + nest + b"Ns", ORDERED + b"](" + nest + b"N\x86e\x85R"):
        with pytest.raises(ValueError, match="neither text nor number"):
            load(opcodes)


def test_deep_nesting_is_no_recursion() -> None:
    depth = 100_000
    value = load(b"]" * depth + b"a" * (depth - 1))
    for _ in range(depth - 1):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


def test_a_list_that_holds_itself() -> None:
    value = load(b"]q\x00h\x00a")
    assert isinstance(value, list)
    assert value[0] is value


def test_a_memo_index_costs_no_memory() -> None:
    assert load(b"}r\xff\xff\xff\xffj\xff\xff\xff\xff0") == {}


def test_millions_of_operations_are_refused() -> None:
    with pytest.raises(WeightsError, match="millions of operations"):
        load(b"N0" * 2_000_001)


@pytest.mark.parametrize(
    "opcodes",
    [
        b"\x8d" + struct.pack("<Q", 2**62) + b"a",
        b"\x8d" + struct.pack("<Q", 2**64 - 1) + b"a",
        b"\x8e" + struct.pack("<Q", 2**62) + b"a",
        b"X\xff\xff\xff\xffa",
        b"\x8b\xff\xff\xff\x7f\x01",
        b"\x8b\xff\xff\xff\xff\x01",
        b"\x8a\x20" + b"\x11" * 32,
        b"\x8b\x00\x00\x01\x00" + b"\x11" * 65536,
        b"X\x02\x00\x00\x00\xff\xfe",
        b"c\xff\xff\nx\n",
        b"cos",
    ],
)
def test_arguments_that_lie_about_their_size_or_text(opcodes: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(opcodes)


@pytest.mark.parametrize(
    "opcodes",
    [
        *(b"0", b"2", b"1", b"\x85", b"\x86", b"K\x01\x87", b"t", b"a", b"e", b"s", b"u", b"R"),
        *(b"b", b"Q", b"q\x00", b"\x94", b"h\x05", b"\x93", b"(", b"NN", b"K\x01K\x02a"),
        *(b"K\x01(K\x02e", b"](NNu", b"}(Nu", b"K\x01)R", ORDERED + b"NR", b"NN\x93", b"\xff"),
        *(b"N(K\x010Q", b"(0"),
    ],
)
def test_operations_without_their_operands(opcodes: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(opcodes)


@pytest.mark.parametrize(
    "identity",
    [
        *(("storage",), (), 5, "storage", ("module", FLOATS, "0", "cpu", 4)),
        *(("storage", FLOATS, "0", "cpu", 4, 5, 6), ("storage", "FloatStorage", "0", "cpu", 4)),
        *(("storage", FLOATS, 0, "cpu", 4), ("storage", FLOATS, "0", "cpu", "4")),
        *(("storage", FLOATS, "0", "cpu", 4, ("1", 0, 2)), (["storage"], FLOATS, "0", "cpu", 4)),
    ],
)
def test_persistent_ids_of_another_form(identity: object, writer: Writer) -> None:
    with pytest.raises(ValueError, match="storage"):
        load(writer.encode(identity) + b"Q")


def test_tensor_of_the_oldest_form_and_parameter(writer: Writer) -> None:
    storage = writer.storage("FloatStorage", "0", 4, legacy=True)
    oldest = writer.call("torch._utils", "_rebuild_tensor", storage, 0, (2, 2), (2, 1))
    parameter = writer.call(
        "torch._utils", "_rebuild_parameter", oldest, True, OrderedDict[str, object]()
    )
    tensor = load(parameter)
    assert isinstance(tensor, Tensor)
    assert tensor.shape == (2, 2)
    assert tensor.storage.element == "F32"


def test_tensors_that_are_not(writer: Writer) -> None:
    storage = writer.storage("FloatStorage", "0", 4)
    good = (storage, 0, (4,), (1,), False, OrderedDict[str, object]())
    rebuild = "_rebuild_tensor_v2"
    assert isinstance(load(writer.call("torch._utils", rebuild, *good, {})), Tensor)
    odd: list[tuple[object, ...]] = [
        good[:5],
        (*good, {}, None),
        (*good, {"neg": True}),
        ("x", *good[1:]),
        (),
    ]
    for arguments in odd:
        with pytest.raises(ValueError, match="tensor"):
            load(writer.call("torch._utils", rebuild, *arguments))
    with pytest.raises(ValueError, match="parameter"):
        load(writer.call("torch._utils", "_rebuild_parameter", storage, True, {}))


def test_plain_metadata(writer: Writer) -> None:
    size = writer.call("torch", "Size", (1, 2))
    device = writer.call("torch", "device", "cuda", 1)
    root = {"size": size, "device": device, "f": -0.5, "i": -3, "big": 2**70, "n": None, "t": (1,)}
    result = load(writer.encode(root))
    expected = {"size": (1, 2), "device": ("cuda", 1), "f": -0.5, "i": -3, "big": 2**70}
    assert result == expected | {"n": None, "t": (1,)}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_agrees_with_pickle_on_plain_containers(protocol: int) -> None:
    shared = ["ä", "x" * 300, 1, 255, 65536, -1, 2**40, 1.5, True, False, None, (), (1,), (1, 2)]
    value = {"a": shared, "b": shared, "c": {1: {}, "o": OrderedDict(z=1, y=[])}, "d": (1, 2, 3, 4)}
    if protocol > 2:
        value["raw"] = [b"abc", b"x" * 300]
    stream = io.BytesIO(pickle.dumps(value, protocol) + b"rest")
    result, storages = load_pickle(stream, "f.pth")
    assert result == value
    assert storages == {}
    assert isinstance(result, dict)
    assert result["a"] is result["b"]
    assert stream.read() == b"rest"


def test_numpy_arrays_are_not_tensors() -> None:
    with pytest.raises(WeightsError, match=r"wants to call numpy\.[\w.]+"):
        load(pickle.dumps({"w": np.zeros(3)}, 2)[2:-1])


def test_names_are_shown_on_one_line() -> None:
    with pytest.raises(WeightsError) as caught:
        load(text("os\n\x1b[31m") + text("system" * 100) + b"\x93")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 600
