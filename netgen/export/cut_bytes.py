"""A part of a `.tflite` file as a file of its own, for judges that run all of what they are given.

What is left out may fail on numbers that are drawn: the choice of boxes behind a detector does.
"""

from __future__ import annotations

import numpy as np

from netgen.errors import MissingExtraError
from netgen.frontends.tflite.lower import LoweredFile


def cut_bytes(content: bytes, part: LoweredFile) -> bytes:
    """The file with the operators and outputs of what was read from it.

    Raises MissingExtraError where LiteRT, which has classes that write files, is not installed.
    """
    try:
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema
    except ModuleNotFoundError:
        raise MissingExtraError("ai_edge_litert", "litert", "a part of a file as a judge") from None
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    graph.operators = [graph.operators[index] for index in part.operators]
    graph.outputs = np.array(part.outputs, np.int32)
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
