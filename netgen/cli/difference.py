"""The command `diff`: two plans, or two results of boards."""

from __future__ import annotations

from pathlib import Path

import click

from netgen.cli import options as cli_options
from netgen.cli.output import print_json, print_table


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@cli_options.as_json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Print the numbers in which two JSON files differ: plans, or results of bench --board.

    It ends with exit code 0 in any case: --max-arena and --max-flash of `compile` are limits.
    """
    from netgen.report.difference import changes, difference_table, read_document

    found = changes(read_document(old), read_document(new))
    if as_json:
        print_json([change.as_json() for change in found])
    elif found:
        print_table(difference_table(found))
    else:
        click.echo("no number differs")
