from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from netgen.errors import WeightsError
from netgen.weights.safetensors_file import read_safetensors
from tests.cases import examples


def entry(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def pack(header: object, content: bytes, size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + content


GOOD = save({"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(2, np.int64)})


def refusal(content: bytes) -> str:
    with pytest.raises(WeightsError) as caught:
        read_safetensors(content, "f.safetensors")
    message = str(caught.value)
    assert message.startswith("f.safetensors: ")
    assert "\n" not in message
    assert ";" in message, "no hint"
    return message


@pytest.mark.parametrize(
    ("stored", "read_as"),
    [("float64", "float64"), ("float32", "float32"), ("float16", "float32"), ("int64", "int64")]
    + [(name, name) for name in ("int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8")]
    + [("bool", "bool")],
)
def test_element_types(stored: str, read_as: str) -> None:
    values = np.array([[0, 1, 100], [3, 0, 77]]).astype(stored)
    arrays, licence = read_safetensors(save({"w": values}), "f")
    assert licence is None
    assert arrays["w"].dtype == np.dtype(read_as)
    np.testing.assert_array_equal(arrays["w"], values)


def test_bfloat16() -> None:
    raw = struct.pack("<4H", 0x3F80, 0xC000, 0x7F80, 0x0001)
    arrays, _ = read_safetensors(pack({"w": entry(0, 8, [2, 2], "BF16")}, raw), "f")
    assert arrays["w"].dtype == np.float32
    assert arrays["w"].tolist() == [[1.0, -2.0], [np.inf, 2.0**-133]]


def test_order_is_the_header_s() -> None:
    names = [f"t{i * 7 % 20}" for i in range(20)]
    header = {name: entry(4 * i, 4 * i + 4, [1]) for i, name in enumerate(names)}
    arrays, _ = read_safetensors(pack(header, np.arange(20, dtype="<f4").tobytes()), "f")
    assert list(arrays) == names
    assert [float(a[0]) for a in arrays.values()] == list(range(20))


def test_scalars_and_empty_tensors() -> None:
    header = {"s": entry(0, 4, []), "e": entry(4, 4, [0, 3])}
    arrays, _ = read_safetensors(pack(header, struct.pack("<f", 2.5)), "f")
    assert arrays["s"].shape == ()
    assert arrays["s"] == 2.5
    assert arrays["e"].shape == (0, 3)


ONE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    "content",
    [
        pack({"a": entry(0, 4, [1])}, bytes(4), size=2**63),
        pack({"a": entry(0, 4, [1])}, bytes(4), size=5000),
        pack({"a": entry(0, 4, [1])}, bytes(3)),
        pack({"a": entry(0, 4, [1])}, bytes(5)),
        pack({"a": entry(0, 4, [1]), "b": entry(0, 4, [1])}, bytes(4)),
        pack({"a": entry(0, 4, [1]), "b": entry(2, 6, [1])}, bytes(6)),
        pack({"a": entry(0, 4, [1]), "b": entry(8, 12, [1])}, bytes(12)),
        pack({"a": entry(4, 0, [1])}, bytes(4)),
        pack({"a": entry(-4, 0, [1])}, bytes(4)),
        pack({"a": entry(0, 4, [2])}, bytes(4)),
        pack({"a": entry(0, 4, [-1])}, bytes(4)),
        pack({"a": entry(0, 4, [2**40, 2**40])}, bytes(4)),
        pack({"a": entry(0, 4, [1], "F31")}, bytes(4)),
        pack(ONE + b',"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
        pack(ONE + b',"__metadata__":{"x":"1","x":"2"}}', bytes(4)),
        pack(ONE + b',"__metadata__":{"x":1}}', bytes(4)),
        pack(ONE, bytes(4)),
        pack(b'{"a":' * 3000 + b"1" + b"}" * 3000, b""),
        pack(b'{"\xff":1}', b""),
        pack(b"{}]", b""),
    ],
)
def test_damaged_files(content: bytes) -> None:
    assert "damaged or incomplete" in refusal(content)


def test_a_name_that_occurs_twice_is_shown() -> None:
    header = ONE + b',"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    assert "the name a occurs twice" in refusal(pack(header, bytes(4)))


def test_types_that_are_not_read() -> None:
    message = refusal(pack({"w.x": entry(0, 3, [3], "F8_E4M3")}, b"123"))
    if "damaged" not in message:  # the oldest libraries do not know the type either
        assert "tensor w.x cannot be read" in message
        assert "found F8_E4M3 [3]" in message


def test_an_empty_tensor_of_absurd_shape() -> None:
    assert "cannot be read" in refusal(pack({"w": entry(0, 0, [0, 2**62])}, b""))


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
        read_safetensors(bytes(content), "f")
    except WeightsError as error:
        message = str(error)
    assert "\n" not in message
