"""Small networks with states: written by hand, in text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st

from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret, next_states
from netgen.ir.operator import Const, State
from netgen.ir.tensor_type import Array
from netgen.ir.text import parse_graph
from netgen.ir.verify import verify
from netgen.ops.add import Add
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.runtime.compare import seeded_inputs
from netgen.weights.seeded import seeded_weights
from tests.ir.random_graphs import graphs

# What each is about: its statements.
BODIES = {
    # A delay line: one state becomes another.
    "chain": """
    %x : f32[1,2,2,3] = input
    %a : f32[1,2,2,3] = state
    %b : f32[1,2,2,3] = state {data=@b}
    %y : f32[1,2,2,3] = add(%a, %b)
    next %a = %x
    next %b = %a
    return %y""",
    # Three states that change places.
    "circle": """
    %x : f32[1,2,2,3] = input
    %a : f32[1,2,2,3] = state {data=@a}
    %b : f32[1,2,2,3] = state {data=@b}
    %c : f32[1,2,2,3] = state {data=@c}
    %y : f32[1,2,2,3] = add(%a, %x)
    next %a = %b
    next %b = %c
    next %c = %a
    return %y""",
    # A sum over runs, in place.
    "sum": """
    %x : f32[1,2,2,3] = input
    %a : f32[1,2,2,3] = state
    %s : f32[1,2,2,3] = add(%a, %x)
    %y : f32[1,2,2,3] = relu(%s)
    next %a = %s
    return %y""",
    # What a state becomes is an output, and so is the state.
    "output": """
    %x : f32[1,2,2,3] = input
    %a : f32[1,2,2,3] = state
    %s : f32[1,2,2,3] = add(%a, %x)
    next %a = %s
    return %s, %a""",
    # A state that stays what it is.
    "constant": """
    %x : f32[1,2,2,3] = input
    %a : f32[1,2,2,3] = state {data=@a}
    %s : f32[1,2,2,3] = add(%a, %x)
    next %a = %a
    return %s""",
    # States that are read after what they become is known.
    "read_late": """
    %x : f32[1,4,4,3] = input
    %a : f32[1,4,4,3] = state {data=@a}
    %b : f32[1,4,4,3] = state {data=@b}
    %s : f32[1,4,4,3] = add(%a, %x)
    %r : f32[1,4,4,3] = relu(%s)
    %z : f32[1,4,4,3] = mul(%r, %a)
    %w : f32[3,3,3,3] = const {data=@w}
    %q : f32[1,4,4,3] = conv2d(%z, %w) {pad=1}
    %y : f32[1,4,4,3] = add(%q, %b)
    next %a = %s
    next %b = %z
    return %y""",
    # Channels before new ones, of every pixel.
    "channels": """
    %x : f32[1,4,4,3] = input
    %a : f32[1,4,4,2] = state {data=@a}
    %w : f32[1,3,3,3] = const {data=@w}
    %q : f32[1,4,4,1] = conv2d(%x, %w) {pad=1}
    %c : f32[1,4,4,3] = concat(%a, %q)
    %v : f32[3,3,3,3] = const {data=@v}
    %y : f32[1,4,4,3] = conv2d(%c, %v) {pad=1}
    %n : f32[1,4,4,2] = channel_slice(%c) {first=1, length=2}
    next %a = %n
    return %y""",
    # Channels behind new ones, which it becomes.
    "channels_behind": """
    %x : f32[1,4,4,3] = input
    %a : f32[1,4,4,2] = state {data=@a}
    %w : f32[2,3,3,3] = const {data=@w}
    %q : f32[1,4,4,2] = conv2d(%x, %w) {pad=1}
    %c : f32[1,4,4,4] = concat(%q, %a)
    %v : f32[3,3,3,4] = const {data=@v}
    %y : f32[1,4,4,3] = conv2d(%c, %v) {pad=1}
    next %a = %q
    return %y""",
    # Channels that trade places in place.
    "shuffle": """
    %x : f32[1,2,2,4] = input
    %a : f32[1,2,2,4] = state {data=@a}
    %y : f32[1,2,2,4] = add(%a, %x)
    %n : f32[1,2,2,4] = channel_shuffle(%a) {groups=2}
    next %a = %n
    return %y""",
    # Two states that become the same.
    "alike": """
    %x : f32[1,2,2,4] = input
    %a : f32[1,2,2,4] = state {data=@a}
    %b : f32[1,2,2,4] = state {data=@a}
    %s : f32[1,2,2,4] = add(%a, %x)
    %y : f32[1,2,2,4] = add(%s, %b)
    next %a = %s
    next %b = %s
    return %y""",
    # Codes of several types; zeros that are no zero bytes.
    "codes": """
    %x : i8[1,1,1,4] {scale=0x1p-4, zero=-128} = input
    %s : i8[1,3,1,4] {scale=0x1p-4, zero=-128} = state
    %t : i16[1,1,1,4] {scale=0x1p-4, zero=5} = state
    %u : u8[1,1,1,4] {scale=0x1p-4, zero=7} = state {data=@u}
    %xf : i8[1,4] {scale=0x1p-4, zero=-128} = reshape(%x) {shape=(1,4)}
    %sf : i8[1,12] {scale=0x1p-4, zero=-128} = reshape(%s) {shape=(1,12)}
    %c : i8[1,16] {scale=0x1p-4, zero=-128} = concat(%sf, %xf)
    %n : i8[1,12] {scale=0x1p-4, zero=-128} = channel_slice(%c) {first=4, length=12}
    %nr : i8[1,3,1,4] {scale=0x1p-4, zero=-128} = reshape(%n) {shape=(1,3,1,4)}
    %y : i8[1,4,1,4] {scale=0x1p-4, zero=-128} = reshape(%c) {shape=(1,4,1,4)}
    %z : i8[1,8] {scale=0x1p-4, zero=-128} = channel_slice(%c) {first=3, length=8}
    %tt : f32[1,1,1,4] = dequantize(%t)
    %uu : f32[1,1,1,4] = dequantize(%u)
    %tu : f32[1,1,1,4] = add(%tt, %uu)
    %tv : f32[1,1,1,4] = dequantize(%x)
    %tw : f32[1,1,1,4] = add(%tu, %tv)
    %tn : i16[1,1,1,4] {scale=0x1p-4, zero=5} = quantize(%tw) {dtype=i16, scale=0x1p-4, zero=5}
    next %s = %nr
    next %t = %tn
    next %u = %u
    return %y, %z, %tw""",
    # Rows that two convolutions keep, the second one cut in channels.
    "rings": """
    %x : f32[1,1,1,8] = input
    %w0 : f32[8,1,1,8] = const {data=@w0}
    %h0 : f32[1,1,1,8] = conv2d(%x, %w0) {act=relu}
    %a : f32[1,2,1,8] = state
    %af : f32[1,16] = reshape(%a) {shape=(1,16)}
    %hf : f32[1,8] = reshape(%h0) {shape=(1,8)}
    %c : f32[1,24] = concat(%af, %hf)
    %ci : f32[1,3,1,8] = reshape(%c) {shape=(1,3,1,8)}
    %an : f32[1,2,1,8] = spatial_slice(%ci) {first=(1,0), size=(2,1)}
    %d : f32[8,3,1,1] = const {data=@d}
    %e : f32[1,1,1,8] = depthwise_conv2d(%ci, %d)
    %w1 : f32[6,1,1,8] = const {data=@w1}
    %f : f32[1,1,1,6] = conv2d(%e, %w1) {act=relu}
    %b : f32[1,4,1,6] = state {data=@b}
    %bf : f32[1,24] = reshape(%b) {shape=(1,24)}
    %ff : f32[1,6] = reshape(%f) {shape=(1,6)}
    %g : f32[1,30] = concat(%bf, %ff)
    %gi : f32[1,5,1,6] = reshape(%g) {shape=(1,5,1,6)}
    %bn : f32[1,4,1,6] = spatial_slice(%gi) {first=(1,0), size=(4,1)}
    %lo : f32[1,5,1,3] = channel_slice(%gi) {first=0, length=3}
    %hi : f32[1,5,1,3] = channel_slice(%gi) {first=3, length=3}
    %los : f32[1,2,1,3] = spatial_slice(%lo) {first=(3,0), size=(2,1)}
    %d1 : f32[3,2,1,1] = const {data=@d1}
    %d2 : f32[3,5,1,1] = const {data=@d2}
    %p : f32[1,1,1,3] = depthwise_conv2d(%los, %d1)
    %q : f32[1,1,1,3] = depthwise_conv2d(%hi, %d2)
    %pq : f32[1,1,1,6] = concat(%p, %q)
    %w2 : f32[5,1,1,6] = const {data=@w2}
    %y : f32[1,1,1,5] = conv2d(%pq, %w2)
    next %a = %an
    next %b = %bn
    return %y""",
    # Channels of rows that a reshape has cut: in order, every second one, a view of a view.
    "cut": """
    %x : f32[1,24] = input
    %a : f32[1,24] = state {data=@a}
    %h : f32[1,24] = relu(%x)
    %c : f32[1,48] = concat(%a, %h)
    %i : f32[1,4,2,6] = reshape(%c) {shape=(1,4,2,6)}
    %e : f32[1,4,2,3] = channel_slice(%i) {first=0, length=3, step=2}
    %o : f32[1,4,2,3] = channel_slice(%i) {first=1, length=3, step=2}
    %v : f32[3,3,3,1] = const {data=@v}
    %d : f32[1,4,2,3] = depthwise_conv2d(%e, %v) {pad=1}
    %w : f32[2,3,3,3] = const {data=@w}
    %f : f32[1,4,2,2] = conv2d(%o, %w) {pad=1}
    %s : f32[1,4,2,6] = channel_shuffle(%i) {groups=2}
    %p : f32[1,4,2,2] = channel_slice(%s) {first=3, length=2}
    %q : f32[1,4,2,2] = add(%p, %f)
    %r : f32[1,4,2,3] = relu6(%o)
    %u : f32[1,2,4,3] = reshape(%e) {shape=(1,2,4,3)}
    %t : f32[1,2,4,3] = relu(%u)
    %k : f32[1,24] = channel_slice(%c) {first=24, length=24}
    next %a = %k
    return %d, %q, %r, %p, %t""",
    # States among layers that may be computed in bands.
    "bands": """
    %x : f32[1,16,16,3] = input
    %a : f32[1,4,4,8] = state {data=@a}
    %w0 : f32[8,3,3,3] = const {data=@w0}
    %h0 : f32[1,8,8,8] = conv2d(%x, %w0) {stride=2, pad=1, act=relu}
    %w1 : f32[8,3,3,8] = const {data=@w1}
    %h1 : f32[1,4,4,8] = conv2d(%h0, %w1) {stride=2, pad=1, act=relu}
    %s : f32[1,4,4,8] = add(%h1, %a)
    %w2 : f32[4,3,3,8] = const {data=@w2}
    %h2 : f32[1,4,4,4] = conv2d(%s, %w2) {pad=1}
    %gg : f32[1,1,1,4] = global_avg_pool(%h2)
    %g : f32[1,4] = reshape(%gg) {shape=(1,4)}
    %h : f32[1,4] = state
    %hg : f32[1,8] = concat(%h, %g)
    %l : f32[4,8] = const {data=@l}
    %n : f32[1,4] = linear(%hg, %l)
    %t : f32[1,4] = sigmoid(%n)
    next %a = %s
    next %h = %t
    return %n""",
}


def stateful(name: str) -> Graph:
    """A network with seeded weights."""
    graph = verify(parse_graph(f"netgen 1\ngraph {name} {{{BODIES[name]}\n}}\n")[0])
    return graph.with_constants(seeded_weights(graph))


def expected_runs(graph: Graph, count: int) -> Iterator[tuple[dict[str, Array], list[Array]]]:
    """Inputs of runs that follow each other, and their outputs as the reference has them."""
    states = None
    for run in range(count):
        inputs = seeded_inputs(graph, run)
        values = interpret(graph, inputs, states)
        states = next_states(graph, values)
        yield inputs, [values[name] for name in graph.outputs]


def assert_alike(found: Array, expected: Array) -> None:
    """Floats to 1e-5 of the largest, codes exactly."""
    if found.dtype.kind != "f":
        np.testing.assert_array_equal(found.reshape(expected.shape), expected)
        return
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=1e-5 * scale)


@st.composite
def stateful_graphs(draw: st.DrawFn) -> Graph:
    """Any network whose values meet those of other runs: sums of them, or channels side by side."""
    graph = draw(graphs())
    nodes = {node.name: node for node in graph.declared}
    results, following = [*graph.outputs], dict[str, str]()
    for n in range(draw(st.integers(1, 3))):
        others = [node for node in nodes.values() if not isinstance(node.op, Const)]
        other = draw(st.sampled_from([node for node in others if node.type.shape[0] == 1]))
        joined = draw(st.booleans()) and len(other.type.shape) in {2, 4}
        kind = other.type
        if joined:
            kind = kind.with_shape((*kind.shape[:-1], draw(st.integers(1, 5))))
        state = Node(f"s{n}", State(f"s{n}" if draw(st.booleans()) else ""), (), kind)
        order = draw(st.permutations([state.name, other.name]))
        op = Concat() if joined else Add()
        met = Node(f"t{n}", op, tuple(order), op.result_type([kind, other.type]))
        nodes |= {state.name: state, met.name: met}
        results.append(met.name)
        if joined and draw(st.booleans()):
            first = met.type.shape[-1] - kind.shape[-1]
            kept = Node(f"k{n}", ChannelSlice(first, kind.shape[-1]), (met.name,), kind)
            nodes[kept.name] = kept
            following[state.name] = kept.name
    for state in [node for node in nodes.values() if isinstance(node.op, State)]:
        alike = [
            node.name
            for node in nodes.values()
            if node.type == state.type and not isinstance(node.op, Const)
        ]
        following.setdefault(state.name, draw(st.sampled_from(alike)))
    results = draw(st.lists(st.sampled_from(results), min_size=1, max_size=3, unique=True))
    found = verify(Graph("g", nodes.values(), results, {}, next_values=following).rewrite({}))
    return found.with_constants(seeded_weights(found))
