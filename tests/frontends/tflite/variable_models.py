"""Small models with variables: rows that are kept, sums, delay lines, orders of reading."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tests.frontends.tflite.tflite_models import NONE, VALID, Model

Shape = tuple[int, ...]
ROWS: Shape = (1, 3, 1, 4)
ROW: Shape = (1, 1, 1, 4)


def handle(model: Model, name: str, tensor: str = "", container: str = "") -> str:
    """A handle of a variable: its tensor."""
    tensor = tensor or f"{name}.handle"
    model.tensor(tensor, (), "RESOURCE")
    model.node("VAR_HANDLE", [], [tensor], SharedName=name, Container=container)
    return tensor


def read(model: Model, variable: str, result: str, shape: Shape, kind: str = "float32") -> str:
    """Read a variable, given its handle."""
    if result not in model._places:  # codes were declared before
        model.tensor(result, shape, kind)
    model.node("READ_VARIABLE", [variable], [result])
    return result


def begin(model: Model, **arrays: npt.ArrayLike) -> Model:
    """A subgraph that runs once and gives variables, by name, their beginning."""
    model.node("CALL_ONCE", [], [], InitSubgraphIndex=1 + len(model.others))
    once = model.another()
    for name, array in arrays.items():
        variable = handle(once, name)
        kind = str(np.asarray(array).dtype)
        kind = "float32" if kind.startswith(("float", "int64")) else kind
        constant = once.constant(f"{name}.begins", array, kind)
        once.node("ASSIGN_VARIABLE", [variable, constant], [])
    return once


def cut(model: Model, x: str, y: str, first: int, end: int, shape: Shape) -> str:
    """Rows of an image."""
    model.tensor(y, (shape[0], end - first, *shape[2:]))
    places = [(0, first, 0, 0), (1, end, *shape[2:]), (1, 1, 1, 1)]
    numbers = [model.integers(f"{y}{n}", *place) for n, place in enumerate(places)]
    model.node("STRIDED_SLICE", [x, *numbers], [y], BeginMask=0, EndMask=0)
    return y


def kept_rows(new: int = 1, keep: int = 3) -> Model:
    """Rows of the runs before, then those of this one; the last ones are kept."""
    model = Model({"x": (1, new, 1, 4)})
    begin(model, s=np.arange(4.0 * keep).reshape(1, keep, 1, 4))
    variable = handle(model, "s")
    before = read(model, variable, "before", (1, keep, 1, 4))
    whole: Shape = (1, keep + new, 1, 4)
    model.tensor("rows", whole)
    model.node("CONCATENATION", [before, "x"], ["rows"], Axis=1, FusedActivationFunction=NONE)
    after = cut(model, "rows", "after", new, keep + new, whole)
    model.node("ASSIGN_VARIABLE", [variable, after], [])
    model.tensor("y", (1, 1, 1, 4))
    return model.node(
        "MAX_POOL_2D", ["rows"], ["y"], Padding=VALID, StrideH=1, StrideW=1,
        FilterHeight=keep + new, FilterWidth=1, FusedActivationFunction=NONE,
    )  # fmt: skip


def add(model: Model, a: str, b: str, y: str, shape: Shape = ROW) -> str:
    model.tensor(y, shape)
    model.node("ADD", [a, b], [y], FusedActivationFunction=NONE)
    return y


def running_sum() -> Model:
    """Zeros at the beginning; the state is an output."""
    model = Model({"x": ROW})
    begin(model, s=np.zeros(ROW))
    variable = handle(model, "s")
    total = add(model, read(model, variable, "before", ROW), "x", "y")
    return model.node("ASSIGN_VARIABLE", [variable, total], [])


def read_before_and_after() -> Model:
    """The same variable by two handles: read, assigned, read, assigned again, read."""
    model = Model({"x": ROW}, ("y", "z", "old"))
    begin(model, s=np.ones(ROW))
    one, two = handle(model, "s", "one"), handle(model, "s", "two")
    read(model, one, "old", ROW)
    model.node("ASSIGN_VARIABLE", [two, add(model, "old", "x", "first")], [])
    read(model, one, "y", ROW)
    model.node("ASSIGN_VARIABLE", [one, add(model, "y", "y", "second")], [])
    read(model, two, "z", ROW)
    return model


def assigned_first() -> Model:
    """Nothing of the run before is read: no state."""
    model = Model({"x": ROW})
    variable = handle(model, "s")
    model.node("ASSIGN_VARIABLE", [variable, add(model, "x", "x", "twice")], [])
    return model.node(
        "ADD", [read(model, variable, "r", ROW), "x"], ["y"], FusedActivationFunction=NONE
    )


def never_assigned() -> Model:
    """The beginning of a variable, in every run."""
    model = Model({"x": ROW})
    begin(model, s=np.arange(4.0).reshape(ROW))
    add(model, read(model, handle(model, "s"), "r", ROW), "x", "y")
    return model


def containers() -> Model:
    """Two variables of one name in two containers, which change places."""
    model = Model({"x": ROW}, ("y", "z"))
    for container in ("a", "b"):
        model.node("CALL_ONCE", [], [], InitSubgraphIndex=1 + len(model.others))
        once = model.another()
        variable = handle(once, "s", container=container)
        constant = once.constant(f"begins.{container}", np.full(ROW, ord(container)))
        once.node("ASSIGN_VARIABLE", [variable, constant], [])
    a, b = (handle(model, "s", c, container=c) for c in ("a", "b"))
    of_a, of_b = read(model, a, "of_a", ROW), read(model, b, "of_b", ROW)
    add(model, of_a, "x", "y")
    add(model, of_b, "x", "z")
    model.node("ASSIGN_VARIABLE", [a, of_b], [])
    return model.node("ASSIGN_VARIABLE", [b, of_a], [])


def delay_line() -> Model:
    """The input of the run before, and of the one before that."""
    model = Model({"x": ROW}, ("y",))
    begin(model, s=np.zeros(ROW), t=np.full(ROW, 7.0))
    s, t = handle(model, "s"), handle(model, "t")
    last, before = read(model, s, "last", ROW), read(model, t, "before", ROW)
    model.node("ASSIGN_VARIABLE", [t, last], [])
    model.node("ASSIGN_VARIABLE", [s, "x"], [])
    add(model, last, before, "y")
    return model


def codes() -> Model:
    """Rows of int8, which begin as zero points, and some that do not."""
    model = Model({"x": ROW}, ("y",))
    shapes: dict[str, Shape] = {"q": ROW, "before": ROWS, "rows": (1, 4, 1, 4), "y": (1, 4, 1, 4)}
    for name, shape in shapes.items():
        model.codes_of(name, shape, "int8", 1 / 16, -5)
    model.codes_of("after", ROWS, "int8", 1 / 16, -5)
    once = begin(model, s=np.full(ROWS, -5, np.int8))
    once.codes_of("s.begins", ROWS, "int8", 1 / 16, -5)
    once.tensors[once._places["s.begins"]].fields["Buffer"] = len(model.buffers) - 1
    variable = handle(model, "s")
    read(model, variable, "before", ROWS)
    model.node("QUANTIZE", ["x"], ["q"])
    model.node("CONCATENATION", ["before", "q"], ["rows"], Axis=1, FusedActivationFunction=NONE)
    kept = dict(model.tensors[model._places["after"]].fields)
    cut(model, "rows", "after", 1, 4, (1, 4, 1, 4))
    model.tensors[model._places["after"]].fields.update(kept)
    model.node("ASSIGN_VARIABLE", [variable, "after"], [])
    whole = model.integers("shape", 1, 4, 1, 4)
    return model.node("RESHAPE", ["rows", whole], ["y"])


BUILDS: dict[str, Callable[[], Model]] = {
    "kept rows": kept_rows,
    "more new rows than kept ones": lambda: kept_rows(5, 2),
    "a running sum": running_sum,
    "read before and after": read_before_and_after,
    "assigned first": assigned_first,
    "never assigned": never_assigned,
    "containers": containers,
    "a delay line": delay_line,
    "codes": codes,
}
