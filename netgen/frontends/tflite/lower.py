"""The parts of a `.tflite` file -> a graph: every operator is mapped or folded, all faults told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netgen.errors import ElementError, GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_call import Value, check_rank
from netgen.frontends.onnx_tensor_view import TensorView, as_image
from netgen.frontends.tflite.builder import ChannelsLast
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, Faults, UnsupportedError
from netgen.frontends.tflite.fold import FOLDS
from netgen.frontends.tflite.operators import MAPPINGS
from netgen.frontends.tflite.parts import FileOperator, FileTensor, ModelFile
from netgen.frontends.tflite.variables import OF_VARIABLES, Variables
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import TensorType


@dataclass(frozen=True)
class LoweredFile:
    """The graph of a file, and how it holds the file's tensors.

    `views` are those that are computed, in the order of the file, by their indices; not all of
    their values are needed by the graph. `inputs` and `outputs` are the tensors of the graph's,
    `operators` those that were read, by their indices in the file.
    """

    graph: Graph
    views: Mapping[int, TensorView]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[int, ...]

    def shape(self, value: str) -> tuple[int, ...]:
        """Shape of a value of the graph."""
        return self.graph[value].type.shape


def lower_file(
    file: ModelFile, name: str, where: str, held: int, profile: str = "litert"
) -> LoweredFile:
    """Make the graph of a file of `held` bytes, that computes as a profile of TensorFlow Lite does.

    Inputs and outputs keep names and shapes; where the first axis is longer than 1 or the only one,
    one of 1 stands before it. Raises GraphError with every operator that cannot be mapped, or
    WeightsError if nothing but weights is wrong.
    """
    return _Lowering(file, where, held, profile).run(name)


class _Lowering:
    """Values by the index of their tensor while the operators are walked in order."""

    def __init__(self, file: ModelFile, where: str, held: int, profile: str) -> None:
        self._file = file
        self._profile = profile
        self._where = where
        self._values: dict[int, Value] = {}
        self._made: set[int] = set()
        self._readers: dict[int, set[str]] = {index: {""} for index in file.outputs}
        for operator in file.operators:
            for index in operator.inputs:
                self._readers.setdefault(index, set()).add(operator.name)
        self._faults = Faults()
        self._budget = Budget(held)
        outputs = [file.tensors[index].name for index in file.outputs]
        self._builder = ChannelsLast(outputs, self._budget)
        self._variables = Variables(self._builder, file.once, self._budget)

    def run(self, name: str) -> LoweredFile:
        """Walk the operators; what a faulty one should have made is taken as the file has it."""
        for index in dict.fromkeys(self._file.inputs):
            tensor = self._file.tensors[index]
            self._made.add(index)
            try:
                self._values[index] = self._input(tensor)
            except GraphError as error:
                self._faults.of_input(tensor.shown, error)
        for operator in self._file.operators:
            self._visit(operator)
        outputs = [(index, self._output(index)) for index in self._file.outputs]
        self._faults.raise_all(self._where)
        named = [(self._file.tensors[k].name, view) for k, view in outputs if view is not None]
        graph = self._builder.graph(name, named, self._variables.becomes())
        renames = self._builder.renames
        views = {
            index: replace(value, value=renames.get(value.value, value.value))
            for index, value in self._values.items()
            if isinstance(value, TensorView)
        }
        operators = tuple(operator.index for operator in self._file.operators)
        return LoweredFile(graph, views, self._file.inputs, self._file.outputs, operators)

    def _input(self, tensor: FileTensor) -> TensorView:
        if tensor.is_constant:
            raise GraphError("an input that is a constant")
        if any(axis > 0 for axis in tensor.open_axes):
            raise GraphError(
                f"axis {max(tensor.open_axes)} is open",
                expected="a number",
                hint="convert the model for one input size",
            )
        if not tensor.shape:
            raise GraphError("an input without a shape, or without axes")
        kind = tensor.type()
        view = self._builder.declare(tensor.name, _as_image(kind))
        # An axis of 1 before the others is nothing but a name.
        return replace(view, axes=view.axes[-len(kind.shape) :])

    def _visit(self, operator: FileOperator) -> None:
        try:
            # Numbers that leave float32 are refused when they would get into the graph.
            with np.errstate(all="ignore"):
                results = self._results(operator)
        except (GraphError, WeightsError) as error:
            makes = [self._file.tensors[index].shown for index in operator.outputs]
            self._faults.of_operator(operator.index, operator.name, makes, error)
            self._stand_in(operator)
        except _UnknownError:
            self._stand_in(operator)
        else:
            self._values.update(zip(operator.outputs, results, strict=True))
        self._made.update(operator.outputs)

    def _results(self, operator: FileOperator) -> Sequence[Value]:
        """Results of an operator: views of values that are emitted, or known arrays."""
        if operator.name in OF_VARIABLES:
            return self._of_variables(operator)
        mapping, fold = MAPPINGS.get(operator.name), FOLDS.get(operator.name)
        if mapping is None and fold is None:
            raise UnsupportedError("not supported", hint=self._before(operator))
        self._check_new(operator)
        if not operator.outputs or len(set(operator.outputs)) < len(operator.outputs):
            raise GraphError("no result, or one result twice")
        call = self._call(operator)
        found = [value for value in call.inputs if isinstance(value, TensorView)]
        if not found and fold is not None:
            results = _folded(operator.name, call)
        elif mapping is not None:
            try:
                made = mapping(call)
            except ElementError as error:
                raise self._unsupported(found) or error from error
            results = [made] if isinstance(made, TensorView | np.ndarray) else list(made)
        else:
            raise UnsupportedError("supported between constants only")
        if len(results) != len(operator.outputs):
            raise GraphError("another number of results", expected=str(len(results)))
        for value, tensor in zip(results, call.made, strict=True):
            self._check_result(value, tensor)
        return results

    def _before(self, operator: FileOperator) -> str | None:
        """Tell how to leave out a custom operator, which mostly is the last one."""
        read = [self._file.tensors[index] for index in operator.inputs if index in self._made]
        if not operator.name.startswith("CUSTOM") or not read:
            return None
        return "end the network before it: --outputs " + ",".join(each.shown for each in read)

    def _check_new(self, operator: FileOperator) -> None:
        """Raise GraphError for a result that another operator makes, or the file has."""
        for index in operator.outputs:
            if index in self._made or self._file.tensors[index].is_constant:
                raise GraphError("a result that is there already")

    def _of_variables(self, operator: FileOperator) -> Sequence[Value]:
        """Results of an operator on variables: only reading has one."""
        self._check_new(operator)
        if operator.name == "READ_VARIABLE":
            if len(operator.outputs) != 1:
                raise GraphError("it must have one result", found=str(len(operator.outputs)))
            if self._variables.unknown(operator):
                raise _UnknownError  # what it begins with is faulty
            made = self._file.tensors[operator.outputs[0]]
            view = self._variables.read(operator, made)
            self._check_result(view, made)
            return [view]
        if operator.name == "VAR_HANDLE":
            self._variables.handle(operator)
            return [_HANDLE]
        if operator.outputs:
            raise GraphError("it has a result")
        if operator.name == "CALL_ONCE":
            self._variables.call_once(operator)
        else:
            value = self._read(operator.inputs[1]) if len(operator.inputs) == 2 else _HANDLE
            self._variables.assign(operator, value)
        return []

    def _call(self, operator: FileOperator) -> Call:
        tensors = self._file.tensors
        return Call(
            builder=self._builder,
            budget=self._budget,
            operator=operator,
            read=tuple(tensors[index] if index >= 0 else None for index in operator.inputs),
            made=tuple(tensors[index] for index in operator.outputs),
            inputs=tuple(self._read(index) if index >= 0 else None for index in operator.inputs),
            profile=self._profile,
            readers=frozenset().union(*(self._readers.get(k, ()) for k in operator.outputs)),
        )

    def _read(self, index: int) -> Value:
        """A value that is there; constants are decoded when something reads them."""
        if index not in self._values:
            tensor = self._file.tensors[index]
            if index in self._made:
                raise _UnknownError  # it depends on a faulty operator
            if not tensor.is_constant:
                raise GraphError(f"{tensor.shown} is read before an operator makes it")
            self._values[index] = tensor.array(self._budget)
        if self._values[index] is _HANDLE:
            raise GraphError(f"{self._file.tensors[index].shown} is a variable, not what it holds")
        return self._values[index]

    def _unsupported(self, found: Sequence[TensorView]) -> UnsupportedError | None:
        """The fault of an operator that takes no codes, or no integers, and reads some."""
        for kind in map(self._builder.kind, found):
            if kind.quantisation is not None:
                return UnsupportedError(f"not supported of {kind.dtype}", hint=WITHOUT_QUANTISATION)
            if not kind.element.is_float:
                return UnsupportedError("supported in floats only", found=kind.dtype)
        return None

    def _check_result(self, value: Value, tensor: FileTensor) -> None:
        """Raise GraphError where the result is of another kind than the file says."""
        check_rank(len(value.shape))
        if isinstance(value, TensorView):
            kind = self._builder.kind(value)
            if kind.dtype == "i32" and tensor.element == "INT64":
                return  # what is counted fits into int32
            said = tensor.type()
            if not kind.alike(said):
                raise GraphError(
                    "the result has another element type than its operands give it",
                    expected=str(kind),
                    found=str(said),
                )

    def _stand_in(self, operator: FileOperator) -> None:
        """Take results as the file has them, so that what follows can be looked at, too."""
        for index in operator.outputs:
            tensor = self._file.tensors[index]
            if index in self._values or tensor.is_constant or not tensor.shape:
                continue
            try:
                view = self._builder.declare(tensor.name, _as_image(tensor.type()))
            except GraphError:
                continue
            self._values[index] = replace(view, axes=view.axes[-len(tensor.shape) :])

    def _output(self, index: int) -> TensorView | None:
        value = self._values.get(index)
        if isinstance(value, TensorView) or self._faults:
            return value if isinstance(value, TensorView) else None
        tensor = self._file.tensors[index]
        raise GraphError(
            "an output that is a constant"
            if value is not None or tensor.is_constant
            else "an output that no operator makes",
            where=f"{self._where}: {tensor.shown}",
        )


# In place of the handle of a variable, which only the operators on variables read.
_HANDLE = np.zeros((), np.void)


class _UnknownError(Exception):
    """An operand is that of a faulty operator, and has no type either."""


def _folded(name: str, call: Call) -> list[Value]:
    try:
        return [np.asarray(FOLDS[name](call))]  # NumPy makes scalars of arrays without axes
    # NumPy raises these for shapes, axes and types that do not fit.
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise GraphError(f"malformed arithmetic: {error}") from error


def _as_image(kind: TensorType) -> TensorType:
    return kind.with_shape(as_image(kind.shape))
