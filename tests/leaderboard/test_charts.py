"""Charts: numbers at their pixels, round ticks, and names that stay text."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from harness.leaderboard.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Point,
    Series,
    axis,
    curves,
    scatter,
)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_an_axis_puts_its_ends_where_they_belong() -> None:
    straight = Axis(2.0, 6.0, 100.0, 300.0)
    assert [straight(value) for value in (2.0, 4.0, 6.0)] == [100.0, 200.0, 300.0]
    logarithmic = Axis(1.0, 100.0, 0.0, 200.0, log=True)
    assert [logarithmic(value) for value in (1.0, 10.0, 100.0)] == pytest.approx([0.0, 100.0, 200.0])


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.0, 10.0, [0, 2, 4, 6, 8, 10]), (0.13, 0.61, [0.2, 0.3, 0.4, 0.5, 0.6]), (-3.0, 3.0, [-2, 0, 2])],
)
def test_ticks_are_round_and_within(low: float, high: float, ticks: list[float]) -> None:
    assert Axis(low, high, 0, 1).ticks == pytest.approx(ticks)


def test_a_logarithmic_axis_has_powers_of_ten_and_few_between() -> None:
    assert Axis(0.9, 30.0, 0, 1, log=True).ticks == pytest.approx([1, 2, 5, 10, 20])
    assert Axis(1e-3, 1e3, 0, 1, log=True).ticks == pytest.approx([10.0**power for power in range(-3, 4)])


@pytest.mark.parametrize("values", [[3.0], [0.0], [2.0, 2.0], [-1.0, 5.0]])
def test_an_axis_has_room_around_its_values(values: list[float]) -> None:
    made = axis(values, 0, 1)
    assert made.low < min(values)
    assert made.high > max(values)
    assert not axis([0.0, 1.0], 0, 1, log=True).log  # 0 has no logarithm


def test_points_lie_in_the_frame_and_in_order() -> None:
    svg = parsed(curves([Series("a", [Point(0, 1), Point(10, 3), Point(20, 2)])], "steps", "fd"))
    line = next(e for e in svg.iter("polyline"))
    pixels = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM for x, y in pixels)
    assert [x for x, _ in pixels] == sorted(x for x, _ in pixels)
    assert pixels[1][1] < pixels[2][1] < pixels[0][1]  # larger numbers stand higher


def test_error_bars_reach_as_far_as_the_error() -> None:
    svg = parsed(scatter([Series("a", [Point(1, 5, 1)]), Series("b", [Point(2, 8)])], "hours", "fd"))
    (bar,) = [e for e in svg.iter("line") if e.attrib.get("class") == "bar"]
    circle = next(svg.iter("circle"))
    middle = (float(bar.attrib["y1"]) + float(bar.attrib["y2"])) / 2
    assert middle == pytest.approx(float(circle.attrib["cy"]), abs=0.11)
    assert TOP <= float(bar.attrib["y1"]) < float(bar.attrib["y2"]) <= HEIGHT - BOTTOM


def test_a_long_error_bar_stays_in_the_frame() -> None:
    svg = parsed(scatter([Series("a", [Point(1, 5, 40)]), Series("b", [Point(2, 5.1)])], "hours", "fd"))
    (bar,) = [e for e in svg.iter("line") if e.attrib.get("class") == "bar"]
    assert TOP <= float(bar.attrib["y1"]) < float(bar.attrib["y2"]) <= HEIGHT - BOTTOM


@pytest.mark.parametrize(("largest", "logarithmic"), [(9.0, False), (11.0, True)])
def test_cost_is_drawn_in_logarithms_beyond_a_factor_of_ten(largest: float, logarithmic: bool) -> None:
    svg = scatter([Series("a", [Point(1.0, 1), Point(largest, 2)])], "hours", "fd")
    assert ("(logarithmic)" in svg) is logarithmic


def test_names_are_text() -> None:
    nasty = '"><script>alert(1)</script>&'
    for svg in (
        curves([Series(nasty, [Point(0, 1), Point(1, 2)])], nasty, nasty),
        scatter([Series(nasty, [Point(0, 1)])], nasty, nasty),
    ):
        assert "<script" not in svg
        assert any(nasty in (element.text or "") for element in parsed(svg).iter())


def test_nothing_to_draw_is_nothing() -> None:
    assert curves([], "x", "y") == curves([Series("a", [Point(0, 1)])], "x", "y") == scatter([], "x", "y") == ""


def test_series_differ_in_more_than_colour() -> None:
    svg = scatter([Series(str(n), [Point(n, n)]) for n in range(1, 5)], "x", "y")
    drawn = [group for group in parsed(svg).iter("g") if group.find("*/title") is not None]
    assert [group.attrib["class"] for group in drawn] == ["s0", "s1", "s2", "s3"]
    assert len({(mark.tag, len(mark.attrib.get("points", "").split())) for group in drawn for mark in group}) == 3
    shapes = re.findall(r'<(circle|polygon) (?:points|cx)="([^"]*)"', svg)
    corners = {(kind, len(points.split())) for kind, points in shapes}
    assert {("circle", 1), ("polygon", 4), ("polygon", 3)} <= corners
    assert not math.isnan(float(re.findall(r'cx="([\d.]+)"', svg)[0]))
