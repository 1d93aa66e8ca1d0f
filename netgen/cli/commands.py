"""The end of commands: errors of netgen and complaints of click in one line each, exit codes."""

from __future__ import annotations

from typing import NoReturn

import click

from netgen.cli.output import notes
from netgen.errors import NetgenError, UsageError
from netgen.report.text import error_text


class Commands(click.Group):
    """Prints errors, netgen's own and click's, one line each, and exits with their code."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        """Read the options that stand before the command."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as complaint:
            _stop(usage_error(complaint, str(info_name)))

    def invoke(self, context: click.Context) -> object:
        """Run the command; a traceback only with --debug."""
        debug = bool(context.params.get("debug"))
        try:
            with notes(debug=debug):
                return super().invoke(context)
        except click.UsageError as complaint:
            command = f"{context.command_path} {context.invoked_subcommand}"
            _stop(usage_error(complaint, command))
        except (NetgenError, MemoryError) as error:
            if debug:
                raise
            _stop(error)


def _stop(error: NetgenError | MemoryError) -> NoReturn:
    click.echo(error_text(error), err=True)
    raise click.exceptions.Exit(error.exit_code if isinstance(error, NetgenError) else 1)


def usage_error(complaint: click.UsageError, command: str) -> UsageError:
    """One line that ends in the way out; `command` is what the user called."""
    path = complaint.ctx.command_path if complaint.ctx is not None else command
    alike: list[str] | None = getattr(complaint, "possibilities", None)
    if alike:
        hint = f"did you mean {' or '.join(alike)}? {path} --help lists all"
        return UsageError(_plain(complaint.message), hint=hint)
    return UsageError(_plain(complaint.format_message()), hint=f"see {path} --help")


def _plain(text: str) -> str:
    """A sentence as the middle of a line: no capital, no breaks, no full stop."""
    words = " ".join(text.split()).replace("'. Choose from:", "', one of").removesuffix(".")
    return words[:1].lower() + words[1:]
