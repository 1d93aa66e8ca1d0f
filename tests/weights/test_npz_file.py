from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import WeightsError
from netgen.weights.npz_file import read_npz
from tests.cases import examples


def savez(
    arrays: dict[str, npt.NDArray[np.generic]], save: Callable[..., None] = np.savez
) -> bytes:
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


def zipped(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(header: str, content: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


GOOD = savez({"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(2, np.int64)})


def refusal(content: bytes) -> str:
    with pytest.raises(WeightsError) as caught:
        read_npz(content, "f.npz")
    message = str(caught.value)
    assert message.startswith("f.npz: the npz file cannot be read: ")
    assert "\n" not in message
    assert "save it again with numpy.savez" in message
    return message


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_names_values_and_order(save: Callable[..., None]) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    stored: dict[str, npt.NDArray[np.generic]] = {
        "z": values,
        "fortran": np.asfortranarray(values),
        "big": values.astype(">f4"),
        "half": values.astype(np.float16),
        "double": values.astype(np.float64),
        "count": np.array(5),
        "empty": np.zeros((0, 3), np.float32),
    }
    arrays = read_npz(savez(stored, save), "f")
    assert list(arrays) == list(stored)
    for name in ("z", "fortran", "big", "half"):
        assert arrays[name].dtype == np.float32
    for name in ("z", "fortran", "big", "half", "double"):
        np.testing.assert_array_equal(arrays[name], values)
    for array in arrays.values():
        assert array.dtype.isnative
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    assert arrays["double"].dtype == np.float64
    assert arrays["count"].shape == ()
    assert arrays["empty"].shape == (0, 3)


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    content = savez({"w": np.array([Evil()], dtype=object)})
    assert "Object arrays cannot be loaded" in refusal(content)
    refusal(zipped({"w.npy": pickle.dumps(Evil())}))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "array",
    [np.array(["text"]), np.array([1j]), np.array([b"x"]), np.zeros(1, [("a", "f4")])],
)
def test_arrays_of_other_things_than_numbers(array: npt.NDArray[np.generic]) -> None:
    message = refusal(savez({"w": array}))
    assert f"w is not an array of real numbers, but {array.dtype}; save it" in message


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n"


@pytest.mark.parametrize(
    "entries",
    [
        {"w.npy": npy(HEADER % "(3,)", bytes(8))},
        {"w.npy": npy(HEADER % "(10**9,)", bytes(8))},
        {"w.npy": npy(HEADER % f"({2**40},)", bytes(8))},
        {"w.npy": npy(HEADER % f"({2**62}, {2**62})", bytes(8))},
        {"w.npy": npy(HEADER % f"(0, {2**40})", b"")},
        {"w.npy": npy(HEADER % "(-1,)", bytes(8))},
        {"w.npy": npy("(" * 500, b"")},
        {"w.npy": b"\x93NUMPY\x09\x00"},
        {"w.npy": b"no array"},
        {"w.npy": b""},
        {"w.npy": npy(HEADER % "(1,)", bytes(4)), "w": npy(HEADER % "(1,)", bytes(4))},
    ],
)
def test_damaged_entries(entries: dict[str, bytes]) -> None:
    refusal(zipped(entries))


def test_an_array_written_by_python_2() -> None:
    content = zipped({"w.npy": npy(HEADER % "(2L,)", struct.pack("<2f", 1, 2))})
    assert read_npz(content, "f")["w"].tolist() == [1, 2]


def test_claimed_sizes_are_limited() -> None:
    content = bytearray(GOOD)
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = b"\xf0\xff\xff\xff"
    assert "it unpacks to 4294967" in refusal(bytes(content))


def test_every_truncation_is_one_error() -> None:
    for length in range(len(GOOD)):
        refusal(GOOD[:length])


@examples(500)
@given(data=st.data())
def test_damage_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    message = ""
    try:
        read_npz(bytes(content), "f")
    except WeightsError as error:
        message = str(error)
    assert "\n" not in message
