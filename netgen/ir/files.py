"""Graphs in files: `NAME.ir` holds the text form, `NAME.safetensors` beside it the constants."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from netgen.errors import GraphError, UsageError
from netgen.ir.graph import ConstantArray, Graph
from netgen.ir.operator import Const
from netgen.ir.origin import Origin, origin_from_json, origin_to_json
from netgen.ir.text import parse_graph, print_graph
from netgen.ir.verify import verify

# The one key of the metadata: safetensors writes several in an order that changes from run to run.
_ORIGIN = "netgen.origin"


def save_graph(graph: Graph, path: Path) -> None:
    """Write a graph's text to `path` (NAME.ir), its constants and origin to NAME.safetensors.

    The bytes depend on the graph alone; the text names the SHA-256 of the constants' file. A graph
    without data is written as text alone. Both files are replaced, or neither. Raises UsageError
    where they cannot be written, GraphError where only a part of the constants has data.
    """
    data_path = _data_path(path)
    if not graph.constants:
        write_whole({path: print_graph(graph).encode()})
        return
    for node in graph.nodes:
        if isinstance(node.op, Const):
            graph.constant(node.name)
    arrays = {name: np.ascontiguousarray(graph.constants[name]) for name in graph.arrays()}
    metadata = {_ORIGIN: origin_to_json(graph.origin)} if graph.origin else None
    content = safetensors.numpy.save(dict(sorted(arrays.items())), metadata)
    text = print_graph(graph, hashlib.sha256(content).hexdigest())
    # The text last: until it is there, the old one does not match the new constants and says so.
    write_whole({data_path: content, path: text.encode()})


def load_graph(path: Path) -> Graph:
    """Read what `save_graph` wrote; the operators must be registered (import `netgen.ops`).

    Raises UsageError where the file cannot be read, GraphError where it is malformed, or where the
    constants are missing, are not those that the text names, or do not fit it.
    """
    data_path = _data_path(path)
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise GraphError("no IR text: it is not UTF-8", where=str(path)) from error
    graph, sha256 = parse_graph(text, str(path))
    if sha256 is None:
        return verify(graph)
    arrays, origin = _read_constants(data_path, sha256, str(path))
    if missing := sorted(graph.arrays() - arrays.keys()):
        raise GraphError(f"there is no array @{missing[0]}", where=str(data_path))
    return verify(graph.with_constants(arrays, origin))


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Write all files or none: each beside its place first, then all are renamed, in order.

    Raises UsageError where that is not possible.
    """
    written: dict[Path, Path] = {}
    mark = f"new-{os.getpid()}-{threading.get_ident()}"
    path = Path()
    try:
        for path, content in contents.items():
            written[path] = path.with_name(f".{path.name}.{mark}")
            written[path].write_bytes(content)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for path, temporary in written.items():
            temporary.replace(path)
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            hint="choose another place for the output",
        ) from error
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)


def _data_path(path: Path) -> Path:
    if path.suffix != ".ir":
        raise UsageError("a graph's file must be named NAME.ir", found=str(path))
    return path.with_suffix(".safetensors")


def _read_constants(
    path: Path, sha256: str, text: str
) -> tuple[dict[str, ConstantArray], Origin | None]:
    hint = f"keep the two files together as they were written, or write {text} again"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GraphError(
            f"the constants cannot be read: {error.strerror}", where=str(path), hint=hint
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise GraphError(
            f"these are not the constants that {text} names",
            where=str(path),
            expected=f"SHA-256 {sha256}",
            found=found,
            hint=hint,
        )
    try:
        arrays = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise GraphError(f"the constants are damaged: {error}", where=str(path)) from error
    # The header is JSON, its length in front of it; the library has just found it sound.
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    origin = metadata.get(_ORIGIN)
    return arrays, origin_from_json(origin, str(path)) if origin else None
