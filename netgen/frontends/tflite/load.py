"""A `.tflite` file -> a graph with its weights."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from netgen.errors import UsageError
from netgen.frontends.tflite.lower import LoweredFile, lower_file
from netgen.frontends.tflite.read import read_model
from netgen.frontends.tflite.schema import import_schema
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.ir.verify import verify


def load_tflite(path: Path) -> Graph:
    """Read a float model, also one whose weights are float16, of the operators that netgen has.

    The interface is the file's: NHWC, as netgen's own. An open batch is 1, as TensorFlow Lite takes
    it; other open axes are refused. Of several subgraphs the first is read: operators that would
    run others are not supported.

    Raises UsageError where the file cannot be read, GraphError with all operators that are not
    supported, WeightsError for weights that are damaged, MissingExtraError where the package of the
    schema is not installed.
    """
    return lower_tflite(path).graph


def lower_tflite(path: Path) -> LoweredFile:
    """The same, with what of the graph each tensor of the file is."""
    schema = import_schema()
    where = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=where) from error
    lowered = lower_file(read_model(schema, content, where), path.stem, where, len(content))
    origin = Origin(
        model=path.name,
        weights_file=path.name,
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    graph = lowered.graph
    return replace(lowered, graph=verify(graph.with_constants(graph.constants, origin)))
