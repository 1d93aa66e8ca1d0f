"""Symbolic tensors and the graph under construction.

`apply` and `parameter` are what the DSL functions of `netgen/ops/` are made of. The graph under
construction is a context variable, so networks may be built in several threads at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node, SourceLine
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import TensorType

# Frames of these folders are netgen's own machinery; the line outside is the network's author's.
_MACHINERY = tuple(str(Path(__file__).parents[1] / folder) for folder in ("dsl", "ops", "ir"))


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
        return self.type.shape[1]

    @property
    def width(self) -> int:
        """Columns of an NHWC value."""
        return self.type.shape[2]

    @property
    def channels(self) -> int:
        """Channels: the last dimension."""
        return self.type.shape[-1]

    def __add__(self, other: Tensor) -> Tensor:
        from netgen.ops.add import add

        return add(self, other)


class Construction:
    """Nodes collected so far, and the scope that names the next one."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.scopes: list[str] = []

    def unique_name(self, name: str) -> str:
        """Prefix a name with the current scope; a second one of the same name gets the suffix _2."""
        full = ".".join([*self.scopes, name])
        candidate, count = full, 1
        while candidate in self.nodes:
            count += 1
            candidate = f"{full}_{count}"
        return candidate

    def add(self, node: Node) -> Tensor:
        """Add a node under a name that is still free."""
        self.nodes[node.name] = node
        return Tensor(node.name, node.type)


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


def author_line() -> SourceLine:
    """File and line of the nearest frame that is not netgen's own machinery."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_MACHINERY):
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    return SourceLine(path.name, frame.f_lineno)


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Prefix the names of all values and parameters made inside with `name.`."""
    if not name or not all(part.isidentifier() or part.isdigit() for part in name.split(".")):
        raise GraphError(
            f"'{name}' cannot name a scope",
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
        op.check_count(given)
        kind = op.infer([operand.type for operand in given])
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


def value_name(operator: str, name: str | None) -> str:
    """Predict the name that `apply` will give next, without the scope; parameters are named after it."""
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
    """Make the graph of a construction; what no output needs is left out."""
    graph = Graph(name, construction.nodes.values(), [output.name for output in outputs])
    return graph.rewrite({})
