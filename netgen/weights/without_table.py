"""Names that say layer and parameter, as torch's do: they need no table where layers are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from netgen.ir.graph import Graph
from netgen.weights.read import WeightFile
from netgen.weights.suffixes import suffix_of, torch_suffix


def match_suffixes(
    file: WeightFile, graph: Graph, expected: Iterable[str]
) -> tuple[dict[str, str], Literal["OIHW", "OHWI"]]:
    """The file's names for the network's parameters, and the layout that they stand for.

    The convolution `layer1.0.conv1` takes conv1.weight and conv1.bias of layer1.0, the batch norm
    `bn1` takes bn1.weight, bn1.bias, bn1.running_mean, bn1.running_var, or what `suffixes` holds
    besides. A layer without a name of its own takes that of its scope, if it is the only one there.
    What the file lacks is named as torch would. Weights are OIHW, as torch's, unless all endings
    are netgen's own `w`.
    """
    there: dict[tuple[str, str], list[str]] = {}
    own_endings = True
    for name in file.arrays:
        if suffix := suffix_of(name):
            own_endings &= suffix.ending != "weight"
            for letter in suffix.letters:
                there.setdefault((suffix.layer, letter), []).append(name)
    layers = _layers(graph, expected)
    names = {}
    for name in expected:
        owner, _, letter = name.rpartition(".")
        found = [there[key] for layer in layers[owner] if (key := (layer, letter)) in there]
        torch = f"{layers[owner][-1]}.{torch_suffix(letter)}"
        names[name] = min(found[0], key=_width) if found else torch
    return names, "OHWI" if own_endings else "OIHW"


def _width(name: str) -> int:
    """The number of parameters that a name's ending may stand for: the least are preferred.

    `gamma` stands for one parameter, `weight` for several.
    """
    suffix = suffix_of(name)
    return len(suffix.letters) if suffix else 0


def _layers(graph: Graph, expected: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The names that files may give to the layers of the network, by the owner of parameters.

    %conv1.w          conv1
    %conv1.conv2d.w   conv1.conv2d or, where nothing else in that scope has parameters, conv1
    """
    owners = {name.rpartition(".")[0] for name in expected}
    scopes = Counter(owner.rpartition(".")[0] for owner in owners)
    result = {}
    for owner in owners:
        scope, _, last = owner.rpartition(".")
        unnamed = owner in graph and graph[owner].op.operator_name == last
        alone = scope and scopes[scope] == 1 and scope not in owners
        result[owner] = (owner, scope) if unnamed and alone else (owner,)
    return result
