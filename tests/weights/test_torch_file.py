from __future__ import annotations

import io
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netgen.errors import WeightsError
from netgen.weights.torch_file import read_torch_legacy, read_torch_zip
from tests.cases import examples

if TYPE_CHECKING:
    from tests.weights.conftest import Writer

READERS: dict[str, Callable[[bytes, str], dict[str, npt.NDArray[np.generic]]]] = {
    "zip": read_torch_zip,
    "legacy": read_torch_legacy,
}
both_forms = pytest.mark.parametrize("form", READERS)

WEIGHT = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 7
COUNTER = np.array(5, dtype=np.int64)
FUZZ = settings(examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def small(writer: Writer) -> dict[str, bytes]:
    """A checkpoint as training code saves it, in both forms."""
    state = OrderedDict({"module.w": WEIGHT, "module.n": COUNTER})
    root = {"epoch": 3, "best": 0.5, "log": [1, None, True], "state_dict": state}
    opcodes = writer.encode(root)
    return {form: writer.form(form, opcodes) for form in READERS}


def read(form: str, content: bytes) -> dict[str, npt.NDArray[np.generic]]:
    return READERS[form](content, "f.pth")


def refusal(form: str, content: bytes) -> str:
    with pytest.raises(WeightsError) as caught:
        read(form, content)
    message = str(caught.value)
    assert message.startswith("f.pth: ")
    assert "\n" not in message
    return message


def read_or_refuse(form: str, content: bytes) -> None:
    """Read damaged content: any error but WeightsError fails the test."""
    message = ""
    try:
        arrays = read(form, content)
    except WeightsError as error:
        message = str(error)
    else:
        assert all(isinstance(array, np.ndarray) for array in arrays.values())
    assert "\n" not in message


@both_forms
def test_reads_names_values_and_order(form: str, small: dict[str, bytes]) -> None:
    arrays = read(form, small[form])
    assert list(arrays) == ["w", "n"]
    np.testing.assert_array_equal(arrays["w"], WEIGHT)
    assert arrays["w"].dtype == np.float32
    assert arrays["n"].dtype == np.int64
    assert arrays["n"].shape == ()
    assert arrays["n"] == 5
    assert not arrays["w"].flags.writeable


@both_forms
@pytest.mark.parametrize(
    ("stored", "read_as"),
    [
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float32"),
        ("int64", "int64"),
        ("int32", "int32"),
        ("int16", "int16"),
        ("int8", "int8"),
        ("uint8", "uint8"),
        ("bool", "bool"),
    ],
)
def test_element_types(form: str, stored: str, read_as: str, writer: Writer) -> None:
    values = np.array([[0, 1, 100], [3, 0, 77]]).astype(stored)
    (array,) = read(form, writer.form(form, {"a": values})).values()
    assert array.dtype == np.dtype(read_as)
    np.testing.assert_array_equal(array, values)


@both_forms
def test_bfloat16_is_the_upper_half_of_float32(form: str, writer: Writer) -> None:
    raw = struct.pack("<4H", 0x3F80, 0xC000, 0x7F80, 0x0001)
    storage = writer.storage("BFloat16Storage", writer.raw_storage(4, raw), 4)
    (array,) = read(form, writer.form(form, {"a": writer.view(storage, 0, (4,), (1,))})).values()
    assert array.dtype == np.float32
    assert array.tolist() == [1.0, -2.0, np.inf, 2.0**-133]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_big_endian_entry(dtype: str, writer: Writer) -> None:
    values = np.array([1, 2, 258]).astype(dtype)
    content = writer.zip({"a": writer.tensor(values, big=True)}, byteorder=b"big")
    (array,) = read("zip", content).values()
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, values)


def test_no_byteorder_entry_means_little_endian(writer: Writer) -> None:
    (array,) = read("zip", writer.zip({"a": WEIGHT}, byteorder=None)).values()
    np.testing.assert_array_equal(array, WEIGHT)


def test_unknown_byteorder(writer: Writer) -> None:
    assert "damaged" in refusal("zip", writer.zip({"a": WEIGHT}, byteorder=b"middle"))


@both_forms
def test_strided_views_share_a_storage(form: str, writer: Writer) -> None:
    flat = np.arange(12, dtype=np.float32)
    storage = writer.storage("FloatStorage", writer.raw_storage(12, flat.tobytes()), 12)
    transposed = writer.view(storage, 0, (4, 3), (1, 4))
    # A dimension of one element may have any stride.
    part = writer.view(storage, 5, (1, 3), (10**30, 2))
    empty = writer.view(storage, 12, (0, 7), (7, 1))
    root = {"t": transposed, "p": part, "e": empty}
    arrays = read(form, writer.form(form, root))
    np.testing.assert_array_equal(arrays["t"], flat.reshape(3, 4).T)
    assert arrays["p"].tolist() == [[5, 7, 9]]
    assert arrays["e"].shape == (0, 7)
    assert np.shares_memory(arrays["t"], arrays["p"])


@both_forms
@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (7,), (1,)),
        (1, (6,), (1,)),
        (7, (0,), (1,)),
        (0, (2, 3), (4, 1)),
        (0, (2,), (6,)),
        (0, (2,), (2**62,)),
        (-1, (2,), (1,)),
        (3, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (-2, -3), (3, 1)),
        (0, (7,), (0,)),
        (0, (10**6, 10**6), (0, 0)),
        (0, (2**31, 0, 2**31), (0, 0, 0)),
        (0, (1,) * 40, (1,) * 40),
        (0, (2, 3), (1,)),
        (0, (2.0,), (1,)),
        (0, (True,), (1,)),
        (0, [2], [1]),
        (None, (2,), (1,)),
        (2**100, (2,), (1,)),
        (0, "ab", "cd"),
    ],
)
def test_views_outside_their_storage(
    form: str, offset: object, shape: object, strides: object, writer: Writer
) -> None:
    key = writer.raw_storage(6, bytes(24))
    tensor = writer.view(writer.storage("FloatStorage", key, 6), offset, shape, strides)
    assert "damaged or incomplete: a tensor of storage 0" in refusal(
        form, writer.form(form, {"a": tensor})
    )


def test_an_expanded_tensor_is_told_what_to_do(writer: Writer) -> None:
    key = writer.raw_storage(1, bytes(4))
    tensor = writer.view(writer.storage("FloatStorage", key, 1), 0, (9,), (0,))
    assert "call .contiguous() before saving" in refusal("zip", writer.zip({"a": tensor}))


@both_forms
@pytest.mark.parametrize("count", [5, 7, -1, 2**62, 2**120, 6.0, None, True])
def test_storage_of_another_size_than_stated(form: str, count: object, writer: Writer) -> None:
    storage = writer.storage("FloatStorage", writer.raw_storage(6, bytes(24)), count)
    root = {"a": writer.view(storage, 0, (1,), (1,))}
    assert "damaged" in refusal(form, writer.form(form, root))


@both_forms
@pytest.mark.parametrize("kind", ["DoubleStorage", "HalfStorage"])
def test_storage_of_two_types(form: str, kind: str, writer: Writer) -> None:
    key = writer.raw_storage(6, bytes(24))
    root = {
        "a": writer.view(writer.storage("FloatStorage", key, 6), 0, (6,), (1,)),
        "b": writer.view(writer.storage(kind, key, 6), 0, (6,), (1,)),
    }
    assert "two types" in refusal(form, writer.form(form, root))


@both_forms
def test_every_truncation_is_one_error(form: str, small: dict[str, bytes]) -> None:
    for length in range(len(small[form])):
        refusal(form, small[form][:length])


@both_forms
@FUZZ
@given(data=st.data())
def test_damage_is_read_or_refused(form: str, small: dict[str, bytes], data: st.DataObject) -> None:
    content = bytearray(small[form])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(form, bytes(content))


@both_forms
@FUZZ
@given(data=st.data())
def test_damaged_pickle_with_a_good_checksum(
    form: str, data: st.DataObject, small: dict[str, bytes], writer: Writer
) -> None:
    with zipfile.ZipFile(io.BytesIO(small["zip"])) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    opcodes = bytearray(entries["archive/data.pkl"][2:-1])
    for _ in range(data.draw(st.integers(1, 3))):
        opcodes[data.draw(st.integers(0, len(opcodes) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(form, writer.form(form, bytes(opcodes)))


def test_missing_storage_entry(writer: Writer) -> None:
    opcodes = writer.encode({"a": WEIGHT})
    writer.storages.clear()
    assert "data/0" in refusal("zip", writer.zip(opcodes))
    assert "list of storages" in refusal("legacy", writer.legacy(opcodes))


def repack(content: bytes, compression: int = zipfile.ZIP_STORED, **extra: bytes) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", compression) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, text in extra.items():
            new.writestr(f"{name}.pkl".replace("_", "/"), text)
    return stream.getvalue()


def test_compressed_entries_cannot_be_bombs(small: dict[str, bytes]) -> None:
    assert "is compressed" in refusal("zip", repack(small["zip"], zipfile.ZIP_DEFLATED))


def test_overlapping_entries_cannot_be_bombs(small: dict[str, bytes]) -> None:
    content = bytearray(small["zip"])
    directory = content.index(b"PK\x01\x02")
    # The sizes of the first entry in the central directory.
    content[directory + 20 : directory + 28] = struct.pack("<2I", 10**9, 10**9)
    assert "larger than the file" in refusal("zip", bytes(content))


def test_encrypted_entry(small: dict[str, bytes]) -> None:
    content = bytearray(small["zip"])
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal("zip", bytes(content))


def test_wrong_checksum(small: dict[str, bytes]) -> None:
    content = bytearray(small["zip"])
    content[content.index(WEIGHT.tobytes()) + 3] ^= 1
    assert "Bad CRC-32" in refusal("zip", bytes(content))


def test_two_pickles(small: dict[str, bytes]) -> None:
    assert "2 entries named data.pkl" in refusal("zip", repack(small["zip"], b_data=b"\x80\x02}."))


def test_torchscript_is_named(small: dict[str, bytes]) -> None:
    content = repack(small["zip"], archive_constants=b"")
    assert "TorchScript" in refusal("zip", content)


def test_a_pickle_that_torch_did_not_write() -> None:
    assert "not one that torch.save wrote" in refusal("legacy", b"\x80\x02}.")


def test_unknown_version_of_the_legacy_form(small: dict[str, bytes]) -> None:
    content = small["legacy"].replace(b"M\xe9\x03.", b"M\xea\x03.")
    assert "version is not 1001" in refusal("legacy", content)


def test_bytes_after_the_last_storage(small: dict[str, bytes]) -> None:
    assert "after the last storage" in refusal("legacy", small["legacy"] + b"\0")


def test_list_of_storages_names_one_twice(writer: Writer) -> None:
    content = writer.legacy({"a": WEIGHT})
    once = b"](" + writer.encode("0") + b"e."
    twice = b"](" + writer.encode("0") * 2 + b"e."
    assert content.count(once) == 1
    assert "list of storages" in refusal("legacy", content.replace(once, twice))


@pytest.mark.parametrize("count", [0, 23, 25, -1, 2**62, -(2**62)])
def test_legacy_storage_of_another_size_than_its_count(count: int, writer: Writer) -> None:
    opcodes = writer.encode({"a": WEIGHT})
    writer.storages["0"] = (count, WEIGHT.tobytes())
    assert "storage 0 has two sizes" in refusal("legacy", writer.legacy(opcodes))
