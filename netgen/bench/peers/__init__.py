"""The runtimes that netgen is compared with: how a graph gets there, and how they run it.

A peer runs in fp32 with its best settings on as many threads as it is told, and on arrays in the
layout that its own users have: what netgen's layout would cost it is not timed. One file each;
adding one adds a line.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from netgen.bench.peers.ncnn import NCNN
from netgen.bench.peers.onnxruntime import ONNXRUNTIME
from netgen.bench.peers.openvino import OPENVINO
from netgen.bench.peers.peer import Peer
from netgen.bench.peers.tflite import TFLITE
from netgen.bench.peers.torch import TORCH
from netgen.bench.worker import Array, Loaded
from netgen.errors import MissingExtraError, UsageError
from netgen.ir.graph import Graph

__all__ = [
    "PEERS", "Peer", "check_installed", "check_known", "installed", "load_netgen", "refusal",
]  # fmt: skip

PEERS: dict[str, Peer] = {
    "onnxruntime": ONNXRUNTIME,
    "openvino": OPENVINO,
    "ncnn": NCNN,
    "tflite": TFLITE,
    "torch": TORCH,
}


def load_netgen(model: Callable[..., object], inputs: tuple[Array, ...], threads: int) -> Loaded:
    """Run a compiled model, or anything that is called like one; it has its threads already."""
    import netgen

    del threads

    results = model(*inputs)
    outputs = results if isinstance(results, tuple) else (results,)
    arrays = tuple(np.asarray(output) for output in outputs)
    return Loaded(netgen.__version__, arrays, lambda: model(*inputs))


def installed() -> tuple[str, ...]:
    """Names of the peers whose packages are all there."""
    return tuple(name for name in PEERS if not _missing(name))


def check_known(names: Iterable[str]) -> None:
    """Raise UsageError for the first name that is no peer."""
    for name in names:
        if name not in PEERS:
            raise UsageError(f"unknown peer '{name}'", expected="one of " + ", ".join(PEERS))


def check_installed(name: str) -> None:
    """Raise MissingExtraError, which says what installs it, if a peer's package is not there."""
    for package in _missing(name):
        raise MissingExtraError(package, PEERS[name].extra, f"timing {name}")


def refusal(name: str, graph: Graph) -> UsageError | None:
    """The error of a peer that would be given codes, or states; None without them.

    It runs in fp32, each time the same.
    """
    if graph.states:
        return UsageError(
            f"{name} is timed on networks without a state only", where=f"%{graph.states[0].name}"
        )
    node = graph.first_codes()
    if node is None:
        return None
    return UsageError(
        f"{name} is timed on networks of floats only",
        where=f"%{node.name}",
        expected="f32",
        found=str(node.type),
    )


def check_any_installed(names: Sequence[str]) -> None:
    """Raise MissingExtraError, or UsageError for no peer's name, if none of them can be timed."""
    check_known(names)
    if not any(name in installed() for name in names):
        check_installed(names[0])


def _missing(name: str) -> list[str]:
    return [p for p in PEERS[name].packages if importlib.util.find_spec(p) is None]
