"""Rows that wait while others flow: every segment of graphs made for one way to lose them."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.plan.build import assemble, build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import Image
from netgen.plan.data.plan import Plan, Segment
from netgen.plan.execute.interpreter import execute
from netgen.plan.schedule.schedule import schedule
from netgen.plan.segments.cut_schedule import Cut, cut_schedule
from netgen.plan.segments.fastest_cut import segment_choices
from netgen.plan.segments.flood import Flood, flood
from tests.cases import heavy
from tests.plan.small_graphs import BODIES, images, read

GENERIC = find_target("generic")

# Channels 2 and 3 of %a are read by a depthwise convolution. %e takes their places: its row i would
# stand where row i of %a does, which row i + 1 of %d still reads.
PLACES_STILL_READ = """
  %t : f32[2,3,3,1] = const {data=@t}
  %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
  %p : f32[1,6,5,2] = channel_map(%a) {channels="x0[2:4]"}
  %d : f32[1,6,5,2] = depthwise_conv2d(%p, %t) {pad=1}
  %e : f32[1,6,5,2] = relu(%d)
  %m : f32[1,6,5,4] = channel_map(%a, %e) {channels="x0[0:2]+x1[0:2]"}
  %y : f32[1,6,5,4] = relu(%m)
  return %y"""

# Nobody reads channels 2 and 3 of %a; %z, which takes their places, is ready long before %a.
PLACES_WRITTEN_LATE = """
  %t : f32[2,1,1,4] = const {data=@t}
  %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
  %z : f32[1,6,5,2] = conv2d(%image, %t)
  %m : f32[1,6,5,4] = channel_map(%a, %z) {channels="x0[0:2]+x1[0:2]"}
  %y : f32[1,6,5,4] = relu(%m)
  return %y"""

# %a and %d stand in one buffer, which dies where %y and %e are computed. %y depends on %a alone,
# and is ahead of %e, for which %d is read.
TWO_VALUES_ARE_TRAILED = """
  %t : f32[4,1,1,8] = const {data=@t}
  %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
  %d : f32[1,6,5,4] = depthwise_conv2d(%a, %v) {pad=1}
  %m : f32[1,6,5,8] = channel_map(%a, %d) {channels="x0[0:4]+x1[0:4]"}
  %k : f32[1,6,5,4] = conv2d(%m, %t)
  %y : f32[1,6,5,4] = conv2d(%a, %w)
  %s : f32[1,6,5,4] = depthwise_conv2d(%y, %v) {pad=1}
  %e : f32[1,6,5,4] = add(%s, %d)
  %f : f32[1,6,5,4] = conv2d(%y, %w)
  %n : f32[1,6,5,4] = add(%f, %k)
  %o : f32[1,6,5,4] = add(%n, %e)
  return %o"""

# %g uses the slots of the ring of %x, and waits there for %q.
A_GUEST_WAITS = """
  %p : f32[1,6,5,4] = conv2d(%image, %w, %b)
  %q : f32[1,6,5,4] = depthwise_conv2d(%p, %v) {pad=1}
  %x : f32[1,6,5,4] = conv2d(%image, %w)
  %g : f32[1,6,5,4] = depthwise_conv2d(%x, %v) {pad=1}
  %s : f32[1,6,5,4] = add(%q, %g)
  %y : f32[1,6,5,4] = conv2d(%s, %w)
  return %y"""

A_PART_OF_A_GUEST = """
  %t : f32[4,1,1,2] = const {data=@t}
  %x : f32[1,6,5,4] = conv2d(%image, %w)
  %g : f32[1,6,5,4] = depthwise_conv2d(%x, %v) {pad=1}
  %p : f32[1,6,5,2] = channel_map(%g) {channels="x0[3:4]+x0[2:3]"}
  %y : f32[1,6,5,4] = conv2d(%p, %t)
  return %y"""

# A window looks for row i in slot i, where no row of a guest stands.
A_GUEST_UNDER_A_WINDOW = """
  %x : f32[1,6,5,4] = conv2d(%image, %w)
  %g : f32[1,6,5,4] = depthwise_conv2d(%x, %v) {pad=1}
  %h : f32[1,6,5,4] = depthwise_conv2d(%g, %v) {pad=1}
  %y : f32[1,6,5,4] = conv2d(%h, %w)
  return %y"""

# What reads %r goes by its rows, which are none of those of %a.
OTHER_ROWS = """
  %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
  %r : f32[1,5,6,4] = reshape(%a) {shape=(1,5,6,4)}
  %d : f32[1,5,6,4] = depthwise_conv2d(%r, %v) {pad=1}
  %e : f32[1,5,6,4] = add(%d, %r)
  %y : f32[1,5,6,4] = conv2d(%e, %w)
  return %y"""

# One row of %d, for which all of %x waits.
ONE_ROW = """
  %t : f32[4,6,3,1] = const {data=@t}
  %x : f32[1,6,5,4] = conv2d(%image, %w)
  %d : f32[1,1,5,4] = depthwise_conv2d(%x, %t) {pad=(0,0,1,1)}
  %y : f32[1,1,5,4] = conv2d(%d, %w)
  return %y"""

GRAPHS = {
    "places_still_read": PLACES_STILL_READ,
    "places_written_late": PLACES_WRITTEN_LATE,
    "two_values_are_trailed": TWO_VALUES_ARE_TRAILED,
    "a_guest_waits": A_GUEST_WAITS,
    "a_part_of_a_guest": A_PART_OF_A_GUEST,
    "a_guest_under_a_window": A_GUEST_UNDER_A_WINDOW,
    "other_rows": OTHER_ROWS,
    "one_row": ONE_ROW,
    **BODIES,
}


def with_each_segment(graph: Graph, image: Image) -> list[Plan]:
    """Plans that are layer by layer but for one segment, which goes by bands."""
    scheduled = schedule(graph, GENERIC, image=image)
    plans = []
    for choice in segment_choices(scheduled, GENERIC, push=image == "rows"):
        if image != "rows" or choice.first == 0:
            before = [Segment(n, n) for n in range(choice.first)]
            after = [Segment(n, n) for n in range(choice.last + 1, len(scheduled.calls))]
            cut = Cut((*before, choice.part, *after))
            plans.append(assemble(cut_schedule(scheduled, cut), GENERIC))
    return plans


@pytest.mark.parametrize("image", [heavy("caller"), heavy("arena"), "rows"])
@pytest.mark.parametrize("name", GRAPHS)
def test_every_segment_computes_the_same(name: str, image: Image) -> None:
    graph = read(GRAPHS[name])
    inputs = images(graph)
    expected = execute(build_plan(graph, GENERIC), graph, inputs)
    for plan in with_each_segment(graph, image):
        check_plan(plan)
        found = execute(plan, graph, inputs)
        for value in found:
            np.testing.assert_array_equal(found[value], expected[value], err_msg=value)


def flooded(body: str) -> Flood:
    scheduled = schedule(read(body), GENERIC)
    found = flood(scheduled, 0, dict.fromkeys(range(len(scheduled.calls)), 1), push=False)
    assert found is not None
    return found


def test_a_segment_ends_before_a_value_that_takes_places_too_early() -> None:
    assert flooded(PLACES_STILL_READ).end == 2
    assert flooded(PLACES_WRITTEN_LATE).end == 1
    assert flooded(A_PART_OF_A_GUEST).end == 3


def test_guests() -> None:
    waits = flooded(A_GUEST_WAITS)
    # All rows of %g wait for the first of %q; the first of them stands in the slot before the ring.
    (ring,) = [ring for ring in waits.banding(5).rings if ring.buffer == "x"]
    assert ring.rows == 7
    assert list(waits.rings["x"].guests) == ["g"]
    assert list(flooded(A_PART_OF_A_GUEST).rings["x"].guests) == ["g"]
    under = flooded(A_GUEST_UNDER_A_WINDOW)
    assert (under.rings["x"].guests, list(under.rings["g"].guests)) == ({}, ["h"])


def test_a_guest_that_lives_on_has_a_buffer_of_its_own() -> None:
    found = flooded(A_GUEST_WAITS)
    (ring,) = [ring for ring in found.banding(3).rings if ring.buffer == "x"]
    assert (ring.rows, ring.margin, ring.guests) == (3, 0, {})
