"""Graphs of values: the one form that the DSL lowers to and that passes rewrite.

A graph is a networkx MultiDiGraph (a DiGraph would merge the two edges of `add(x, x)`): a node for
each value, an edge for each operand, its key the operand's position. Graphs are never changed in
place; `rewrite` gives a new one. Only this module imports networkx.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import networkx as nx
import numpy as np

from netgen.errors import GraphError
from netgen.ir.operator import Const, Input, Operator, Signature, State
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import Array, TensorType
from netgen.ir.tokens import check_name

# As its type says: of f32 float32, of i8 int8.
ConstantArray: TypeAlias = Array


@dataclass(frozen=True)
class SourceLine:
    """The line of the user's (or an architecture's) Python that made a value."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Node:
    """One value: its name, the operator that computes it, its operands by name, its type."""

    name: str
    op: Operator
    operands: tuple[str, ...]
    type: TensorType
    source: SourceLine | None = field(default=None, compare=False)


class Graph:
    """An immutable graph: nodes, the names of the outputs, and the arrays of its constants.

    `constants` may be empty (a graph read from text alone has shapes but no data). `origin` says
    where the network and its weights come from. `next_values` names, for every state, the value
    that the state is in the next run.
    """

    def __init__(
        self,
        name: str,
        nodes: Iterable[Node],
        outputs: Iterable[str],
        constants: Mapping[str, ConstantArray] | None = None,
        origin: Origin | None = None,
        next_values: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.origin = origin
        self.outputs = tuple(outputs)
        self.next_values = dict(next_values or {})
        self._net = nx.MultiDiGraph()
        nodes = list(nodes)
        check_name(name, "the name of a graph")
        for node in nodes:
            check_name(node.name, str(node.source or f"graph {name}"))
            if node.name in self._net:
                raise GraphError("two values have the same name", where=f"%{node.name}")
            self._net.add_node(node.name, node=node)
        for node in nodes:
            for position, operand in enumerate(node.operands):
                if operand not in self._net:
                    raise GraphError(f"unknown operand %{operand}", where=f"%{node.name}")
                self._net.add_edge(operand, node.name, key=position)
        self._check_results()
        self._order = self._topological_order()
        self._arrays = frozenset(self.arrays())
        self.constants = {key: a for key, a in (constants or {}).items() if key in self._arrays}

    def _check_results(self) -> None:
        """Raise GraphError where an output, or what a state becomes, is no value of the graph."""
        for output in self.outputs:
            if output not in self._net:
                raise GraphError(f"unknown output %{output}", where=f"graph {self.name}")
        for state, value in self.next_values.items():
            for known in (state, value):
                if known not in self._net:
                    raise GraphError(f"unknown value %{known}", where=f"next %{state} = %{value}")

    def _topological_order(self) -> tuple[Node, ...]:
        """Inputs as declared, then states; activations in topological order, constants before use.

        The order of the inputs is the interface, that of states is by name. Among activations, ties
        go by name: networkx's own order follows insertion, which a pass may change; names do not
        change.
        """
        try:
            names = [*nx.lexicographical_topological_sort(self._net)]
        except nx.NetworkXUnfeasible as error:
            raise GraphError("the values form a cycle", where=f"graph {self.name}") from error
        order: dict[str, Node] = {
            name: self[name] for name in self._net if isinstance(self[name].op, Input)
        }
        order |= {name: self[name] for name in names if isinstance(self[name].op, State)}
        for name in names:
            node = self[name]
            if isinstance(node.op, Const) and name not in self.results:
                continue
            for operand in node.operands:
                order.setdefault(operand, self[operand])
            order[name] = node
        return tuple(order.values())

    def arrays(self) -> set[str]:
        """The arrays that the graph names: of constants, of states' beginnings, of scales."""
        data = {node.op.data for node in self._order if isinstance(node.op, Const | State)}
        return (data - {""}) | self.scale_arrays()

    def scale_arrays(self) -> set[str]:
        """The arrays that types name as their scales along an axis."""
        known = (node.type.quantisation for node in self._order)
        return {q.scale for q in known if q is not None and isinstance(q.scale, str)}

    def __getitem__(self, name: str) -> Node:
        node: Node = self._net.nodes[name]["node"]
        return node

    def __contains__(self, name: str) -> bool:
        return name in self._net

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes that an output needs or that were declared, in topological order."""
        return self._order

    @property
    def declared(self) -> tuple[Node, ...]:
        """All nodes in the order in which they were made: of a network, that of its function."""
        return tuple(self[name] for name in self._net)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """Inputs in the order of the caller's arguments: as they were declared."""
        return tuple(node for node in self._order if isinstance(node.op, Input))

    @property
    def states(self) -> tuple[Node, ...]:
        """States, by name."""
        return tuple(node for node in self._order if isinstance(node.op, State))

    @property
    def results(self) -> tuple[str, ...]:
        """The values that a run leaves: outputs, then the next values of states."""
        return (*self.outputs, *self.next_values.values())

    @property
    def activations(self) -> tuple[Node, ...]:
        """Nodes that compute something: neither inputs, nor states, nor constants."""
        leaves = Input | State | Const
        return tuple(node for node in self._order if not isinstance(node.op, leaves))

    def first_codes(self) -> Node | None:
        """The first node that holds integers, which are codes mostly; None if all hold floats."""
        return next((node for node in self.nodes if not node.type.element.is_float), None)

    def users(self, name: str) -> tuple[Node, ...]:
        """Distinct nodes that read a value, ordered by name."""
        return tuple(self[user] for user in sorted(set(self._net.successors(name))))

    def sole_user(self, name: str) -> Node | None:
        """Find the one node that reads a value; None if it is also a result, or read twice."""
        if name in self.results or self._net.out_degree(name) != 1:
            return None
        return self[next(iter(self._net.successors(name)))]

    def operand_types(self, node: Node) -> tuple[TensorType, ...]:
        """Types of a node's operands."""
        return tuple(self[operand].type for operand in node.operands)

    def signature(self, node: Node) -> Signature:
        """The types of a node; raises GraphError where the graph has no data for a scale."""
        types = self.operand_types(node)
        return Signature(types, node.type, self.scales((*types, node.type)))

    def scales(self, types: Iterable[TensorType]) -> dict[str, Array]:
        """The scales along axes that types name; raises GraphError where there is no data."""
        scales = {}
        for kind in types:
            if kind.quantisation is not None and isinstance(kind.quantisation.scale, str):
                name = kind.quantisation.scale
                if name not in self.constants:
                    raise GraphError(f"the graph has no data for @{name}", where=str(kind))
                scales[name] = self.constants[name].astype(np.float64)
        return scales

    def is_const(self, name: str) -> bool:
        """Whether a value is a constant."""
        return isinstance(self[name].op, Const)

    def constant(self, name: str) -> ConstantArray:
        """Give the array of a constant value; raises GraphError where the graph has no data."""
        node = self[name]
        if not isinstance(node.op, Const):
            raise GraphError("this value is not a constant", where=f"%{name}")
        if node.op.data not in self.constants:
            raise GraphError(
                f"the graph has no data for @{node.op.data}",
                where=f"%{name}",
                hint="load it together with its weights",
            )
        return self.constants[node.op.data]

    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(node.op.macs(self.operand_types(node), node.type) for node in self.activations)

    def parameters(self) -> int:
        """Count the elements of weights, as papers count them: without batch norm's statistics.

        Constants whose data the network itself gives count as well: they take memory as weights do,
        and nothing tells whether they were learned, as scales in an `.onnx` file often are.
        """
        learned = {
            operand
            for node in self.activations
            for operand, letter in zip(
                node.operands, node.op.letters(len(node.operands)), strict=False
            )
            if self.is_const(operand) and letter not in node.op.statistics
        }
        return sum(self[name].type.elements for name in learned)

    def with_constants(
        self, constants: Mapping[str, ConstantArray], origin: Origin | None = None
    ) -> Graph:
        """Make the same graph with other data, and the origin of that data."""
        return Graph(self.name, self._order, self.outputs, constants, origin, self.next_values)

    def fresh_name(self, name: str) -> str:
        """Give a name that no value and no constant has: `name` itself, or with a suffix."""
        candidate, count = name, 1
        while candidate in self or candidate in self._arrays:
            count += 1
            candidate = f"{name}_{count}"
        return candidate

    def rewrite(
        self,
        nodes: Mapping[str, Node],
        constants: Mapping[str, ConstantArray] | None = None,
        renames: Mapping[str, str] | None = None,
        next_values: Mapping[str, str] | None = None,
    ) -> Graph:
        """Make a new graph with `nodes` added or replaced by name, and what nobody needs left out.

        `renames` redirects every use of a value, results included, to another one; chains of
        renames are followed. `next_values` take the place of what states become. Inputs stay even
        when nothing reads them: they are the interface. So do states that something reads which is
        needed.
        """
        merged = {node.name: node for node in self.declared} | dict(nodes)
        renames = renames or {}

        def resolve(name: str) -> str:
            while name in renames:
                name = renames[name]
            return name

        for name, node in merged.items():
            operands = tuple(resolve(operand) for operand in node.operands)
            if operands != node.operands:
                merged[name] = replace(node, operands=operands)
        outputs = [resolve(name) for name in self.outputs]
        following = {**self.next_values, **(next_values or {})}
        following = {state: resolve(value) for state, value in following.items()}
        live: set[str] = {node.name for node in self.inputs}
        pending = list(outputs)
        while pending:
            name = pending.pop()
            if name not in live:
                live.add(name)
                pending.extend(merged[name].operands)
                pending.extend([following[name]] if name in following else [])
        kept = [node for name, node in merged.items() if name in live]
        arrays = {**self.constants, **(constants or {})}
        following = {state: value for state, value in following.items() if state in live}
        return Graph(self.name, kept, outputs, arrays, self.origin, following)
