"""The content of a bundle that is alike in all kinds: the C, an example, a page, the licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netgen import __version__
from netgen.emission.environment import render
from netgen.emission.header import caller_memory, title_of
from netgen.emission.interface import Port, input_as, input_ports, output_ports
from netgen.emission.options import EmitOptions
from netgen.export.boards import Board
from netgen.export.measured import compile_flags
from netgen.ir.origin import Origin
from netgen.kernels.targets import find_target
from netgen.plan.data.plan import Plan

Files = dict[str, bytes]
# Where most kinds have their sources.
SOURCES = "src"


@dataclass(frozen=True)
class Bundle:
    """A model to be packed: its plan, and the `files` of its C by name; perhaps for a `board`."""

    plan: Plan
    origin: Origin
    options: EmitOptions
    files: Mapping[str, bytes]
    board: Board | None

    @property
    def name(self) -> str:
        """The stem of all files and the prefix of all names."""
        return self.options.stem

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the C files."""
        return tuple(name for name in self.files if name.endswith(".c"))

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of gcc for the model: the board's, else the target's."""
        if self.board is None:
            return find_target(self.plan.target).flags("gcc")
        return compile_flags(self.plan, self.board)

    @property
    def definitions(self) -> tuple[str, ...]:
        """Macros for a board whose script has places for weights, arena and code."""
        if self.board is None:
            return ()
        upper = self.name.upper()
        return tuple(
            f'{upper}_{what}_ATTR=__attribute__((section("{section}")))'
            for what, section in self.board.sections.items()
        )

    def under(self, folder: str) -> Files:
        """The files of the C in a folder."""
        return {f"{folder}/{name}": content for name, content in self.files.items()}

    def text(self, template: str, **more: object) -> bytes:
        """A template of bundles, with what all of them may say."""
        return render(f"bundles/{template}", **self._context(), **more).encode()

    def example(self, entry: str = "int main(void)") -> bytes:
        """A program that tests the model and runs it; `entry` opens the function it starts in."""
        return self.text("example.c.j2", entry=entry, returns=entry.startswith("int"))

    def page(self, build: str) -> Files:
        """The page about the bundle, whose `build` is how to build it, and the licence."""
        return {
            "README.md": self.text("README.md.j2", build=build.strip()),
            "LICENSE": self.text("LICENSE.j2"),
        }

    def _context(self) -> dict[str, object]:
        plan, image = self.plan, input_as(self.plan)
        reads = input_ports(plan)
        lent = [] if image == "arena" else ["row" if image == "rows" else p.variable for p in reads]
        arguments = [*lent, *(port.variable for port in output_ports(plan))]
        runs = [port.variable for port in reads] if image == "caller" else []
        return {
            "prefix": self.options.prefix,
            "upper": self.options.prefix.upper(),
            "name": self.name,
            "title": title_of(self.origin),
            "version": __version__,
            "sources": self.sources,
            "objects": [f"{source.removesuffix('.c')}.o" for source in self.sources],
            "flags": " ".join(self.flags),
            "board": self.board,
            "definitions": self.definitions,
            "input_as": image,
            "inputs": reads,
            "outputs": output_ports(plan),
            "fills": [_fill(port) for port in reads],
            "test_arguments": ", ".join(arguments),
            "run_arguments": ", ".join([*runs, *(p.variable for p in output_ports(plan))]),
            "numbers": self._numbers(),
            "command": self.options.command,
        }

    def _numbers(self) -> list[tuple[str, str]]:
        """The rows of the page's table."""
        plan = self.plan
        state = f", of them {plan.state_bytes:,} kept between runs" if plan.states else ""
        return [
            ("multiply-accumulates", f"{plan.macs:,}"),
            ("weights", f"{plan.weights_bytes:,} bytes of flash, and the code"),
            ("arena", f"{plan.certificate.arena_bytes:,} bytes of RAM{state}"),
            ("memory of the caller", caller_memory(plan)),
        ]


def _fill(port: Port) -> str:
    """An element of a made-up image, by its number i, as an expression."""
    return f"({port.c_type})(i % 97u)" if port.dtype != "f32" else "(float)(i % 97u) / 48.0f - 1.0f"
