"""The guides that come along: their topics, their texts, and one page of all of them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from markdown_it import MarkdownIt

from netgen import __version__
from netgen.errors import UsageError
from netgen.pictures.style import COLOURS, PAGE

FOLDER = Path(__file__).resolve().parents[1] / "guides"
# In the order in which they are read.
TOPICS = (
    *("board", "weights", "network", "ram", "rows", "quantise", "python", "machines", "c"),
    *("speed", "numerics", "models", "operator", "changelog"),
)

# Blocks of code and tables may be wider than a phone; they scroll by themselves.
_GUIDE = """
pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--rule);
  border-radius: 6px; padding: 8px 12px; font-size: 13px; line-height: 1.45; }
section table { display: block; overflow-x: auto; margin: 8px 0; }
h3 { display: block; margin: 24px 0 4px; }
nav a { margin-right: 12px; white-space: nowrap; }
li { max-width: 76ch; }
"""


def guide_text(topic: str) -> str:
    """The Markdown of a guide. Raises UsageError for a topic that there is not."""
    if topic not in TOPICS:
        alike = get_close_matches(topic.lower(), TOPICS, 1)
        hint = f"did you mean {alike[0]}? " if alike else ""
        raise UsageError(
            "there is no guide of this name",
            found=topic,
            hint=f"{hint}netgen help lists all topics",
        )
    return (FOLDER / f"{topic}.md").read_text(encoding="utf-8")


def guide_titles() -> dict[str, str]:
    """The heading of each guide, by its topic."""
    return {topic: guide_text(topic).partition("\n")[0].removeprefix("# ") for topic in TOPICS}


def guides_page() -> str:
    """All guides as one HTML page that needs no other file; links go from guide to guide."""
    titles = guide_titles()
    links = "".join(f'<a href="#{topic}">{title}</a>\n' for topic, title in titles.items())
    sections = "\n".join(f'<section id="{topic}">\n{_html(topic)}</section>' for topic in TOPICS)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>netgen: guides</title>\n<style>{COLOURS}{PAGE}{_GUIDE}</style>\n"
        f"</head>\n<body>\n<h1>netgen {__version__}: guides</h1>\n<nav>\n{links}</nav>\n"
        f"{sections}\n</body>\n</html>\n"
    )


def _html(topic: str) -> str:
    """A guide as HTML; its headings stand one level below the page's."""
    text = re.sub(r"\]\((\w+)\.md\)", r"](#\1)", guide_text(topic))
    lowered = re.sub(r"<(/?)h([1-4])>", lambda m: f"<{m[1]}h{int(m[2]) + 1}>", _render(text))
    assert isinstance(lowered, str)
    return lowered


def _render(text: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(text))
