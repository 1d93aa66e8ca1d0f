"""The command about guides: `help`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

from netgen.cli.modes import HELP, refuses
from netgen.errors import UsageError


@click.command("help")
@refuses(HELP)
@click.argument("topic", required=False)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    help="Write all guides as one page: NAME.html.",
)
def show_guide(topic: str | None, page: Path | None) -> None:
    """Print a guide; without a TOPIC list them."""
    from netgen.report.guides import guide_text, guide_titles

    if page is not None:
        _write_page(page)
    elif topic is not None:
        _print_guide(guide_text(topic))
    else:
        width = max(map(len, titles := guide_titles()))
        click.echo("\n".join(f"{name:{width}}  {title}" for name, title in titles.items()))


def _write_page(page: Path) -> None:
    from netgen.emission.files import write_files
    from netgen.report.guides import guides_page

    if page.suffix != ".html":
        raise UsageError("the guides are a page", found=str(page), hint="name it guides.html")
    content = guides_page().encode()
    write_files(page.parent, {page.name: content})
    click.echo(f"wrote {page} ({len(content):,} bytes)", err=True)


def _print_guide(text: str) -> None:
    """Print Markdown: set for a person who watches, as it is for a file or a pager."""
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        click.echo(text, nl=False)
