"""The text form of graphs: `print_graph` and `parse_graph` are each other's inverse.

    netgen 1
    graph tiny {
      %image   : f32[1,28,28,1] = input
      %conv1.w : f32[6,5,5,1]   = const {data=@conv1.w}
      %conv1   : f32[1,24,24,6] = conv2d(%image, %conv1.w) {act=relu}
      return %conv1
    }

Grammar (blanks and `#` comments to the end of a line are free between tokens):

    file       = "netgen" INT graph
    graph      = "graph" NAME [attributes] "{" {statement | next} "return" value {"," value} "}"
    next       = "next" value "=" value
    statement  = value ":" type "=" NAME ["(" [value {"," value}] ")"] [attributes]
    value      = "%" NAME                                  (one token)
    type       = NAME "[" [INT {"," INT}] "]" [attributes]
    attributes = "{" attribute {"," attribute} "}"
    attribute  = NAME "=" (INT | FLOAT | NAME | TEXT | "@" NAME | "(" [INT {"," INT}] ")")

Types are redundant on purpose: the parser recomputes and compares them. Braces behind a type say
what a code stands for: `i8[1,8] {scale=0x1p-7, zero=-3}`, with scales along an axis
`i8[8,3] {scale=@s, axis=0}`. Floats print in C's hexadecimal form, which is exact. `@` refers to an
array. A TEXT stands in double quotes. `next %s = %y` says that the state %s is %y in
the next run. The graph's own attribute `constants=@HASH` is the SHA-256 of the safetensors file
that holds the arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from netgen.errors import GraphError
from netgen.ir.attributes import AttributeValue, Notation, attribute_notations
from netgen.ir.graph import Graph, Node, SourceLine
from netgen.ir.operator import Const, Input, Operator, State
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import Quantisation, TensorType, hexadecimal
from netgen.ir.tokens import floating, integer, tokenise

VERSION = 1

# Notations of the attributes of graphs and of types; operators state those of their own.
_OF_GRAPHS: Mapping[str, Notation] = {"constants": "reference"}
_OF_TYPES: Mapping[str, Notation] = {"scale": "number or reference"}

_KINDS = {
    "value": "a value like %x",
    "reference": "an array like @x",
    "integer": "an integer",
    "float": "a hexadecimal float",
    "name": "a name",
    "text": "a text in double quotes",
    "end": "the end of the text",
}


def print_attributes(op: Operator) -> str:
    """The attributes of an operator in braces with a blank before, or nothing."""
    notations = attribute_notations(type(op))
    shown = [f"{key}={_printed(value, notations[key])}" for key, value in op.attributes().items()]
    return " {" + ", ".join(shown) + "}" if shown else ""


def _printed(value: AttributeValue, notation: Notation) -> str:
    if isinstance(value, tuple):
        alike = notation == "one for all" and len(set(value)) == 1
        return str(value[0]) if alike else f"({','.join(map(str, value))})"
    if isinstance(value, float):
        return hexadecimal(value)
    if notation == "text":
        return f'"{value}"'
    return f"@{value}" if notation == "reference" else str(value)


def print_node(node: Node) -> tuple[str, str, str]:
    """Name, type and definition of a value, as the three columns of a statement."""
    operands = ", ".join(f"%{operand}" for operand in node.operands)
    call = f"({operands})" if operands else ""
    attributes = print_attributes(node.op)
    return f"%{node.name}", str(node.type), f"{node.op.operator_name}{call}{attributes}"


def print_graph(graph: Graph, constants_sha256: str | None = None) -> str:
    """Text form of a graph; ends in a newline."""
    rows = [print_node(node) for node in graph.nodes]
    name_width = max((len(row[0]) for row in rows), default=0)
    type_width = max((len(row[1]) for row in rows), default=0)
    head = f" {{constants=@{constants_sha256}}}" if constants_sha256 else ""
    lines = [f"netgen {VERSION}", f"graph {graph.name}{head} {{"]
    lines += [f"  {a:<{name_width}} : {b:<{type_width}} = {c}" for a, b, c in rows]
    lines += [f"  next %{state} = %{value}" for state, value in sorted(graph.next_values.items())]
    lines += ["  return " + ", ".join(f"%{name}" for name in graph.outputs), "}"]
    return "\n".join(lines) + "\n"


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Say where a GraphError arose that is raised inside."""
    try:
        yield
    except GraphError as error:
        raise GraphError(str(error), where=where) from error


class _Parser:
    """Recursive descent over the tokens of one file."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.tokens = tokenise(text, file)
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    def where(self) -> str:
        return f"{self.file}:{self.tokens[self.at].line}"

    def take(self, kind: str, text: str | None = None) -> str:
        token = self.tokens[self.at]
        if token.kind != kind or (text is not None and token.text != text):
            raise GraphError(
                "IR text is malformed",
                where=self.where(),
                expected=repr(text) if text else _KINDS[kind],
                found=repr(token.text) if token.kind != "end" else token.text,
            )
        self.at += 1
        return token.text

    def has(self, text: str) -> bool:
        if self.kind in {"mark", "name"} and self.tokens[self.at].text == text:
            self.at += 1
            return True
        return False

    def integer(self) -> int:
        where = self.where()
        return integer(self.take("integer"), where)

    def value(self) -> str:
        return self.take("value")[1:]

    def values(self, closing: str | None) -> list[str]:
        if closing is not None and self.has(closing):
            return []
        values = [self.value()]
        while self.has(","):
            values.append(self.value())
        if closing is not None:
            self.take("mark", closing)
        return values

    def integers(self, closing: str) -> tuple[int, ...]:
        if self.has(closing):
            return ()
        integers = [self.integer()]
        while self.has(","):
            integers.append(self.integer())
        self.take("mark", closing)
        return tuple(integers)

    def attribute(self, notation: Notation) -> AttributeValue:
        either = notation == "number or reference" and self.kind == "reference"
        if either or notation == "reference":
            return self.take("reference")[1:]
        if notation == "text":
            return self.take("text")[1:-1]
        if self.has("("):
            return self.integers(")")
        if self.kind == "integer":
            return self.integer()
        if self.kind == "float":
            where = self.where()
            return floating(self.take("float"), where)
        return self.take("name")

    def attributes(self, notations: Mapping[str, Notation]) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {}
        while True:
            where = self.where()
            key = self.take("name")
            if key in attributes:
                raise GraphError(f"the attribute '{key}' stands twice", where=where)
            self.take("mark", "=")
            attributes[key] = self.attribute(notations.get(key, "plain"))
            if not self.has(","):
                self.take("mark", "}")
                return attributes

    def graph_name(self) -> str:
        # A graph may be named with digits alone, which read as a number.
        return self.take("integer" if self.kind == "integer" else "name")

    def hash_of_constants(self) -> str | None:
        """Take the graph's attributes, of which there is one, and the brace behind them."""
        self.take("mark", "{")
        if self.kind != "name" or self.tokens[self.at + 1].text != "=":
            return None
        where = self.where()
        attributes = self.attributes(_OF_GRAPHS)
        sha256 = str(attributes.pop("constants", ""))
        if attributes or not re.fullmatch("[0-9a-f]{64}", sha256):
            raise GraphError(
                "a graph has no such attribute",
                where=where,
                expected="constants=@ and the 64 digits of a SHA-256",
            )
        self.take("mark", "{")
        return sha256

    def type(self) -> TensorType:
        where = self.where()
        dtype = self.take("name")
        self.take("mark", "[")
        shape = self.integers("]")
        attributes = self.attributes(_OF_TYPES) if self.has("{") else None
        with _located(where):
            return TensorType(dtype, shape, _quantisation(attributes))

    def statement(self, known: Mapping[str, Node]) -> Node:
        line = self.tokens[self.at].line
        where = self.where()
        name = self.value()
        if name in known:
            raise GraphError("two values have the same name", where=f"{where}: %{name}")
        self.take("mark", ":")
        declared = self.type()
        self.take("mark", "=")
        operator = self.take("name")
        with _located(f"{where}: %{name}"):
            notations = attribute_notations(REGISTRY.find(operator))
        operands = self.values(")") if self.has("(") else []
        attributes = self.attributes(notations) if self.has("{") else {}
        self.check_known(operands, known, where)
        with _located(f"{where}: %{name}"):
            op = REGISTRY.make(operator, attributes)
            op.check_count(operands)
            types = [known[operand].type for operand in operands]
            leaf = isinstance(op, Input | State | Const)
            found = declared if leaf else op.result_type(types)
        if found != declared:
            raise GraphError(
                f"the type of %{name} is wrong",
                where=where,
                expected=str(found),
                found=str(declared),
            )
        return Node(name, op, tuple(operands), declared, SourceLine(self.file, line))

    def next_value(self, known: Mapping[str, Node], before: Mapping[str, str]) -> dict[str, str]:
        """A state and what it becomes, behind the word; `before` are those of other lines."""
        where, state = self.where(), self.value()
        self.take("mark", "=")
        value = self.value()
        self.check_known([state, value], known, where)
        if state in before:
            raise GraphError(f"%{state} has two next values", where=where)
        return {state: value}

    @staticmethod
    def check_known(names: list[str], known: Mapping[str, Node], where: str) -> None:
        for name in names:
            if name not in known:
                raise GraphError(f"%{name} is used before it is defined", where=where)


def _quantisation(attributes: Mapping[str, AttributeValue] | None) -> Quantisation | None:
    """The quantisation in the braces behind a type; raises GraphError for other attributes."""
    if attributes is None:
        return None
    match dict(attributes):
        case {"scale": (float() | str()) as scale, **rest} if rest.keys() <= {"zero", "axis"}:
            zero, axis = rest.get("zero", 0), rest.get("axis")
            if isinstance(zero, int) and (axis is None or isinstance(axis, int)):
                return Quantisation(scale, zero, axis)
    raise GraphError(
        "a type has no such attributes",
        expected="{scale=0x1p-7, zero=0} or {scale=@NAME, axis=0}",
        found=", ".join(attributes),
    )


def parse_graph(text: str, file: str = "<text>") -> tuple[Graph, str | None]:
    """Read the graph of a text form, and the hash of its constants' file if it names one.

    The operators must be registered: import `netgen.ops` first. Raises GraphError with file and
    line for anything malformed or ill-typed.
    """
    parser = _Parser(text, file)
    parser.take("name", "netgen")
    where = parser.where()
    version = parser.integer()
    if version != VERSION:
        raise GraphError(
            "this IR text is of another version",
            where=where,
            expected=str(VERSION),
            found=str(version),
        )
    parser.take("name", "graph")
    name = parser.graph_name()
    sha256 = parser.hash_of_constants()
    nodes: dict[str, Node] = {}
    next_values: dict[str, str] = {}
    while not parser.has("return"):
        if parser.has("next"):
            next_values |= parser.next_value(nodes, next_values)
            continue
        node = parser.statement(nodes)
        nodes[node.name] = node
    where = parser.where()
    outputs = parser.values(None)
    parser.check_known(outputs, nodes, where)
    parser.take("mark", "}")
    parser.take("end")
    return Graph(name, nodes.values(), outputs, next_values=next_values), sha256
