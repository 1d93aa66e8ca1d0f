"""netgen turns small convolutional networks into portable, fast C.

    graph = netgen.load("mobilenet_v2", weights="mobilenet_v2.pth")
    model = netgen.compile(graph)
    logits = model(image)
    netgen.emit(graph, "model.c")

Importing this module is light: what compiling needs is imported when compiling.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netgen.compiler import compile, emit, load, quantize, save
    from netgen.errors import NetgenError
    from netgen.runtime.model import CompiledModel, load_compiled

__version__ = "0.1.0"
__all__ = [
    "CompiledModel",
    "NetgenError",
    "compile",
    "emit",
    "load",
    "load_compiled",
    "quantize",
    "save",
]

_HOMES = {
    "CompiledModel": "netgen.runtime.model",
    "NetgenError": "netgen.errors",
    "compile": "netgen.compiler",
    "emit": "netgen.compiler",
    "load": "netgen.compiler",
    "load_compiled": "netgen.runtime.model",
    "quantize": "netgen.compiler",
    "save": "netgen.compiler",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'netgen' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
