"""A library for the Arduino IDE and its command line, with a sketch as example."""

from __future__ import annotations

from netgen.export.bundles.content import SOURCES, Bundle, Files

_BUILD = """
Put this folder into the `libraries` of the sketchbook, or import it as a ZIP. The sketch `Classify`
is among the examples of the library `{name}`, and prints to the serial port at 115200 baud.

On AVR all constants are copied to RAM, the weights as well, which the table counts as flash.
"""


def arduino_files(bundle: Bundle) -> Files:
    """library.properties, sources, and a sketch."""
    return {
        **bundle.under(SOURCES),
        "library.properties": bundle.text("library.properties.j2"),
        "examples/Classify/Classify.ino": bundle.text("Classify.ino.j2"),
        **bundle.page(_BUILD.format(name=bundle.name)),
    }
