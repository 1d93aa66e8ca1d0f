from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from netgen.errors import InputError, MissingExtraError, NetgenNote, UsageError
from netgen.ir.normalisation import Normalisation
from netgen.runtime.photos import load_photo, normalise
from tests.photos import damage_metadata

Pixels = NDArray[np.uint8]


def pattern(h: int, w: int, channels: int = 3) -> Pixels:
    numbers = np.arange(h * w * channels, dtype=np.uint32) * 2654435761 >> 13
    pixels: Pixels = (numbers % 256).astype(np.uint8).reshape(h, w, channels)
    return pixels


def save(tmp_path: Path, pixels: Pixels, mode: str = "RGB", name: str = "photo.png") -> Path:
    path = tmp_path / name
    Image.fromarray(pixels.squeeze()).convert(mode).save(path)
    return path


@pytest.mark.parametrize("resize", [None, 256])
def test_the_right_size_is_untouched(tmp_path: Path, resize: int | None) -> None:
    pixels = pattern(20, 30)
    result = load_photo(save(tmp_path, pixels), (20, 30), resize=resize)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, pixels)


@pytest.mark.parametrize(
    ("photo", "size", "resize", "resized", "corner"),
    [
        ((40, 60), (20, 20), None, (20, 30), (0, 5)),
        ((60, 40), (20, 20), None, (30, 20), (5, 0)),
        ((61, 40), (20, 20), 24, (36, 24), (8, 2)),
        ((40, 40), (10, 20), None, (20, 20), (5, 0)),
        ((40, 60), (30, 30), 40, (40, 60), (5, 15)),
        ((10, 10), (20, 20), None, (20, 20), (0, 0)),
    ],
)
def test_resized_and_cropped(
    tmp_path: Path,
    photo: tuple[int, int],
    size: tuple[int, int],
    resize: int | None,
    resized: tuple[int, int],
    corner: tuple[int, int],
) -> None:
    pixels = pattern(*photo)
    result = load_photo(save(tmp_path, pixels), size, resize=resize)
    h, w = resized
    whole = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BILINEAR))
    (top, left), (height, width) = corner, size
    np.testing.assert_array_equal(result, whole[top : top + height, left : left + width])


def test_squeezed(tmp_path: Path) -> None:
    pixels = pattern(40, 60)
    result = load_photo(save(tmp_path, pixels), (8, 9), crop=False, interpolation="bicubic")
    whole = Image.fromarray(pixels).resize((9, 8), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(result, np.asarray(whole))


def test_bad_options(tmp_path: Path) -> None:
    path = save(tmp_path, pattern(40, 60))
    with pytest.raises(UsageError, match=r"does not cover .* at least 20 x 20, found 16 x 24"):
        load_photo(path, (20, 20), resize=16)
    unknown: Any = "magic"
    with pytest.raises(UsageError, match="unknown interpolation 'magic'"):
        load_photo(path, (20, 20), interpolation=unknown)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "RGB"])
@pytest.mark.parametrize("channels", [1, 3])
def test_modes(tmp_path: Path, mode: str, channels: Literal[1, 3]) -> None:
    name = "photo.tif" if mode == "CMYK" else "photo.png"
    path = save(tmp_path, pattern(6, 7), mode, name)
    result = load_photo(path, (6, 7), channels=channels)
    with Image.open(path) as photo:
        expected = np.asarray(photo.convert("L" if channels == 1 else "RGB"))
    np.testing.assert_array_equal(result, expected.reshape(6, 7, channels))


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    photo = Image.fromarray(pattern(6, 7)).quantize(16)
    photo.save(path, transparency=bytes(range(16)))
    expected = np.asarray(photo.convert("RGB"))
    np.testing.assert_array_equal(load_photo(path, (6, 7)), expected)


def test_16_bits_are_scaled(tmp_path: Path) -> None:
    deep = (np.arange(42, dtype=np.uint16) * 1500).reshape(6, 7)
    Image.fromarray(deep).save(tmp_path / "photo.png")
    result = load_photo(tmp_path / "photo.png", (6, 7), channels=1)
    np.testing.assert_array_equal(result[..., 0], deep >> 8)


@pytest.mark.parametrize("pixels", [np.ones((6, 7), np.float32), np.full((6, 7), -1, np.int32)])
def test_pixels_without_a_range(tmp_path: Path, pixels: NDArray[np.generic]) -> None:
    Image.fromarray(pixels).save(tmp_path / "photo.tif")
    with pytest.raises(InputError, match="no known range"):
        load_photo(tmp_path / "photo.tif", (6, 7))


def test_exif_orientation(tmp_path: Path) -> None:
    pixels = pattern(6, 7)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show rotated by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    result = load_photo(tmp_path / "photo.png", (7, 6))
    np.testing.assert_array_equal(result, np.rot90(pixels, -1))


def one_line(error: pytest.ExceptionInfo[InputError], path: Path) -> str:
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert "; " in message
    return message


def test_files_that_are_no_images(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    with pytest.raises(InputError) as error:
        load_photo(path, (6, 7))
    assert "No such file" in one_line(error, path)
    for content in (b"", b"hello\n" * 100, b"\xff\xd8\xff"):
        path.write_bytes(content)
        with pytest.raises(InputError) as error:
            load_photo(path, (6, 7))
        assert "not an image" in one_line(error, path)
    with pytest.raises(InputError, match="directory"):
        load_photo(tmp_path, (6, 7))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_truncated_images(tmp_path: Path, kind: str) -> None:
    whole = io.BytesIO()
    Image.fromarray(pattern(64, 64)).save(whole, kind)
    path = tmp_path / f"photo.{kind.lower()}"
    data = whole.getvalue()
    for length in (len(data) // 8, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(InputError) as error:
            load_photo(path, (64, 64))
        one_line(error, path)


def test_damaged_metadata_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    damage_metadata(Image.fromarray(pattern(24, 32)), path)
    with pytest.warns(NetgenNote, match="may be damaged: Corrupt EXIF data") as told:
        result = load_photo(path, (32, 24))
    assert len(told) == 1
    assert told[0].filename == __file__
    message = str(told[0].message)
    assert message.startswith(f"{path}: the photo")
    assert "\n" not in message
    whole = save(tmp_path, pattern(24, 32), name="whole.jpg")
    # The orientation is the entry that is there.
    np.testing.assert_array_equal(result, np.rot90(load_photo(whole, (24, 32)), -1))


def test_a_damaged_photo_is_an_error_alone(tmp_path: Path) -> None:
    """Pillow's warnings on the way to its error are not shown: warnings are errors here."""
    path = tmp_path / "photo.tif"
    Image.fromarray(pattern(6, 7)).save(path)
    data = bytearray(path.read_bytes())
    directory = int.from_bytes(data[4:8], "little")
    path.write_bytes(data[: directory + 8])
    with pytest.warns(UserWarning, match="EXIF"), pytest.raises(OSError, match="cannot identify"):
        Image.open(path)
    with pytest.raises(InputError) as error:
        load_photo(path, (6, 7))
    one_line(error, path)


def test_pixels_that_pillow_does_not_decode(tmp_path: Path) -> None:
    """Pillow raises a kind of RuntimeError for them."""
    path = tmp_path / "photo.dds"
    Image.fromarray(pattern(8, 8)).save(path)
    data = bytearray(path.read_bytes())
    data[80:84] = bytes(4)  # the flags of the pixel format
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read: Unknown pixel format flags 0; ") as error:
        load_photo(path, (8, 8))
    one_line(error, path)


def test_other_warnings_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, pattern(6, 7))

    def transpose(photo: object) -> object:
        warnings.warn("not of the photo", FutureWarning, stacklevel=1)
        return photo

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", transpose)
    with pytest.warns(FutureWarning, match="not of the photo") as told:
        load_photo(path, (6, 7))
    assert told[0].filename == __file__


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("factor", [1.5, 3])
def test_decompression_bombs(
    tmp_path: Path, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, pattern(60, 60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(3600 / factor))
    with pytest.raises(InputError, match="too many pixels"):
        load_photo(path, (6, 7))


def test_a_photo_of_one_row(tmp_path: Path) -> None:
    path = save(tmp_path, pattern(1, 20000))
    with pytest.raises(InputError, match="too narrow"):
        load_photo(path, (224, 224))


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pip install pillow"):
        load_photo(tmp_path / "photo.png", (6, 7))


def test_normalise() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pixels = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    result = normalise(pixels, Normalisation(mean, std))
    exact = (pixels.astype(np.float64) / 255 - np.array(mean)) / np.array(std)
    np.testing.assert_array_equal(result, exact.astype(np.float32))
    with pytest.raises(InputError, match=r"expected \(\.\.\., 3\), found \(2, 2, 1\)"):
        normalise(np.zeros((2, 2, 1), np.uint8), Normalisation(mean, std))


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ((), ()),
        ((0.5,), (1.0, 1.0)),
        ((0.5,), (0.0,)),
        ((float("nan"),), (1.0,)),
        ((0.0,), (-1.0,)),
    ],
)
def test_normalisations_that_make_no_sense(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="expected"):
        Normalisation(mean, std)
