"""Variables of a `.tflite` file -> states of the graph.

Operators run in the order of the file. So a variable that is read shows what was assigned to it
last; before that, what the run before has left: a state. Subgraphs that run once, before all, say
what a state begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_call import Value
from netgen.frontends.onnx_tensor_view import TensorView, as_image
from netgen.frontends.tflite.builder import ChannelsLast
from netgen.frontends.tflite.parts import FileGraph, FileOperator, FileTensor, Option
from netgen.ir.tensor_type import Array, TensorType

# Variables with the same container and name are one.
Key: TypeAlias = tuple[bytes, bytes]

OF_VARIABLES = frozenset({"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"})


@contextmanager
def _naming(title: str) -> Iterator[None]:
    """Say in which operator a fault is."""
    try:
        yield
    except (GraphError, WeightsError) as error:
        kind = WeightsError if isinstance(error, WeightsError) else GraphError
        raise kind(f"{title}: {error}") from error


@dataclass(frozen=True)
class _Initial:
    """The beginning of a variable, and its type."""

    type: TensorType
    array: Array


class Variables:
    """The variables of a file while its operators are walked in order."""

    def __init__(
        self, builder: ChannelsLast, once: Mapping[int, FileGraph], budget: Budget
    ) -> None:
        self._budget = budget
        self._builder = builder
        self._once = once
        self._keys: dict[int, Key] = {}
        self._initial: dict[Key, _Initial] = {}
        self._states: dict[Key, TensorView] = {}
        self._now: dict[Key, TensorView] = {}
        self._faulty = False

    def handle(self, operator: FileOperator) -> None:
        """VAR_HANDLE: the result stands for a variable."""
        (result,) = _exactly(operator.outputs, 1, "result")
        self._keys[result] = _key(operator.options)

    def read(self, operator: FileOperator, made: FileTensor) -> TensorView:
        """READ_VARIABLE: what was assigned last, in this run or in the one before.

        `made` is the result as the file has it.
        """
        (given,) = _exactly(operator.inputs, 1, "variable")
        key = _key_of(self._keys, given)
        if key not in self._now:
            self._now[key] = self._states[key] = self._state(key, made)
        return self._now[key]

    def assign(self, operator: FileOperator, value: Value) -> None:
        """ASSIGN_VARIABLE: what it shows from now on."""
        given, _ = _exactly(operator.inputs, 2, "variable and value")
        key = _key_of(self._keys, given)
        if not isinstance(value, TensorView):
            raise GraphError("a variable becomes a constant", expected="something computed")
        kind = self._builder.kind(value)
        said = self._types(key)
        if said is not None and (value.shape != said.shape or not kind.alike(said)):
            raise GraphError(
                "a variable becomes something of another type",
                expected=str(said),
                found=str(kind.with_shape(value.shape)),
            )
        self._now[key] = value

    def call_once(self, operator: FileOperator) -> None:
        """CALL_ONCE: what variables begin with."""
        before, self._faulty = self._faulty, True
        number = (operator.options or {}).get("InitSubgraphIndex")
        if not isinstance(number, int) or number not in self._once:
            raise GraphError("it runs a subgraph that is not there, or the main one")
        graph = self._once[number]
        if graph.inputs or graph.outputs:
            raise GraphError(f"subgraph {number}, which runs once, has inputs or outputs")
        keys: dict[int, Key] = {}
        for each in graph.operators:
            with _naming(f"operator {each.index} {each.name} of subgraph {number}"):
                self._begin(graph, each, keys)
        self._faulty = before

    def unknown(self, operator: FileOperator) -> bool:
        """Whether a variable may begin with something that could not be read."""
        keys = [self._keys[index] for index in operator.inputs if index in self._keys]
        return self._faulty and any(
            key not in self._now and key not in self._initial for key in keys
        )

    def _begin(self, graph: FileGraph, operator: FileOperator, keys: dict[int, Key]) -> None:
        """An operator of a subgraph that runs once, in which `keys` are those of handles."""
        if operator.name == "VAR_HANDLE":
            (result,) = _exactly(operator.outputs, 1, "result")
            keys[result] = _key(operator.options)
            return
        if operator.name != "ASSIGN_VARIABLE":
            raise GraphError("not supported in what runs once")
        given, value = _exactly(operator.inputs, 2, "variable and value")
        key, tensor = _key_of(keys, given), graph.tensors[value]
        if key in self._now:
            raise GraphError("a variable is used before it gets what it begins with")
        if not tensor.is_constant:
            raise GraphError("a variable must begin with a constant", found=tensor.shown)
        self._initial[key] = _Initial(tensor.type(), tensor.array(self._budget))

    def becomes(self) -> dict[str, TensorView]:
        """The next value of each state: what was assigned last."""
        return {state.value: self._now[key] for key, state in self._states.items()}

    def _types(self, key: Key) -> TensorType | None:
        """The type of a variable, if it is known."""
        if key in self._initial:
            return self._initial[key].type
        if key in self._now:
            return self._builder.kind(self._now[key]).with_shape(self._now[key].shape)
        return None

    def _state(self, key: Key, made: FileTensor) -> TensorView:
        initial = self._initial.get(key)
        if initial is None:
            raise GraphError("a variable is read that was not assigned, and begins with nothing")
        kind = initial.type
        if not kind.shape:
            raise GraphError("a variable without axes is not supported")
        plain = np.array_equal(initial.array, np.full(kind.shape, kind.zero))
        if not kind.alike(made.type()):
            raise GraphError(
                "a variable is read as another type", expected=str(kind), found=str(made.type())
            )
        image = kind.with_shape(as_image(kind.shape))
        name = key[1].decode("utf-8", "replace")[:200] or made.name
        array = None if plain else initial.array.astype(kind.element.storage)
        view = self._builder.declare_state(name, image, array)
        return replace(view, axes=view.axes[-len(kind.shape) :])


def _key_of(keys: Mapping[int, Key], index: int) -> Key:
    if index not in keys:
        raise GraphError("a variable that no VAR_HANDLE has named before")
    return keys[index]


def _key(options: Mapping[str, Option] | None) -> Key:
    if options is None:
        raise GraphError("its options are missing, SharedName among them")
    container, name = options["Container"], options["SharedName"]
    assert isinstance(container, bytes)
    assert isinstance(name, bytes)  # as the schema has them
    return container, name


def _exactly(indices: tuple[int, ...], count: int, what: str) -> tuple[int, ...]:
    if len(indices) != count or min(indices) < 0:
        raise GraphError(f"it must have {what}", expected=str(count), found=str(len(indices)))
    return indices
