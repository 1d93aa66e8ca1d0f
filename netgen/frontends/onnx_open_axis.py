"""The open first axis of an input, followed from value to value.

The first axis of an input may be open in a file, and is read as 1. For a batch of images this is
right: every image has results of its own. It is wrong where results depend on how many there are,
as in a convolution over time. So the axis is followed through the graph, operator by operator
(`onnx_open_rules.py`). Beside every value that depends on it stands what it would be in a *twin* of
the model, whose open axes are longer: of activations the place of the axis, of known arrays the
array.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Known, Value
from netgen.frontends.onnx_tensor_view import TensorView, row_major

# An open axis in the twin: any number but 1.
_LONGER = 3


@dataclass(frozen=True)
class AxisPlace:
    """The place of an open axis in a tensor: it is the axis `axis`, or one factor of it.

    Of that axis `outer` elements change slower than the open one, and `inner` ones faster.
    """

    axis: int
    outer: int = 1
    inner: int = 1


def without(place: AxisPlace, dropped: Sequence[int]) -> AxisPlace:
    """The place when other axes are dropped."""
    return replace(place, axis=place.axis - sum(axis < place.axis for axis in dropped))


@dataclass(frozen=True)
class OpenNode:
    """An operator on activations that depend on an open axis: its call, and its twin's call."""

    call: Call
    twin: Call
    places: tuple[AxisPlace | None, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first input."""
        return self.call.tensor().shape

    def moved(self, place: AxisPlace, shape: tuple[int, ...], twin: tuple[int, ...]) -> AxisPlace:
        """The axis when the first input gets the shape `shape`, and in the twin the shape `twin`.

        Raises GraphError where the axis is cut across.
        """
        if len(shape) == len(twin):
            changed = [axis for axis, n in enumerate(shape) if twin[axis] != n]
            ahead = prod(self.shape[: place.axis]) * place.outer
            for axis in changed if len(changed) == 1 else ():
                outer, rest = divmod(ahead, prod(shape[:axis]))
                if not rest and not shape[axis] % outer and twin[axis] == shape[axis] * _LONGER:
                    return replace(place, axis=axis, outer=outer, inner=shape[axis] // outer)
        raise GraphError("the new shape cuts across the axis")


class OpenAxes:
    """The values of a file that depend on open axes, by their ONNX names."""

    def __init__(self) -> None:
        self._places: dict[str, AxisPlace] = {}
        self._twins: dict[str, Known] = {}
        self._inputs: dict[str, frozenset[str]] = {}

    def declare(self, name: str) -> None:
        """Note that the first axis of an input is open."""
        self._places[name] = AxisPlace(0)
        self._inputs[name] = frozenset({name})

    def inputs_of(self, names: Iterable[str]) -> frozenset[str]:
        """The inputs on whose open axes these values depend."""
        return frozenset().union(*(self._inputs.get(name, ()) for name in names))

    def step(self, call: Call) -> OpenNode:
        """The call and its twin's."""
        twins = (
            self._twin_of(name, value) for name, value in zip(call.names, call.inputs, strict=True)
        )
        places = tuple(self._places.get(name) for name in call.names)
        return OpenNode(call, replace(call, inputs=tuple(twins)), places)

    def _twin_of(self, name: str, value: Value | None) -> Value | None:
        if not isinstance(value, TensorView):
            return self._twins.get(name, value)
        shape = list(value.shape)
        if (place := self._places.get(name)) is not None:
            shape[place.axis] *= _LONGER
        return row_major(value.value, shape)

    def alias(self, new: str, old: str) -> None:
        """Note that a value has another name."""
        if old in self._places:
            self._places[new] = self._places[old]
        if old in self._twins:
            self._twins[new] = self._twins[old]
        if old in self._inputs:
            self._inputs[new] = self._inputs[old]

    def keep(self, step: OpenNode, names: Iterable[str], place: AxisPlace) -> None:
        """Note where results have the axis."""
        inputs = self.inputs_of(step.call.names)
        for name in names:
            self._places[name], self._inputs[name] = place, inputs

    def keep_twin(self, step: OpenNode, name: str, array: Known, twin: Known) -> None:
        """Note a known array, if its twin differs."""
        if array.shape != twin.shape or not np.array_equal(array, twin):
            self._twins[name] = twin
            self._inputs[name] = self.inputs_of(step.call.names)


def no_batch(title: str, how: GraphError, found: str, command: str) -> GraphError:
    """Say that an open axis must be bound, because of what the node `title` does with it."""
    return GraphError(
        f"axis 0 is open and no batch, since of {title} {how}",
        expected="a number",
        found=found or "nothing",
        hint=f"export the model for one size, or bind the axis: {command}",
    )
