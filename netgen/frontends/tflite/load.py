"""A `.tflite` file -> a graph with its weights."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from netgen.errors import UsageError
from netgen.frontends.tflite.cut import cut_file
from netgen.frontends.tflite.lower import LoweredFile, lower_file
from netgen.frontends.tflite.read import read_model
from netgen.frontends.tflite.schema import import_schema
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.ir.verify import verify

# Implementations of TensorFlow Lite whose rounding counts.
PROFILES = ("litert", "tflm")


def load_tflite(path: Path, profile: str = "litert", outputs: str = "") -> Graph:
    """Read a model of floats, codes or both, of the operators that netgen has.

    It computes, code for code, what the reference kernels of an implementation do: `litert`, or
    TensorFlow Lite Micro, which is `tflm`. They differ in fully connected layers. Weights of
    float16, and of codes under activations of floats, become float32.

    `outputs` are names of tensors, by commas: the network then ends there, whatever the file has
    behind them. Without any its outputs are the file's.

    The interface is the file's: NHWC, as netgen's own. An open batch is 1, as TensorFlow Lite takes
    it; other open axes are refused. Of several subgraphs the first is read, and those that say what
    variables begin with: other operators that would run one are not supported.

    Raises UsageError where the file cannot be read, GraphError with all operators that are not
    supported, WeightsError for weights that are damaged, MissingExtraError where the package of the
    schema is not installed.
    """
    return lower_tflite(path, profile, outputs).graph


def lower_tflite(path: Path, profile: str = "litert", outputs: str = "") -> LoweredFile:
    """The same, with what of the graph each tensor of the file is."""
    if profile not in PROFILES:
        raise UsageError(
            "an unknown profile", expected=f"one of {', '.join(PROFILES)}", found=str(profile)
        )
    schema = import_schema()
    where = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=where) from error
    file = read_model(schema, content, where)
    if outputs:
        file = cut_file(file, filter(None, map(str.strip, outputs.split(","))), where)
    lowered = lower_file(file, path.stem, where, len(content), profile)
    parameters = {"profile": "" if profile == PROFILES[0] else profile, "outputs": outputs}
    origin = Origin(
        model=path.name,
        parameters={name: value for name, value in parameters.items() if value},
        weights_file=path.name,
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    graph = lowered.graph
    return replace(lowered, graph=verify(graph.with_constants(graph.constants, origin)))
