"""The runtimes that netgen is compared with: how a graph gets there, and how they run it.

A peer runs with its best settings on as many threads as it is told, and on arrays in the layout
that its own users have: what netgen's layout would cost it is not timed. A network of floats runs
in fp32. One of codes runs as it is where the peer can do that, and otherwise, or as well, as its
float twin. One file each; adding one adds a line.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from netgen.bench.peers.ncnn import NCNN
from netgen.bench.peers.onnxruntime import ONNXRUNTIME
from netgen.bench.peers.openvino import OPENVINO
from netgen.bench.peers.peer import Form, Peer
from netgen.bench.peers.tflite import TFLITE
from netgen.bench.peers.tflm import TFLM
from netgen.bench.peers.torch import TORCH
from netgen.bench.subject import Precision, Subject
from netgen.bench.worker import Array, Loaded
from netgen.errors import MissingExtraError, UsageError

__all__ = [
    "PEERS", "Entry", "Form", "Peer", "check_installed", "check_known", "entries", "installed",
    "load_netgen", "of_floats",
]  # fmt: skip

PEERS: dict[str, Peer] = {
    "onnxruntime": ONNXRUNTIME,
    "openvino": OPENVINO,
    "ncnn": NCNN,
    "tflite": TFLITE,
    "torch": TORCH,
    "tflm": TFLM,
}


@dataclass(frozen=True)
class Entry:
    """A peer as it takes part: the name of its row, what it computes with, how it runs that."""

    runtime: str
    precision: Precision
    form: Form


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


def of_floats() -> tuple[str, ...]:
    """Names of the peers that run any network of floats."""
    return tuple(name for name, peer in PEERS.items() if peer.prepare is not None)


def entries(name: str, subject: Subject) -> tuple[Entry, ...]:
    """The ways in which a peer that is installed runs a network.

    A file that it reads runs as it is. Otherwise floats run, and codes as well where it has a form
    of those. Rows of networks of codes say which. Raises UsageError for a peer of files alone, and
    for networks with a state, whose runs are not alike.
    """
    if subject.graph.states:
        state = subject.graph.states[0].name
        raise UsageError(f"{name} is timed on networks without a state only", where=f"%{state}")
    peer, found = PEERS[name], list[tuple[Precision, Form]]()
    of_file, prepare = peer.of_file, peer.prepare
    if subject.file is not None and of_file is not None and of_file.takes(subject):
        found.append((subject.precision, of_file))
    elif prepare is None:
        raise UsageError(f"{name} is timed on .tflite files only", found=subject.graph.name)
    else:
        found.append(("fp32", Form(lambda given: prepare(given.floats), peer.load)))
        if subject.coded and peer.of_codes is not None:
            found.append(("int8", peer.of_codes))
    return tuple(
        Entry(f"{name} {precision}" if subject.coded else name, precision, form)
        for precision, form in found
    )


def check_any_installed(names: Sequence[str]) -> None:
    """Raise MissingExtraError, or UsageError for no peer's name, if none of them can be timed."""
    check_known(names)
    if not any(name in installed() for name in names):
        check_installed(names[0])


def _missing(name: str) -> list[str]:
    return [p for p in PEERS[name].packages if importlib.util.find_spec(p) is None]
