"""States of a plan: what they are before the first run, as it stands in memory."""

from __future__ import annotations

import numpy as np

from netgen.ir.graph import Graph
from netgen.ir.interpret import initial_states
from netgen.ir.tensor_type import Array, TensorType
from netgen.plan.data.plan import Plan, PlannedState


def has_initial(kind: TensorType, data: str) -> bool:
    """Whether a state's elements must be kept with the weights: bytes that are not all the same."""
    return bool(data) or (kind.zero != 0 and kind.element.bytes > 1)


def initial_elements(plan: Plan, graph: Graph, state: PlannedState) -> Array:
    """The elements before the first run in logical order, as they are stored."""
    kind = plan.values[state.value].type
    array = np.ascontiguousarray(initial_states(graph)[state.value]).reshape(-1)
    element, bias = kind.element, plan.buffer_of(state.value).bias
    if bias:
        array = np.vectorize(element.wrap)(array.astype(np.int64) + bias)
    return array.astype(element.storage)
