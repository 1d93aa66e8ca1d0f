"""The flash and the stack that compiled C takes, measured with the compiler that is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from netgen.emission.footprint import Footprint
from netgen.errors import BuildError
from netgen.runtime.programs import run_program

# A node and an edge of the call graph as gcc writes it; of functions elsewhere no stack is known.
_NODE = re.compile(r'node: \{ title: "(?P<name>[^"]*)" label: "(?P<label>[^"]*)"')
_EDGE = re.compile(r'edge: \{ sourcename: "(?P<caller>[^"]*)" targetname: "(?P<callee>[^"]*)"')
_BYTES = re.compile(r"(\d+) bytes \((\w+)")
# The functions whose assembler pushes, and how much: `templates/dsp/dots.c.j2`, `templates/mve`.
# gcc does not count it, and clones have names that go on.
_PUSHES = (
    (re.compile(r"_pairs_(fixed|real|even)_(signed_)?(clamped_)?[iu]8(\.|$)"), 80),
    (re.compile(r"_slide_[12]_(signed_)?[iu]8(\.|$)"), 40),
    (re.compile(r"_dots_(fixed|real)_(signed_)?i8(\.|$)"), 36),
    (re.compile(r"_rows_[12]_(signed_)?(clamped_)?i8(\.|$)"), 36),
)
# Sections that take flash, by what they begin with.
_CODE, _CONSTANTS, _VARIABLES = (".text", ".model_code"), (".rodata",), (".data", ".bss")


def measure_footprint(source: Path, toolchain: str, flags: Sequence[str], board: str) -> Footprint:
    """Compile a C file beside its header, with flags of a board, and look at the object.

    Raises BuildError where one of them fails.
    """
    folder, made = source.parent, source.with_suffix(".footprint.o")
    compiler, size = f"{toolchain}gcc", f"{toolchain}size"
    wanted = ["-ffunction-sections", "-fcallgraph-info=su"]
    run_program([compiler, *flags, *wanted, "-c", source, "-o", made], folder)
    graph = made.with_suffix(".ci")
    if not graph.exists():
        raise BuildError(f"{compiler} writes no call graph", expected="gcc 10 or newer")
    sections = _sections(run_program([size, "--format=sysv", made], folder))
    stack, chain = deepest(*read_call_graph(graph.read_text()))
    version = run_program([compiler, "--version"], folder).splitlines()[0]
    return Footprint(
        code=_sum_of(sections, _CODE),
        constants=_sum_of(sections, _CONSTANTS),
        variables=_sum_of(sections, _VARIABLES),
        stack=stack,
        chain=chain,
        compiler=f"{version}: {' '.join(flags)}",
        board=board,
    )


def _sections(printed: str) -> dict[str, int]:
    rows = [line.split() for line in printed.splitlines() if line.startswith(".")]
    return {row[0]: int(row[1]) for row in rows}


def _sum_of(sections: Mapping[str, int], opens: tuple[str, ...]) -> int:
    return sum(size for name, size in sections.items() if name.startswith(opens))


def read_call_graph(text: str) -> tuple[dict[str, int], dict[str, set[str]]]:
    """The stack of each function of a call graph, and the functions that it calls.

    What its assembler may push is part of it.

    Raises BuildError for a function whose stack depends on its arguments.
    """
    stacks: dict[str, int] = {}
    for node in _NODE.finditer(text):
        found = _BYTES.search(node["label"])
        if found is not None and found[2] != "static":
            raise BuildError(f"the stack of {node['name']} is {found[2]}", expected="static")
        pushed = max((size for names, size in _PUSHES if names.search(node["name"])), default=0)
        stacks[node["name"]] = int(found[1]) + pushed if found is not None else 0
    calls: dict[str, set[str]] = {name: set() for name in stacks}
    for edge in _EDGE.finditer(text):
        calls.setdefault(edge["caller"], set()).add(edge["callee"])
    return stacks, calls


def deepest(
    stacks: Mapping[str, int], calls: Mapping[str, Iterable[str]]
) -> tuple[int, tuple[str, ...]]:
    """The most stack that a chain of calls takes, and its functions. Raises BuildError for a cycle.

    The name of a static function is behind the file's, which is left out.
    """
    known: dict[str, tuple[int, tuple[str, ...]]] = {}

    def below(name: str, above: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        if name in above:
            raise BuildError(f"{name} calls itself", expected="calls without a cycle")
        if name not in known:
            deeper = [below(callee, (*above, name)) for callee in sorted(calls.get(name, ()))]
            most, chain = max(deeper, default=(0, ()), key=lambda found: found[0])
            known[name] = stacks.get(name, 0) + most, (name.rpartition(":")[2], *chain)
        return known[name]

    return max((below(name, ()) for name in stacks), default=(0, ()), key=lambda found: found[0])
