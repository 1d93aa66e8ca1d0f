"""ONNX Runtime's static quantisation of a graph: the peer of netgen's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.passes import fuse_for_others
from tests.tools import find_package


class _Reader:
    """Calibration images one by one, as ONNX Runtime asks for them."""

    def __init__(self, name: str, images: Array) -> None:
        self._each: Iterator[dict[str, Array]] = iter([{name: image[None]} for image in images])

    def get_next(self) -> dict[str, Array] | None:
        return next(self._each, None)


def scores_of_static(
    graph: Graph, calibration: Array, images: Array, method: str, folder: Path
) -> Array:
    """The outputs for images of ONNX Runtime's quantised network: per channel, QDQ.

    `method` is one of its ways to calibrate. Images are NHWC. No optimisation runs, so that codes
    are computed as the file says, without the 16-bit sums that saturate on some processors.
    """
    onnxruntime: Any = find_package("onnxruntime")
    target = quantised_file(graph, calibration, folder, method=method)
    name = graph.inputs[0].name
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(target, options, providers=["CPUExecutionProvider"])
    given = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return np.concatenate([session.run(None, {name: image[None]})[0] for image in given])


def quantised_file(
    graph: Graph,
    calibration: Array,
    folder: Path,
    *,
    method: str = "MinMax",
    form: str = "QDQ",
    activations: str = "QUInt8",
) -> Path:
    """The file of ONNX Runtime's quantiser, per channel, of one of its forms and element types."""
    quantization: Any = find_package("onnxruntime.quantization")
    source, target = folder / "float.onnx", folder / f"{method}_{form}_{activations}.onnx"
    source.write_bytes(graph_to_onnx(fuse_for_others(graph), "NCHW"))
    first = np.ascontiguousarray(np.moveaxis(calibration, -1, 1))
    quantization.quantize_static(
        source,
        target,
        _Reader(graph.inputs[0].name, first),
        quant_format=getattr(quantization.QuantFormat, form),
        per_channel=True,
        activation_type=getattr(quantization.QuantType, activations),
        weight_type=quantization.QuantType.QInt8,
        calibrate_method=getattr(quantization.CalibrationMethod, method),
    )
    return target
