"""Pictures and pages as trees."""

from __future__ import annotations

from xml.etree import ElementTree as ET


def parse(text: str) -> ET.Element:
    """An SVG, or a page that is XML as well."""
    return ET.fromstring(text)  # noqa: S314  # netgen wrote it a moment ago: no attacker's
