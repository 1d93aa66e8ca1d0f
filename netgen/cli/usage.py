"""What click complains about, in the form of netgen's own errors."""

from __future__ import annotations

import click

from netgen.errors import UsageError


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
