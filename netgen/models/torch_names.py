"""Names of torchvision's parameters, from a readable list of units."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netgen.dsl.network import WeightTable
from netgen.ir.graph import Graph
from netgen.ir.operator import Const

_NORMALISATION = {
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "var": "running_var",
}
_LAYER = {"w": "weight", "b": "bias"}


def torch_names(graph: Graph, units: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Torch's names by netgen's.

    A unit is a scope; its pair names torch's convolution (or linear) and batch norm modules.
    Parameters of scopes that are not listed are left out, so that the strict fit reports them.
    """
    names: dict[str, str] = {}
    for node in graph.nodes:
        if not isinstance(node.op, Const):
            continue
        unit, _, rest = node.name.rpartition(".")
        unit, operator = unit.rpartition(".")[::2]
        if unit not in units:
            continue
        layer, normalisation = units[unit]
        if operator == "batch_norm":
            names[node.name] = f"{normalisation}.{_NORMALISATION[rest]}"
        else:
            names[node.name] = f"{layer}.{_LAYER[rest]}"
    return names


def torch_table(
    names: Callable[[Graph], Mapping[str, str]], title: str = "torchvision"
) -> tuple[WeightTable, ...]:
    """The table of a family of torch checkpoints: OIHW weights, and counters that are ignored."""
    return (WeightTable(title=title, layout="OIHW", names=names, ignored=("num_batches_tracked",)),)
