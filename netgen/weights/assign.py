"""A network and a weight file -> a graph with its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from netgen.dsl.network import Network, ParameterValue, WeightTable
from netgen.errors import GraphError, WeightsError
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.ir.operator import Const
from netgen.ir.origin import Origin
from netgen.weights.bind import Layout, fit, match_fraction
from netgen.weights.naming import listed, one_line, shown
from netgen.weights.order import order_fault
from netgen.weights.positional import match_positions
from netgen.weights.read import WeightFile, read_weights
from netgen.weights.seeded import seeded_weights
from netgen.weights.suffixes import COUNTERS
from netgen.weights.without_table import match_suffixes

_OWN = WeightTable(
    title="netgen", layout="OHWI", names=lambda graph: {n: n for n in _shapes(graph)}
)

_BY_POSITION = "let their order decide (--by-position)"
_MOST_BYTES = 2**31 - 1  # as for any single value


@dataclass(frozen=True)
class _Candidate:
    """A table, the network built as its files imply, and how much of the file it explains."""

    table: WeightTable
    graph: Graph
    names: Mapping[str, str]
    fraction: float


def seeded_graph(network: Network, title: str, parameters: Mapping[str, object]) -> Graph:
    """The network with seeded weights; `title` is how the user names it.

    Raises UsageError or GraphError where there is no such network.
    """
    graph = _built(network, parameters)
    normalisation = network.expected_pixels(parameters)
    origin = _origin(network, title, parameters, graph, normalisation)
    return graph.with_constants(seeded_weights(graph), origin)


def weighted_graph(
    network: Network,
    title: str,
    path: Path,
    parameters: Mapping[str, object],
    *,
    by_position: bool = False,
) -> Graph:
    """The network with the weights of a file.

    The file's names decide which of the network's tables is used (netgen's own names are always
    understood, and torch's of layers that are called alike), and what it implies about the network
    holds unless the caller says otherwise. With `by_position` order and shapes count, and of names
    only what their endings say of tensors within a layer. Raises WeightsError, with all tensors
    that are missing, unexpected or misshapen.
    """
    file = read_weights(path)
    if by_position:
        best = _positional(network, file, parameters)
    else:
        best = _best_table(network, file, parameters)
    arrays = fit(
        file,
        _shapes(best.graph),
        best.names,
        lambda name: name.endswith(best.table.ignored) if best.table.ignored else False,
        best.table.layout,
    )
    normalisation = best.table.normalisation or network.expected_pixels(parameters)
    origin = _origin(network, title, parameters, best.graph, normalisation, file)
    origin = replace(origin, by_position=by_position)
    return best.graph.with_constants({**best.graph.constants, **arrays}, origin)


def _positional(network: Network, file: WeightFile, parameters: Mapping[str, object]) -> _Candidate:
    graph = _built(network, parameters)
    shapes = _shapes(graph)
    names, layout = match_positions(file, shapes)
    by_name, _ = match_suffixes(file, graph, shapes)
    if by_name != names and match_fraction(file, by_name) == 1.0:
        other = next(name for name in names if names[name] != by_name[name])
        raise WeightsError(
            "the weights are taken by position, but their names fit as well, and say otherwise",
            where=one_line(str(file.path)),
            expected=f"{by_name[other]} for %{other}",
            found=names[other],
            hint="leave the option out",
        )
    return _Candidate(_table_of("position", names, layout), graph, names, 1.0)


def _best_table(network: Network, file: WeightFile, parameters: Mapping[str, object]) -> _Candidate:
    """The table that explains most of the file. Raises WeightsError where none explains any."""
    candidates = [_candidate(network, table, file, parameters) for table in (_OWN, *network.tables)]
    own = candidates[0].graph
    names, layout = match_suffixes(file, own, _shapes(own))
    table = _table_of("torch", names, layout)
    candidates.append(_Candidate(table, own, names, match_fraction(file, names)))
    best = max(candidates, key=lambda candidate: candidate.fraction)
    if best.fraction == 0.0 and file.arrays:
        raise WeightsError(
            f"no tensor has a name that {network.name} knows",
            where=one_line(str(file.path)),
            expected=" or ".join(
                f"{c.table.title}'s names ({next(iter(c.names.values()), 'none')}, ...)"
                for c in candidates
            ),
            found=f"{shown(next(iter(file.arrays)))}, ...",
            hint="rename the tensors, choose the file's own model, or "
            + ("name the network's layers alike" if order_fault(file) else _BY_POSITION),
        )
    _require_names(network, best, file.path, parameters)
    return best


def _candidate(
    network: Network, table: WeightTable, file: WeightFile, parameters: Mapping[str, object]
) -> _Candidate:
    graph = _built(network, {**table.parameters, **parameters})
    names = table.names(graph)
    return _Candidate(table, graph, names, match_fraction(file, names))


def _table_of(title: str, names: Mapping[str, str], layout: Layout) -> WeightTable:
    """A table for one file."""
    return WeightTable(title, layout, lambda _: names, ignored=(COUNTERS,))


def _built(network: Network, parameters: Mapping[str, object]) -> Graph:
    """The network's graph, if its weights can be made: before any memory is asked for."""
    graph = network.build(**parameters)
    size = 4 * graph.parameters()
    if size > _MOST_BYTES:
        raise GraphError(
            f"the weights of {network.name} are too large",
            expected=f"at most {_MOST_BYTES} bytes",
            found=str(size),
            hint="choose parameters that make the network smaller",
        )
    return graph


def _require_names(
    network: Network, best: _Candidate, path: Path, parameters: Mapping[str, object]
) -> None:
    """Raise WeightsError where such files cannot hold what the network has."""
    unnamed = [name for name in _shapes(best.graph) if name not in best.names]
    if unnamed:
        given = ", ".join(f"{name}={value}" for name, value in parameters.items())
        first, more = ", ".join(unnamed[:3]), len(unnamed) - 3
        raise WeightsError(
            f"files with {best.table.title}'s names hold no {first}"
            + (f" and {more} more" if more > 0 else ""),
            where=one_line(str(path)),
            hint=f"build {network.name} as the file implies: check {given or 'its table of names'}",
            details=listed("not held", unnamed) if more > 0 else (),
        )


def _shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Parameters that a file must hold, as declared: constants without data of the network."""
    return {
        node.name: node.type.shape
        for node in graph.declared
        if isinstance(node.op, Const) and node.op.data not in graph.constants
    }


def _origin(
    network: Network,
    title: str,
    parameters: Mapping[str, object],
    graph: Graph,
    normalisation: Normalisation | None,
    file: WeightFile | None = None,
) -> Origin:
    """The origin for the header comment: parameters only if they differ from their defaults."""
    defaults = {parameter.name: parameter.default for parameter in network.parameters}
    settled = network.settle(parameters)
    shown: dict[str, ParameterValue] = {k: v for k, v in settled.items() if v != defaults[k]}
    channels = graph.inputs[0].type.shape[-1] if graph.inputs else 0
    fits = normalisation is not None and len(normalisation.mean) == channels
    return Origin(
        model=title,
        parameters=shown,
        weights_file=file.path.name if file else None,
        weights_sha256=file.sha256 if file else None,
        weights_licence=file.licence if file else None,
        normalisation=normalisation if fits else None,
    )
