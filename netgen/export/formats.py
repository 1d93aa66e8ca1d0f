"""Formats of other tools: a graph as the bytes of one file."""

from __future__ import annotations

from typing import Literal, TypeGuard, get_args

from netgen.errors import MissingExtraError
from netgen.ir.graph import Graph
from netgen.passes import fuse_for_others

Format = Literal["onnx", "tflite"]


def is_format(name: str) -> TypeGuard[Format]:
    """Whether a model is written in it as one file."""
    return name in get_args(Format)


def exported(graph: Graph, form: Format) -> bytes:
    """The content of a file. Raises GraphError for what the format does not have.

    A `.tflite` file holds the graph after the passes whose results TensorFlow Lite has operators
    for; an `.onnx` file of floats the graph as it was declared, one of codes after passes, too.
    Raises MissingExtraError without the packages that write the format.
    """
    if form == "tflite":
        try:
            from netgen.export.tflite_file import graph_to_tflite
        except ModuleNotFoundError as error:
            package = str(error.name).partition(".")[0]
            raise MissingExtraError(package, "litert", "writing .tflite files") from None
        return graph_to_tflite(fuse_for_others(graph))
    if graph.first_codes() is not None:
        from netgen.export.onnx_codes import graph_to_onnx_codes

        return graph_to_onnx_codes(graph)
    from netgen.export.onnx_file import graph_to_onnx

    return graph_to_onnx(graph)
