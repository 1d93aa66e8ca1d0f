"""ONNX operators as cases: a small model, and from which opset to which it is tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from netgen.errors import NetgenError
from netgen.export.onnxruntime_session import open_session
from netgen.frontends.onnx_versions import NEWEST
from netgen.ir.interpret import interpret
from tests.frontends.conftest import Load, as_image
from tests.frontends.onnx_models import Floats, Model

OLDEST = 11


@dataclass(frozen=True)
class Case:
    """A model by `build`, which is computed as the judge does, or refused with `refused`."""

    build: Callable[[Model], Model]
    shape: Sequence[int] = (1, 6, 5, 4)
    first: int = OLDEST
    last: int = max(NEWEST.values())
    refused: str = ""

    def model(self, opset: int) -> Model:
        return self.build(Model({"x": self.shape}, opset=opset))


Cases = Mapping[str, Sequence[Case]]
Input = npt.ArrayLike


def case(
    operator: str,
    *inputs: Input,
    outputs: Sequence[str] = ("y",),
    read: Sequence[str] = ("y",),
    shape: Sequence[int] = (1, 6, 5, 4),
    first: int = OLDEST,
    last: int = max(NEWEST.values()),
    refused: str = "",
    **attributes: object,
) -> Case:
    """An operator on `x`, an input of this shape; what is no name is a constant."""

    def build(model: Model) -> Model:
        model.outputs = read
        return model.node(operator, named(model, inputs), outputs, **attributes)

    return Case(build, shape, first, last, refused)


def folded(
    operator: str,
    *inputs: Input,
    shape: Sequence[int] = (6,),
    first: int = OLDEST,
    last: int = max(NEWEST.values()),
    refused: str = "",
    **attributes: object,
) -> Case:
    """An operator on constants, whose result, as float32, has this shape and is added to `x`."""

    def build(model: Model) -> Model:
        model.node(operator, named(model, inputs), ["k"], **attributes)
        return model.node("Cast", ["k"], ["f"], to=1).node("Add", ["x", "f"], ["y"])

    return Case(build, (1, *shape), first, last, refused)


def named(model: Model, inputs: Sequence[Input]) -> list[str]:
    """The inputs of a node: names stay, lists of integers and arrays become constants."""
    names = []
    for number, value in enumerate(inputs):
        if isinstance(value, str):
            names.append(value)
            continue
        array = np.asarray(value)
        kind = {"float64": "float32"}.get(str(array.dtype), str(array.dtype))
        names.append(model.constant(f"k{number}", array, kind))
    return names


def versions(operator: str) -> list[int]:
    """The opsets that changed an operator, the oldest one that is read first."""
    return sorted(_forms(operator))


def _forms(operator: str) -> dict[int, object]:
    """Parts that a node of each version may have, by opset: most versions only add types."""
    newest = max(NEWEST.values())
    return {max(since, OLDEST): form for since, form in _history()[operator] if since <= newest}


@cache
def _history() -> dict[str, list[tuple[int, object]]]:
    """The forms of all operators, the oldest first, with the opsets that brought them."""
    from onnx.defs import get_all_schemas_with_history

    found = defaultdict[str, list[tuple[int, object]]](list)
    for schema in sorted(get_all_schemas_with_history(), key=lambda each: each.since_version):
        if schema.domain == "":
            form = (sorted(schema.attributes), schema.max_input, schema.max_output)
            found[schema.name].append((schema.since_version, form))
    return dict(found)


def versions_of_new_forms(operator: str) -> set[int]:
    """The opsets that changed more of an operator than its types, and the newest."""
    forms = _forms(operator)
    opsets = sorted(forms)
    pairs = zip(opsets, [0, *opsets], strict=False)
    return {new for new, old in pairs if forms[new] != forms.get(old)} | {opsets[-1]}


def check_versions(load: Load, cases: Sequence[Case], opsets: Iterable[int]) -> None:
    """Assert for all cases in those versions what `check` does; all that fail are named."""
    failed = {}
    for opset in sorted(opsets):
        for number, each in enumerate(cases):
            if each.first <= opset <= each.last:
                try:
                    check(load, each, opset)
                except (AssertionError, NetgenError, pytest.fail.Exception) as error:
                    failed[f"opset {opset}, case {number}"] = str(error)
    assert not failed, "\n".join(f"{where}: {error}" for where, error in failed.items())


def check(load: Load, case: Case, opset: int) -> None:
    """Assert that netgen computes what the judge does, or says why it does not."""
    model = case.model(opset)
    if case.refused:
        model.faulty = True
        with pytest.raises(NetgenError, match=case.refused):
            load(model)
        return
    graph = load(model)
    images = model.images()
    found = interpret(graph, {name: as_image(image) for name, image in images.items()})
    for name, expected in zip(graph.outputs, judged(model, images), strict=True):
        assert found[name].shape == as_image(expected).shape
        np.testing.assert_allclose(found[name], as_image(expected), rtol=1e-6, atol=1e-5)


def judged(model: Model, images: dict[str, Floats]) -> list[Floats]:
    """Results of ONNX Runtime, or of onnx's reference where that has no kernel."""
    from onnx.reference import ReferenceEvaluator
    from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

    proto = model.proto()
    try:
        results = open_session(proto.SerializeToString()).run(None, images)
    except NoKernel:
        results = ReferenceEvaluator(proto).run(None, images)
    return [np.asarray(result) for result in results]


def attributes_tried(operator: str, cases: Sequence[Case], opset: int) -> Iterator[str]:
    """The attributes that the cases of an opset give to an operator."""
    for case in cases:
        if case.first <= opset <= case.last:
            for node in case.model(opset).nodes:
                if node.op_type == operator:
                    yield from (attribute.name for attribute in node.attribute)


def check_complete(operator: str, cases: Sequence[Case]) -> None:
    """Assert that cases try every version of an operator, and every attribute of each."""
    from onnx.defs import get_schema

    for opset in versions(operator):
        assert any(case.first <= opset <= case.last for case in cases)
        known = get_schema(operator, opset, "").attributes.keys()
        assert known == set(attributes_tried(operator, cases, opset)), opset
