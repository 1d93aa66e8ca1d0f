"""The int8 and uint8 files of ../shared/data, with their inputs and the outputs of LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from netgen.ir.tensor_type import Array


@dataclass(frozen=True)
class QuantisedFile:
    """A file, its inputs without the batch axis, and what the reference kernels make of them."""

    path: Path
    inputs: Array
    expected: Array


def _kws(data: Path) -> tuple[Array, Array]:
    return np.load(data / "kws/kws_dev_200.npz")["x"], _outputs(data, "mlperf_tiny/kws_ref_model")


def _resnet8(data: Path) -> tuple[Array, Array]:
    pixels = np.load(data / "cifar10/cifar10_dev_1000.npz")["x"]
    codes = (pixels.astype(np.int16) - 128).astype(np.int8)
    return codes, _outputs(data, "mlperf_tiny/pretrainedResnet_quant")


def _mobilenet_v1(data: Path) -> tuple[Array, Array]:
    known = np.load(data / "mobilenet_v1_imagenet/expected_quant_tflite_ref.npz")
    return known["inputs"], known["y"][: len(known["inputs"])]


def _mobilenet_v2(data: Path) -> tuple[Array, Array]:
    stem = "tflite_models/mobilenet_v2_1.0_224_ptq"
    files = np.load(data / f"{stem}_expected_tflite_ref.npz")["files"]
    photos = [np.asarray(Image.open(data / "photos" / Path(str(each)).name)) for each in files]
    return np.stack(photos), _outputs(data, stem)


def _outputs(data: Path, stem: str) -> Array:
    found: Array = np.load(data / f"{stem}_expected_tflite_ref.npz")["y"]
    return found


FILES: Mapping[str, Callable[[Path], tuple[Array, Array]]] = {
    "mlperf_tiny/kws_ref_model": _kws,
    "mlperf_tiny/pretrainedResnet_quant": _resnet8,
    "mobilenet_v1_imagenet/mobilenet_v1_0.25_128_quant": _mobilenet_v1,
    "tflite_models/mobilenet_v2_1.0_224_ptq": _mobilenet_v2,
}
# Files without outputs beside them, or whose outputs belong to other files: judged when tested.
JUDGED = ("mlperf_tiny/vww_96_int8", *FILES)


def quantised_file(data: Path, stem: str) -> QuantisedFile:
    """One of FILES."""
    inputs, expected = FILES[stem](data)
    return QuantisedFile(data / f"{stem}.tflite", inputs, expected)
