"""A bundle for make: the library and an example, for the host or for a board."""

from __future__ import annotations

from netgen.export.boards import board_files
from netgen.export.bundles.content import SOURCES, Bundle, Files

_BUILD = """
```sh
make        # build/example and build/lib{name}.a
make run    # {run}
```

`CC`, `AR` and `CFLAGS` can be set on the command line. Flags of a board's core stand in `BOARD`.
"""


def make_files(bundle: Bundle) -> Files:
    """Makefile, sources, example; with a board its start and linker script."""
    machine = () if bundle.board is None else bundle.board.flags
    own = [flag for flag in bundle.flags if flag not in machine]
    files = {
        **bundle.under(SOURCES),
        "example/main.c": bundle.example(),
        "Makefile": bundle.text("Makefile.j2", own_flags=own),
        **bundle.page(_BUILD.format(name=bundle.name, run=runs_where(bundle))),
    }
    return files | example_board(bundle)


def example_board(bundle: Bundle) -> Files:
    """The start and the linker script of the bundle's board, beside the example."""
    if bundle.board is None:
        return {}
    return {f"board/{name}": content for name, content in board_files(bundle.board).items()}


def runs_where(bundle: Bundle) -> str:
    """The words for what running the example does."""
    if bundle.board is None:
        return "tests the model here and runs it"
    return f"tests the model on QEMU's {bundle.board.name} ({bundle.board.core}) and runs it"
