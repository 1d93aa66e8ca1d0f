"""Files that hold a model with its weights, by their suffix: the one table of formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from netgen.errors import UsageError
from netgen.frontends.onnx_file import load_onnx
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.files import load_graph
from netgen.ir.graph import Graph


@dataclass(frozen=True)
class Loader:
    """The reader of a format, and the names of the texts that it takes beside a path.

    One of open axes takes other names, too, as `axes`, and says itself which a file has.
    """

    read: Callable[..., Graph]
    parameters: tuple[str, ...] = ()
    open_axes: bool = False


LOADERS: dict[str, Loader] = {
    ".ir": Loader(load_graph),
    ".onnx": Loader(load_onnx, ("shapes",), open_axes=True),
    ".tflite": Loader(load_tflite, ("profile", "outputs")),
}


def load_file(
    path: Path, parameters: Mapping[str, object], named: Mapping[str, object] | None = None
) -> Graph:
    """The graph of a file, whose suffix has a loader; raises UsageError for other parameters.

    `named` are further parameters, or axes whatever their names are.
    """
    loader, named = LOADERS[path.suffix], named or {}
    if loader.open_axes:
        own = {name: parameters[name] for name in parameters if name in loader.parameters}
        others = {name: parameters[name] for name in parameters if name not in loader.parameters}
        return loader.read(path, **own, axes={**others, **named})
    given = {**parameters, **named}
    unknown = [name for name in given if name not in loader.parameters]
    if unknown:
        raise UsageError(
            f"a {path.suffix} file has its weights and parameters already",
            found=", ".join(unknown),
            hint="leave out --weights and -p"
            + (f", but for {', '.join(loader.parameters)}" if loader.parameters else ""),
        )
    return loader.read(path, **given)
