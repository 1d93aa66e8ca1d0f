from __future__ import annotations

import errno
import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save

from netgen.errors import WeightsError
from netgen.weights.read import read_weights

if TYPE_CHECKING:
    from tests.weights.conftest import Writer

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def npz(**arrays: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, array)
    return stream.getvalue()


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert ";" in message, "no hint"
    return message


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.npz", "w", "w.txt"])
def test_the_content_decides_not_the_extension(name: str, tmp_path: Path, writer: Writer) -> None:
    opcodes = writer.encode({"w": WEIGHT})
    contents = [writer.zip(opcodes), writer.legacy(opcodes), save({"w": WEIGHT}), npz(w=WEIGHT)]
    for content in contents:
        path = tmp_path / name
        path.write_bytes(content)
        file = read_weights(path)
        assert file.path == path
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert file.licence is None
        assert list(file.arrays) == ["w"]
        np.testing.assert_array_equal(file.arrays["w"], WEIGHT)
        assert not file.arrays["w"].flags.writeable


@pytest.mark.parametrize("key", ["license", "licence"])
def test_licence_from_safetensors(key: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(save({"w": WEIGHT}, metadata={key: "Apache-2.0"}))
    assert read_weights(path).licence == "Apache-2.0"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89HDF\r\n\x1a\n",
        b"cos\nsystem\n(S'true'\ntR.",
        b"PK\x05\x06" + bytes(18),
        b"<html>",
        b"\0",
    ],
)
def test_unknown_content_lists_the_formats(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    message = refusal(path)
    assert "expected a torch checkpoint (.pth, .pt, .th), a .safetensors or a .npz file" in message
    assert content[:8].hex(" ") in message


def test_a_zip_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "w.zip"
    path.write_bytes(npz(a=WEIGHT).replace(b"a.npy", b"a.txt"))
    assert "not a weight file" in refusal(path)
    path.write_bytes(npz(a=WEIGHT)[:-5])
    assert "damaged or incomplete" in refusal(path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.touch()
    assert "the weight file is empty" in refusal(path)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file or directory" in refusal(tmp_path / "missing.pth")
    assert "found a folder" in refusal(tmp_path)
    assert "Not a directory" in refusal(Path(__file__) / "w.pth")
    assert "File name too long" in refusal(tmp_path / ("x" * 300))
    with pytest.raises(WeightsError, match="null"):
        read_weights(tmp_path / "a\0b")


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "found a pipe or device" in refusal(tmp_path / "pipe")


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: Path) -> bytes:
        # What reading raises for an ordinary user; the tests may run as root, who may read all.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = tmp_path / "w.pth"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert "Permission denied" in refusal(path)


def test_a_path_with_a_line_break_is_shown_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "a\nb.pth")
    assert "\n" not in str(caught.value)


def test_too_little_memory_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("netgen.weights.read.read_safetensors", exhausted)
    path = tmp_path / "w.safetensors"
    path.write_bytes(save({"w": WEIGHT}))
    assert "not enough memory" in refusal(path)


# The first values are what torch itself (and numpy, for the npz) reads from these files.
@pytest.mark.parametrize(
    ("name", "count", "sha", "tensor", "shape", "first"),
    [
        (
            "mobilenet_v2_imagenet/mobilenet_v2-b0353104.pth",
            *(314, "b0353104", "features.0.0.weight", (32, 3, 3, 3)),
            0.013185339979827404,
        ),
        (
            "cifar10/resnet20-12fca82f.th",
            *(97, "12fca82f", "linear.weight", (10, 64)),
            -1.0598125457763672,
        ),
        (
            "cifar10/cifar10_shufflenetv2_x0_5-1308b4e9.pt",
            *(338, "1308b4e9", "conv1.0.weight", (24, 3, 3, 3)),
            0.14707592129707336,
        ),
        (
            "mobilenet_v1_imagenet/mobilenet_v1_0.25_128_dequant_fp32.npz",
            *(56, "24445cb2", "01_DEPTHWISE_CONV_2D_w", (1, 3, 3, 8)),
            -6.705025672912598,
        ),
    ],
)
def test_real_files(
    name: str,
    count: int,
    sha: str,
    tensor: str,
    shape: tuple[int, ...],
    first: float,
    shared_data: Path,
) -> None:
    file = read_weights(shared_data / name)
    assert len(file.arrays) == count
    assert file.sha256.startswith(sha)
    array = file.arrays[tensor]
    assert array.shape == shape
    assert array.dtype == np.float32
    assert array.flat[0] == np.float32(first)
    assert all(np.isfinite(values).all() for values in file.arrays.values())


def test_truncated_real_file(shared_data: Path, tmp_path: Path) -> None:
    content = (shared_data / "mobilenet_v2_imagenet" / "mobilenet_v2-b0353104.pth").read_bytes()
    path = tmp_path / "w.pth"
    for length in (1, 20, 5000, 100_000, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        assert "damaged or incomplete" in refusal(path)
