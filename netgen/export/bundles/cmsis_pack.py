"""A software pack of CMSIS: a component, and the example as a template of user code."""

from __future__ import annotations

from netgen.export.bundles.content import SOURCES, Bundle, Files

VENDOR = "netgen"
_BUILD = """
Zip the content of this folder as `{vendor}.{name}.1.0.0.pack`, and add it with `cpackget add`. The
component is `Machine Learning:NN:{name}`, the example its template of user code.
"""


def cmsis_pack_files(bundle: Bundle) -> Files:
    """The pack's description, sources, and the example."""
    return {
        **bundle.under(SOURCES),
        f"{VENDOR}.{bundle.name}.pdsc": bundle.text("pack.pdsc.j2", vendor=VENDOR),
        "example/main.c": bundle.example(),
        **bundle.page(_BUILD.format(vendor=VENDOR, name=bundle.name)),
    }
