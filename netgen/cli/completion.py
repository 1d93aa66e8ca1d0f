"""The command `completion`: what a shell reads to complete commands, options and models."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

_VARIABLE = "_NETGEN_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and models in a SHELL.

    bash: `eval "$(netgen completion bash)"` in ~/.bashrc; zsh: the same with zsh in ~/.zshrc; fish:
    `netgen completion fish > ~/.config/fish/completions/netgen.fish`.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    words = kind(root, {}, "netgen", _VARIABLE)
    # Not `source()`: of bash it would start one first to ask for its version.
    click.echo(kind.source_template % words.source_vars())


def complete_model(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """The names of networks that a word begins, and files."""
    from netgen.models import NETWORKS

    names = [CompletionItem(name) for name in NETWORKS if name.startswith(begun)]
    # The shell looks for files itself, where it is given no names.
    return names or [CompletionItem(begun, type="file")]
