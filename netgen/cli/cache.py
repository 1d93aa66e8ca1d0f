"""The commands about what is kept: `cache list`, `cache size` and `cache clear`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from netgen.cli.options import as_json_option
from netgen.cli.output import help_without_command, print_json, print_table
from netgen.errors import UsageError


@click.group("cache", invoke_without_command=True)
@click.pass_context
def cache(context: click.Context) -> None:
    """Look at the folder of compiled libraries and weights, or empty it.

    The folder is $NETGEN_CACHE_DIR, else netgen in $XDG_CACHE_HOME, or in ~/.cache. It takes at
    most $NETGEN_CACHE_LIMIT bytes (2G, say, or none; 4G by default): what was not used for longest
    goes first.
    """
    help_without_command(context)


@cache.command("list")
@as_json_option
def list_entries(as_json: bool) -> None:
    """List all files, the one that was not used for longest first."""
    from netgen.report.cached import entry_facts, entry_table
    from netgen.runtime.cache_limit import entries

    found, now = entries(_folder()), time.time()
    if as_json:
        print_json(entry_facts(found, now))
    else:
        print_table(entry_table(found, now))


@cache.command("size")
@as_json_option
def size(as_json: bool) -> None:
    """Say how much there is, and how much there may be."""
    from netgen.report.byte_words import byte_words
    from netgen.runtime.cache_limit import cache_limit, entries

    folder, limit = _folder(), cache_limit()
    found = entries(folder)
    total = sum(entry.bytes for entry in found)
    if as_json:
        facts = {"folder": str(folder), "files": len(found), "bytes": total, "limit": limit}
        print_json(facts)
        return
    most = "no limit" if limit is None else f"at most {byte_words(limit)}"
    click.echo(f"{folder}: {len(found)} files, {byte_words(total)}, {most}")


@cache.command("clear")
def clear() -> None:
    """Remove all files. Models that are loaded go on; others are compiled again."""
    from netgen.report.byte_words import byte_words
    from netgen.runtime.cache_limit import entries, remove

    folder = _folder()
    found = entries(folder)
    click.echo(f"{folder}: removed {len(found)} files, {byte_words(remove(found))}", err=True)


def _folder() -> Path:
    from netgen.runtime.cache import cache_folder

    folder = cache_folder()
    if folder is None:
        raise UsageError(
            "there is no cache folder: this user has no home",
            hint="set NETGEN_CACHE_DIR to a folder",
        )
    return folder
