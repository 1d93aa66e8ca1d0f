"""Symbolic tensors and the graph under construction.

`apply` and `parameter` are what the DSL functions of `netgen/ops/` are made of. The graph under
construction is a context variable, so networks may be built in several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgen.dsl.author import author_line
from netgen.errors import GraphError
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import TensorType
from netgen.ir.tokens import is_name

_IMAGE_RANK = 4
_REAL_KINDS = "fiub"  # floats, integers, booleans


@dataclass(frozen=True)
class Tensor:
    """A value of the network under construction; activations are NHWC with N = 1."""

    name: str
    type: TensorType

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, batch dimension included."""
        return self.type.shape

    @property
    def height(self) -> int:
        """Rows of an NHWC value."""
        return self._image_shape()[1]

    @property
    def width(self) -> int:
        """Columns of an NHWC value."""
        return self._image_shape()[2]

    @property
    def channels(self) -> int:
        """Channels: the last dimension."""
        return self.type.shape[-1]

    def __add__(self, other: Tensor) -> Tensor:
        # By name, as the text form does it: the operators stand above the DSL.
        return apply(REGISTRY.make("add", {}), self, other)

    def __sub__(self, other: Tensor) -> Tensor:
        return apply(REGISTRY.make("sub", {}), self, other)

    def __mul__(self, other: Tensor) -> Tensor:
        return apply(REGISTRY.make("mul", {}), self, other)

    def _image_shape(self) -> tuple[int, ...]:
        if len(self.type.shape) != _IMAGE_RANK:
            raise GraphError(
                f"%{self.name} is no image",
                where=str(author_line()),
                expected="the dimensions N, H, W, C",
                found=str(self.type),
            )
        return self.type.shape


class Construction:
    """Nodes collected so far, and the scope that names the next one."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.tensors: dict[str, Tensor] = {}
        self.scopes: list[str] = []
        self.constants: dict[str, ConstantArray] = {}

    def unique_name(self, name: str) -> str:
        """Prefix a name with the current scope; a second one of that name gets the suffix _2."""
        full = ".".join([*self.scopes, name])
        if not is_name(full):
            raise GraphError(
                f"{name!a} cannot name a value",
                where=str(author_line()),
                expected="ASCII letters, digits and _ . - /",
            )
        candidate, count = full, 1
        while candidate in self.nodes:
            count += 1
            candidate = f"{full}_{count}"
        return candidate

    def add(self, node: Node) -> Tensor:
        """Add a node under a name that is still free."""
        self.nodes[node.name] = node
        self.tensors[node.name] = Tensor(node.name, node.type)
        return self.tensors[node.name]

    def check_own(self, tensor: object) -> None:
        """Raise GraphError unless this is a tensor that was made in this construction."""
        if not isinstance(tensor, Tensor):
            raise GraphError("an operand is no tensor", found=type(tensor).__name__)
        if self.tensors.get(tensor.name) is not tensor:
            raise GraphError(f"%{tensor.name} belongs to another network")


_CURRENT: ContextVar[Construction | None] = ContextVar("netgen_construction", default=None)


def _construction() -> Construction:
    current = _CURRENT.get()
    if current is None:
        raise GraphError(
            "operators can only be used while a network is built",
            where=str(author_line()),
            hint="put them into a function decorated with @network",
        )
    return current


@contextmanager
def located() -> Iterator[None]:
    """Give a GraphError raised inside the line of the network's author."""
    try:
        yield
    except GraphError as error:
        raise GraphError(str(error), where=str(author_line())) from error


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Prefix the names of all values and parameters made inside with `name.`."""
    parts = name.split(".")
    if not name.isascii() or not all(part.isidentifier() or part.isdigit() for part in parts):
        raise GraphError(
            f"{name!a} cannot name a scope",
            where=str(author_line()),
            expected="letters, digits and underscores",
        )
    construction = _construction()
    construction.scopes.append(name)
    try:
        yield
    finally:
        construction.scopes.pop()


def image(height: int, width: int, channels: int = 3, name: str = "image") -> Tensor:
    """Declare an input: f32[1, height, width, channels], NHWC."""
    construction = _construction()
    line = author_line()
    if min(height, width, channels) < 1:
        raise GraphError(
            "an input needs at least one pixel and one channel",
            where=str(line),
            found=f"height {height}, width {width}, channels {channels}",
            hint="choose a larger input size",
        )
    with located():
        kind = TensorType("f32", (1, height, width, channels))
    return construction.add(Node(construction.unique_name(name), Input(), (), kind, line))


def apply(op: Operator, *operands: Tensor | None, name: str | None = None) -> Tensor:
    """Add a node that applies `op`; trailing operands that are None are left out.

    The value is named by `name` or the operator, within the scope. Raises GraphError with the
    author's line where the operands do not fit.
    """
    construction = _construction()
    line = author_line()
    given = tuple(operand for operand in operands if operand is not None)
    full = construction.unique_name(name or op.operator_name)
    try:
        for operand in given:
            construction.check_own(operand)
        op.check_count(given)
        kind = op.result_type([operand.type for operand in given])
    except GraphError as error:
        raise GraphError(str(error), where=f"{line}: %{full}") from error
    return construction.add(Node(full, op, tuple(t.name for t in given), kind, line))


def parameter(owner: str, letter: str, shape: tuple[int, ...]) -> Tensor:
    """Declare a constant named `owner.letter` within the scope, its data still to be bound."""
    construction = _construction()
    line = author_line()
    full = construction.unique_name(f"{owner}.{letter}")
    try:
        kind = TensorType("f32", shape)
    except GraphError as error:
        raise GraphError(str(error), where=f"{line}: %{full}") from error
    return construction.add(Node(full, Const(data=full), (), kind, line))


def constant(values: npt.ArrayLike, *, name: str | None = None) -> Tensor:
    """Declare a constant whose data the network itself gives, as an operand of `add` or `mul`.

    Its shape is that of `values`, which are rounded to f32; no weight file need provide it, but it
    counts as weights do. For one number per channel give the shape (1, 1, 1, C). Raises GraphError
    with the author's line for values that are no finite numbers.
    """
    construction = _construction()
    line = author_line()
    full = construction.unique_name(name or "constant")
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as error:  # rows of different lengths
        raise GraphError("a constant is no array of numbers", where=f"{line}: %{full}") from error
    if given.dtype.kind not in _REAL_KINDS:
        raise GraphError(
            "a constant is no array of numbers",
            where=f"{line}: %{full}",
            expected="real numbers",
            found=str(given.dtype),
        )
    with np.errstate(over="ignore"):
        array = np.array(given, np.float32, order="C")
    if not np.isfinite(array).all():
        raise GraphError("the values of a constant are not finite", where=f"{line}: %{full}")
    with located():
        kind = TensorType("f32", array.shape)
    construction.constants[full] = array
    return construction.add(Node(full, Const(data=full), (), kind, line))


def value_name(operator: str, name: str | None) -> str:
    """Predict the name that `apply` will give next, without the scope; parameters follow it."""
    construction = _construction()
    full = construction.unique_name(name or operator)
    prefix = ".".join(construction.scopes)
    return full[len(prefix) + 1 :] if prefix else full


@contextmanager
def constructing() -> Iterator[Construction]:
    """Open a new, empty construction for the time of a `with` block."""
    construction = Construction()
    token = _CURRENT.set(construction)
    try:
        yield construction
    finally:
        _CURRENT.reset(token)


def finish(construction: Construction, name: str, outputs: tuple[Tensor, ...]) -> Graph:
    """Make the graph of a construction; what no output needs is left out.

    Raises GraphError where an output is of another construction.
    """
    for output in outputs:
        construction.check_own(output)
    names = [output.name for output in outputs]
    graph = Graph(name, construction.nodes.values(), names, construction.constants)
    return graph.rewrite({})
