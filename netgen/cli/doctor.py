"""The command `doctor`: what this machine has, what is missing, and the command for it."""

from __future__ import annotations

import click

from netgen.cli.options import as_json_option
from netgen.cli.output import print_json, print_table, progress
from netgen.errors import BuildError


@click.command()
@as_json_option
def doctor(as_json: bool) -> None:
    """Say what this machine has: compiler, processor, targets, extras, cache, boards.

    For each thing that is missing there is the command that installs it. The exit code is 0 when
    networks are compiled and run here, whatever extras and boards are missing, and 6 otherwise.
    """
    from netgen.report.doctor import doctor_facts, doctor_table, examine, ready

    with progress() as tell:
        tell("trying the C compiler")
        findings = examine()
    if as_json:
        print_json(doctor_facts(findings))
    else:
        print_table(doctor_table(findings))
    if not ready(findings):
        raise click.exceptions.Exit(BuildError.exit_code)
