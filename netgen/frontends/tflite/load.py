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

# Implementations of TensorFlow Lite whose rounding counts.
PROFILES = ("litert", "tflm")


def load_tflite(path: Path, profile: str = "litert") -> Graph:
    """Read a model of floats, codes or both, of the operators that netgen has.

    It computes, code for code, what the reference kernels of an implementation do: `litert`, or
    TensorFlow Lite Micro, which is `tflm`. They differ in fully connected layers. Weights of
    float16, and of codes under activations of floats, become float32.

    The interface is the file's: NHWC, as netgen's own. An open batch is 1, as TensorFlow Lite takes
    it; other open axes are refused. Of several subgraphs the first is read, and those that say what
    variables begin with: other operators that would run one are not supported.

    Raises UsageError where the file cannot be read, GraphError with all operators that are not
    supported, WeightsError for weights that are damaged, MissingExtraError where the package of the
    schema is not installed.
    """
    return lower_tflite(path, profile).graph


def lower_tflite(path: Path, profile: str = "litert") -> LoweredFile:
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
    lowered = lower_file(
        read_model(schema, content, where), path.stem, where, len(content), profile
    )
    origin = Origin(
        model=path.name,
        parameters={} if profile == PROFILES[0] else {"profile": profile},
        weights_file=path.name,
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    graph = lowered.graph
    return replace(lowered, graph=verify(graph.with_constants(graph.constants, origin)))
