"""A compiled model in a notebook: its ports and memory, and the map of its arena."""

from __future__ import annotations

import base64

from netgen.runtime.html import table_html
from netgen.runtime.model_image import ModelImage, ModelPort


def model_html(image: ModelImage) -> str:
    """Tables, and the picture as one that no style of the page changes."""
    ports = [("input", port) for port in image.inputs] + [("output", p) for p in image.outputs]
    facts = [
        ["target", image.target],
        ["system", image.platform],
        ["arena", f"{image.arena_bytes:,} bytes"],
        ["threads", f"{image.threads}"],
        ["steps", f"{len(image.steps)}"],
    ]
    rows = [[kind, port.name, str(port.shape), _element(port)] for kind, port in ports]
    shown = table_html(["", "name", "shape", "type"], rows) + table_html(["", ""], facts)
    if not image.memory_map:
        return shown
    data = base64.b64encode(image.memory_map.encode()).decode()
    return f'{shown}<img alt="memory map" src="data:image/svg+xml;base64,{data}">'


def _element(port: ModelPort) -> str:
    if port.scale is None:
        return port.dtype
    return f"{port.dtype}, {port.scale:.6g} * (q - {port.zero_point})"
