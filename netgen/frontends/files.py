"""Files that hold a model with its weights, by their suffix: the one table of formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from netgen.frontends.onnx_file import load_onnx
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.files import load_graph
from netgen.ir.graph import Graph

LOADERS: dict[str, Callable[[Path], Graph]] = {
    ".ir": load_graph,
    ".onnx": load_onnx,
    ".tflite": load_tflite,
}
