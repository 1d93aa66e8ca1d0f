"""A model that netgen compiled, called with NumPy arrays. It needs NumPy and nothing else.

`netgen export --as wheel` copies this file as it stands into the packages that it writes.
SPDX-License-Identifier: 0BSD
"""

from __future__ import annotations

import ctypes
import json
import platform
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_CPUINFO = Path("/proc/cpuinfo")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class Model:
    """One network; safe to call from several threads at once.

    `folder` holds `model.json` and the libraries, of which the first that this processor runs is
    loaded; `cpuinfo` is where Linux lists its features. Raises ImportError if none fits.
    """

    def __init__(self, folder: Path, cpuinfo: Path = _CPUINFO) -> None:
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        chosen = _choose(facts["libraries"], facts["machine"], cpuinfo)
        self.name: str = facts["name"]
        self.target: str = chosen["target"]
        self.labels: tuple[str, ...] = tuple(facts["labels"])
        self.inputs: tuple[Mapping[str, Any], ...] = tuple(facts["inputs"])
        self.outputs: tuple[Mapping[str, Any], ...] = tuple(facts["outputs"])
        self._normalisation: Mapping[str, Sequence[float]] | None = facts["normalisation"]
        self._sizes = (chosen["arena_bytes"], chosen["arena_alignment"], chosen["model_bytes"])
        self._stateful: bool = facts["stateful"]
        self._errors = {int(code): name for code, name in facts["errors"].items()}
        self._library = ctypes.CDLL(str(folder / chosen["file"]))
        self._prefix: str = facts["prefix"]
        # Taking from and adding to a deque is atomic: no lock that a fork could find locked.
        self._idle: deque[_Instance] = deque()

    def predict(self, *images: object) -> Array | tuple[Array, ...]:
        """Run on one image or a batch, of exactly the type and shape that the inputs have.

        A network of one output gives an array, of several a tuple. Each call begins anew; of a
        network with a state the images of a batch follow each other. Raises TypeError, ValueError.
        """
        try:
            instance = self._idle.pop()
        except IndexError:
            instance = self._new_instance()
        instance.reset()
        results = instance.run(images)
        # After an exception the instance is dropped instead, whatever state it is in.
        self._idle.append(instance)
        return results

    def stream(self) -> Stream:
        """Calls that follow each other: a network with a state keeps it from call to call."""
        return Stream(self._new_instance())

    def preprocess(self, images: object) -> Array:
        """8-bit pixels, one image or a batch, as the network takes them: float32, normalised.

        Raises TypeError and ValueError, and TypeError if the network does not say how.
        """
        if self._normalisation is None:
            raise TypeError(f"{self.name} does not say how pixels are normalised")
        pixels = _checked(images, self.inputs[0], "uint8")
        values = np.arange(256, dtype=np.float64) / 255.0
        result = np.empty(pixels.shape, np.float32)
        pairs = zip(self._normalisation["mean"], self._normalisation["std"], strict=True)
        for c, (mean, std) in enumerate(pairs):
            result[..., c] = ((values - mean) / std).astype(np.float32)[pixels[..., c]]
        return result

    def top(self, scores: object, count: int = 5) -> list[tuple[str, float]]:
        """The labels of one image's largest scores, and these, the largest first."""
        flat = np.ravel(np.asarray(scores))
        order = np.argsort(-flat.astype(np.float64), kind="stable")[:count]
        names = self.labels or [f"class {place}" for place in range(flat.size)]
        return [(names[place], float(flat[place])) for place in order]

    def __repr__(self) -> str:
        ports = ", ".join(f"{port['name']} {port['shape']}" for port in self.inputs)
        return f"<{self.name} for {self.target}: {ports}>"

    def _new_instance(self) -> _Instance:
        return _Instance(
            self._library,
            self._prefix,
            self._sizes,
            self.inputs,
            self.outputs,
            self._errors,
            stateful=self._stateful,
        )


class Stream:
    """Runs of one stream; not to be called from two threads at once."""

    def __init__(self, instance: _Instance) -> None:
        self._instance = instance
        instance.reset()

    def __call__(self, *images: object) -> Array | tuple[Array, ...]:
        """Run on the next image, or on several, one after the other."""
        return self._instance.run(images)

    def reset(self) -> None:
        """Begin anew."""
        self._instance.reset()


class _Instance:
    """One `PREFIX_t` with an arena of its own."""

    def __init__(
        self,
        library: ctypes.CDLL,
        prefix: str,
        sizes: tuple[int, int, int],
        inputs: Sequence[Mapping[str, Any]],
        outputs: Sequence[Mapping[str, Any]],
        errors: Mapping[int, str],
        *,
        stateful: bool,
    ) -> None:
        arena_bytes, alignment, model_bytes = sizes
        self._library, self._prefix, self._errors = library, prefix, errors
        self._inputs, self._outputs, self._stateful = inputs, outputs, stateful
        memory = np.empty(arena_bytes + alignment, np.uint8)
        start = -memory.ctypes.data % alignment
        self._arena = memory[start : start + arena_bytes]
        self._model = np.zeros(model_bytes // 8, np.uint64)
        # arena, arena_bytes, hook, user: what the C keeps
        self._config = np.array([self._arena.ctypes.data, arena_bytes, 0, 0], np.uint64)
        self._call("init", self._model, self._config)

    def reset(self) -> None:
        if self._stateful:
            self._call("reset", self._model)

    def run(self, images: Sequence[object]) -> Array | tuple[Array, ...]:
        if len(images) != len(self._inputs):
            names = ", ".join(port["name"] for port in self._inputs)
            raise TypeError(f"expected {len(self._inputs)} inputs ({names}), found {len(images)}")
        given = [
            _checked(image, p, p["dtype"]) for image, p in zip(images, self._inputs, strict=True)
        ]
        single = {a.ndim == len(p["shape"]) for a, p in zip(given, self._inputs, strict=True)}
        batches = [array[np.newaxis] for array in given] if single == {True} else given
        counts = {len(batch) for batch in batches}
        if len(single) > 1 or len(counts) > 1:
            raise ValueError("the inputs have different numbers of images")
        (count,) = counts
        results = [np.empty((count, *p["shape"]), p["dtype"]) for p in self._outputs]
        for index in range(count):
            # Only an image that is not contiguous, or not aligned for the C, is copied.
            lent = [np.require(batch[index, ...], requirements=["C", "A"]) for batch in batches]
            self._call("run", self._model, *lent, *(result[index, ...] for result in results))
        outputs = tuple(result[0] for result in results) if single == {True} else tuple(results)
        return outputs[0] if len(outputs) == 1 else outputs

    def _call(self, function: str, *arrays: Array) -> None:
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        status = getattr(self._library, f"{self._prefix}_{function}")(*pointers)
        if status:
            name = self._errors.get(status, "an unknown error")
            raise RuntimeError(f"{self._prefix}_{function} returned {status} ({name})")


def _checked(image: object, port: Mapping[str, Any], dtype: str) -> Array:
    """The array itself, which must have exactly this type and the port's shape, or be a batch."""
    array: Array = np.asarray(image)
    shape = tuple(port["shape"])
    wanted = f"{dtype} {shape} or (N, {', '.join(map(str, shape))})"
    found = f"expected {wanted}, found {array.dtype} {array.shape}"
    if array.dtype != dtype:
        raise TypeError(f"input '{port['name']}': {found}")
    if array.shape[-len(shape) :] != shape or array.ndim - len(shape) not in {0, 1}:
        raise ValueError(f"input '{port['name']}': {found}")
    return array


def _choose(
    libraries: Sequence[Mapping[str, Any]], machine: str, cpuinfo: Path
) -> Mapping[str, Any]:
    """The first library that this processor runs; they come with the fastest first."""
    own = platform.machine().lower()
    have = _features(cpuinfo)
    obstacles = []
    for library in libraries:
        missing = [name for name in library["cpu_features"] if name not in have]
        if not missing and _MACHINES.get(own, own) == machine:
            return library
        obstacles.append(f"{library['target']} needs {', '.join(missing) or machine}")
    raise ImportError(
        f"this model was compiled for other processors than this one ({own}): "
        f"{'; '.join(obstacles)}; export it again, with generic among its targets"
    )


def _features(cpuinfo: Path) -> frozenset[str]:
    """Features of this processor, as Linux names them."""
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() in {"flags", "Features"}:
                    return frozenset(value.split())
    except OSError:
        pass  # no list: what needs no feature runs
    return frozenset()
