"""Index expressions of the emitted C, evaluated: integers, names, and what combines them."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping


def _quotient(a: int, b: int) -> int:
    """C rounds towards zero, Python down."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _quotient,
    ast.Mod: lambda a, b: a - b * _quotient(a, b),
}


def evaluate(expression: str, names: Mapping[str, int]) -> int:
    """The value of an expression that C and Python write alike; anything else is a TypeError."""
    return _value(ast.parse(expression, mode="eval").body, names)


def _value(node: ast.expr, names: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, names), _value(right, names))
    raise TypeError(f"no part of an index expression: {ast.dump(node)}")
