"""The runtimes that netgen is compared with: how a graph gets there, and how they run it.

`prepare` runs in the parent and makes what the worker is sent; `load` runs in the worker. A peer
runs with its best settings on one thread, and on arrays in the layout that its own users have: what
netgen's layout would cost it is not timed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from netgen.bench.worker import Array, Loaded, Loader
from netgen.errors import MissingExtraError, UsageError
from netgen.export.onnx_file import graph_to_onnx
from netgen.export.onnx_operators import TO_CHANNELS_FIRST, TO_CHANNELS_LAST
from netgen.ir.graph import Graph


@dataclass(frozen=True)
class Peer:
    """One runtime; `packages` are what it imports, all in netgen's extra `bench`."""

    packages: tuple[str, ...]
    prepare: Callable[[Graph], object]
    load: Loader


def load_netgen(model: Callable[..., object], inputs: tuple[Array, ...]) -> Loaded:
    """Run a compiled model, or anything that is called like one."""
    import netgen

    results = model(*inputs)
    outputs = results if isinstance(results, tuple) else (results,)
    arrays = tuple(np.asarray(output, np.float32) for output in outputs)
    return Loaded(netgen.__version__, arrays, lambda: model(*inputs))


def prepare_onnxruntime(graph: Graph) -> bytes:
    """Write an ONNX file with NCHW at the interface."""
    return graph_to_onnx(graph, "NCHW")


def load_onnxruntime(content: bytes, inputs: tuple[Array, ...]) -> Loaded:
    """Open a session of one thread on an ONNX file."""
    import onnxruntime

    from netgen.export.onnxruntime_session import open_session

    session = open_session(content)
    names = [given.name for given in session.get_inputs()]
    feed = dict(zip(names, map(_channels_first, inputs), strict=True))
    outputs = tuple(
        output.transpose(TO_CHANNELS_LAST) if output.ndim == 4 else output
        for output in session.run(None, feed)
    )
    return Loaded(onnxruntime.__version__, outputs, lambda: session.run(None, feed))


def _channels_first(array: Array) -> Array:
    return np.ascontiguousarray(array.transpose(TO_CHANNELS_FIRST) if array.ndim == 4 else array)


PEERS: dict[str, Peer] = {
    "onnxruntime": Peer(("onnx", "onnxruntime"), prepare_onnxruntime, load_onnxruntime),
}


def check_known(names: Iterable[str]) -> None:
    """Raise UsageError for the first name that is no peer."""
    for name in names:
        if name not in PEERS:
            raise UsageError(f"unknown peer '{name}'", expected="one of " + ", ".join(PEERS))


def check_installed(name: str) -> None:
    """Raise MissingExtraError, which says what installs it, if a peer's package is not there."""
    for package in PEERS[name].packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "bench", f"timing {name}")
