"""The parts of the report's page below its header, as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from netgen.ir.graph import Graph, Node
from netgen.kernels.layout import ChannelRun, dense_layout
from netgen.ops.channel_map import ChannelMap
from netgen.pictures.memory_map import largest_segments, memory_map, ring_rows, segment_name
from netgen.pictures.svg import plain
from netgen.plan.data.execution_order import height
from netgen.plan.data.plan import Buffer, Plan, Segment
from netgen.plan.pareto import Point, slower
from netgen.report.folding import Fold, fates, find_folds
from netgen.report.layers import layer_facts
from netgen.report.pareto_chart import pareto_chart
from netgen.report.stages import Row, graph_rows, plan_rows, stage_pictures
from netgen.report.table_html import Column, breaking, count, row, share, spanning, table

_POINTS = (
    Column("plan", "n"),
    Column("arena", "n"),
    Column("caller's", "n"),
    Column("MACs", "n"),
    Column("estimated time", "n"),
    Column("segments", "n"),
    Column("how the network is cut", "long"),
)
_BUFFERS = (
    Column("buffer", "name"),
    Column("where", "n"),
    Column("bytes", "n"),
    Column("segments", "n"),
    Column("rows held", "n"),
)
_LAYERS = (
    Column("step", "n"),
    Column("layer, operator", "long"),
    Column("reads → writes", "shape"),
    Column("MACs", "n"),
    Column("weight bytes", "n"),
    Column("activation bytes", "n"),
    Column("C function, calls", "long"),
    Column("estimated", "n"),
)
_MEASURED = Column("measured", "n")
_FOLDS = (Column("what is left", "name"), Column("computes", "long"))
_MAPS = (Column("value", "name"), Column("its channels", "long"), Column("operands", "long"))
_LAYOUTS = (
    Column("value", "name"),
    Column("shape", "shape"),
    Column("buffer", "name"),
    Column("of", "n"),
    Column("places = channels", "long"),
)


def memory_section(plan: Plan) -> str:
    """The memory map, what it shows, and all buffers."""
    certificate = plan.certificate
    largest = segment_name(plan, largest_segments(plan)[0])
    proof = (
        "which is proven optimal for this schedule and these overlaps"
        if certificate.gap_bytes == 0
        else f"which is {certificate.gap_bytes:,} bytes above what is surely needed"
    )
    text = (
        f"The arena has {certificate.arena_bytes:,} bytes, {proof}. Most bytes are alive in "
        f"the segments with an arrow, the first of them <code>{plain(largest)}</code>. "
        "Hatched buffers are rings, which hold only the rows that wait; dotted outlines are "
        "buffers that stand on each other, on bytes that are read no more. The dashed line is the "
        "lower bound."
    )
    buffers = sorted(plan.buffers.values(), key=lambda b: (b.first, b.offset, b.name))
    rows = [_buffer_row(plan, buffer) for buffer in buffers]
    picture = f'<div class="wide">{memory_map(plan)}</div>'
    return f"<p>{text}</p>\n{picture}\n{_folded_away('All buffers', table(_BUFFERS, rows))}"


def _buffer_row(plan: Plan, buffer: Buffer) -> str:
    held, rows = ring_rows(plan, buffer)
    where = f"{buffer.offset:,}" if buffer.in_arena else f"caller's {buffer.kind}"
    life = f"{buffer.first}–{buffer.last}"
    ring = f"{held} of {rows}" if held < rows else "all"
    return row(_BUFFERS, (breaking(buffer.name), where, f"{buffer.bytes:,}", life, ring))


def pareto_section(points: Sequence[Point], network: str) -> str:
    """The curve, and its plans as a table."""
    rows = [
        row(
            _POINTS,
            (
                str(index),
                f"{point.arena_bytes:,}",
                f"{point.caller_bytes:,}",
                f"×{point.mac_factor:.2f}",
                f"+{percent:.1f} %",
                str(point.segments),
                plain(point.cut),
            ),
        )
        for index, (point, percent) in enumerate(zip(points, slower(points), strict=True))
    ]
    text = (
        f"Less RAM takes more time. {_option('--ram')} with a plan's bytes of the arena gives that "
        f"plan; plan 0 is the one without {_option('--ram')}. Times are estimated by the cost "
        "model, as what they are more than that of the fastest plan."
    )
    chart = f'<div class="wide">{pareto_chart(points, network)}</div>'
    return f"<p>{text}</p>\n{chart}\n{table(_POINTS, rows)}"


def layers_section(plan: Plan, measured: Sequence[float] | None) -> str:
    """The table of steps, with measured milliseconds where there are any."""
    columns = _LAYERS if measured is None else (*_LAYERS, _MEASURED)
    facts = layer_facts(plan)
    cycles, milliseconds = sum(f.cycles for f in facts), sum(measured or ())
    opens = {s.first: (n, s) for n, s in enumerate(plan.segments) if not _whole(plan, s)}
    rows = []
    for index, layer in enumerate(facts):
        if index in opens:
            number, segment = opens[index]
            rows.append(spanning(columns, _segment_text(number, segment)))
        cells = [
            str(index),
            f"<b>{breaking(layer.name)}</b><br/>{plain(layer.operator)}",
            "<br/>+ ".join(layer.reads) + f"<br/>→ {layer.writes}",
            count(layer.macs),
            count(layer.weight_bytes),
            count(layer.activation_bytes),
            f"<code>{breaking(layer.function)}</code><br/>×{layer.bands}",
            share(layer.cycles, cycles),
        ]
        if measured is not None:
            cells.append(f"{measured[index]:.3f} ms<br/>{share(measured[index], milliseconds)}")
        rows.append(row(columns, cells))
    moved = sum(layer.activation_bytes for layer in facts)
    calls = sum(layer.bands for layer in facts)
    sums = ["", "in all", "", count(plan.macs), count(plan.weights_bytes), count(moved)]
    sums += [f"×{calls}", f"{cycles / 1e6:,.1f} M<br/>cycles"]
    sums += [] if measured is None else [f"{milliseconds:.3f} ms"]
    rows.append(row(columns, sums, "total"))
    return f"<p>{_layers_text(measured)}</p>\n{table(columns, rows)}"


def _layers_text(measured: Sequence[float] | None) -> str:
    text = (
        "Steps in the order of execution. Activation bytes are read and written together; equal "
        "layers share a C function, equal constants are kept once. The estimated share is the "
        "cost model's."
    )
    if measured is None:
        return f"{text} {_option('--measure')} adds measured times."
    return (
        f"{text} Measured are medians of several runs on one thread of this machine, the hook "
        "that reads the clock after every call included."
    )


def _whole(plan: Plan, segment: Segment) -> bool:
    """Whether a segment is one call that computes all of a step."""
    step = plan.steps[segment.first]
    return segment.first == segment.last and step.rows == height(plan, step)


def _segment_text(number: int, segment: Segment) -> str:
    if segment.first == segment.last:
        return f"segment {number}: step {segment.first}, band by band"
    return f"segment {number}: steps {segment.first} to {segment.last}, band by band"


def folding_section(source: Graph, fused: Graph) -> str:
    """The section on the fate of the declared operators, in numbers and by value."""
    before, after = len(source.activations), len(fused.activations)
    folds = find_folds(source, fused)
    items = [f"<li>{fate}: <b>{number}</b></li>" for fate, number in fates(source, fused).items()]
    text = f"Of {before} declared operators {after} are left."
    rows = [row(_FOLDS, (_left(fold), _computes(fold))) for fold in folds]
    details = _folded_away("By value", table(_FOLDS, rows)) if rows else ""
    return f"<p>{text}</p>\n<ul>{''.join(items)}</ul>\n{details}"


def _left(fold: Fold) -> str:
    return "<br/>".join(f"{breaking(v.name)}: <b>{v.op.operator_name}</b>" for v in fold.values)


def _computes(fold: Fold) -> str:
    return ", ".join(
        f"<i>{p.op.operator_name}</i>" if p.name in fold.gone else f"<b>{p.op.operator_name}</b>"
        for p in fold.parts
    )


def channels_section(plan: Plan, fused: Graph) -> str:
    """Channel maps in their notation, and every value that does not stand densely."""
    maps = [node for node in fused.activations if isinstance(node.op, ChannelMap)]
    scattered = [name for name in plan.values if not _is_dense(plan, name)]
    if not maps and not scattered:
        return "<p>There are no channel maps, and all values stand densely.</p>"
    moved = "nothing is" if plan.bytes_moved == 0 else f"{plan.bytes_moved:,} bytes are"
    text = (
        "A channel map says which channel of which operand each channel of a value is: "
        "<code>x1[8:16]</code> are channels of x1 as a Python slice, <code>+</code> puts them one "
        "after the other, <code>(a|b)</code> deals them out in turn. Layers write channels where "
        f"the maps want them; {moved} moved."
    )
    tables = []
    if maps:
        tables.append(table(_MAPS, [_map_row(node) for node in maps]))
    if scattered:
        caption = (
            "Where the channels of a pixel stand: of so many places which slice holds which "
            "slice of channels."
        )
        rows = [_layout_row(plan, name) for name in scattered]
        tables.append(_folded_away("Layouts", table(_LAYOUTS, rows, caption)))
    return "\n".join([f"<p>{text}</p>", *tables])


def _map_row(node: Node) -> str:
    assert isinstance(node.op, ChannelMap)
    letters = node.op.letters(len(node.operands))
    operands = "<br/>".join(
        f"{letter} = {breaking(name)}" for letter, name in zip(letters, node.operands, strict=True)
    )
    channels = re.sub(r"([+|])", r"\1<wbr/>", node.op.channels)
    return row(_MAPS, (breaking(node.name), f"<code>{channels}</code>", operands))


def _is_dense(plan: Plan, name: str) -> bool:
    shape = plan.values[name].type.shape
    return plan.layout(name) == dense_layout(shape[-1] if shape else 1)


def _layout_row(plan: Plan, name: str) -> str:
    layout, shape = plan.layout(name), plan.values[name].type.shape
    runs = " ".join(f"<code>{_run(run)}</code>" for run in layout.runs)
    cells = (
        "×".join(map(str, shape[1:])),
        breaking(plan.buffer_of(name).name),
        str(layout.pitch),
    )
    return row(_LAYOUTS, (breaking(name), *cells, runs))


def _run(run: ChannelRun) -> str:
    """Places of a pixel, and the channels that stand there."""
    stop = run.at + (run.channels - 1) * run.step + 1
    step = f":{run.step}" if run.step > 1 else ""
    return f"{run.first}:{run.first + run.channels}={run.at}:{stop}{step}"


def stages_section(source: Graph, fused: Graph, plan: Plan) -> str:
    """Three pictures of the network, of which only the plan is open at first."""
    stages: tuple[tuple[str, list[Row], bool], ...] = (
        ("As declared", graph_rows(source), False),
        ("After the passes", graph_rows(fused), False),
        ("As planned", plan_rows(plan), True),
    )
    parts = []
    for title, rows, is_open in stages:
        pieces = "\n".join(stage_pictures(rows, title))
        content = f'<div class="stage">{pieces}</div>'
        parts.append(_folded_away(f"{title}: {len(rows)} values", content, is_open=is_open))
    text = (
        "Values in the order of execution, from top to bottom and then by columns. What is read "
        "by the next one has an arrow to it, what is read later a lane at the left."
    )
    return "\n".join([f"<p>{text}</p>", *parts])


def _option(name: str) -> str:
    return f'<code class="option">{name}</code>'


def _folded_away(title: str, content: str, *, is_open: bool = False) -> str:
    """Content that the reader unfolds; on paper it shows."""
    mark = ' open="open"' if is_open else ""
    return f"<details{mark}><summary><h3>{plain(title)}</h3></summary>\n{content}\n</details>"
