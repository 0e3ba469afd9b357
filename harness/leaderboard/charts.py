"""Charts as SVG text, drawn from numbers alone; colours and dashes are classes of the page's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 12, 46

#: series that look different from each other; the style has a colour, a dash and a mark for each
STYLES = 8

#: a span of more than this many times its smallest value is drawn in logarithms
LOG_BEYOND = 10.0


class Point(NamedTuple):
    """A point, with the half height of its error bar; 0 for none."""

    x: float
    y: float
    error: float = 0.0


class Series(NamedTuple):
    """Points of one name, by rising x where they are joined."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Axis:
    """Numbers on a stretch of pixels.

    :param start: pixel of `low`; `end` is that of `high`.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Round values within, about five; powers of ten and halves between them on a logarithmic axis."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
            inside = [value for value in every if self.low <= value <= self.high]
            return inside if len(inside) <= 8 else [value for value in inside if f"{value:e}".startswith("1")]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def axis(values: Sequence[float], start: float, end: float, log: bool = False) -> Axis:
    """An axis around some values, with room on both sides; in logarithms only where all are above 0."""
    low, high = min(values), max(values)
    if log and low > 0 and high > low:
        room = (high / low) ** 0.08
        return Axis(low / room, high * room, start, end, log=True)
    room = (high - low) * 0.08 or abs(low) * 0.1 or 1.0
    return Axis(low - room, high + room, start, end)


def curves(series: Sequence[Series], x_name: str, y_name: str) -> Markup:
    """Lines through points; empty where no series has two."""
    return _chart([one for one in series if len(one.points) > 1], x_name, y_name, joined=True)


def scatter(series: Sequence[Series], x_name: str, y_name: str) -> Markup:
    """Points with error bars, x in logarithms where it spans more than a factor of 10; empty for none."""
    return _chart([one for one in series if one.points], x_name, y_name, joined=False)


def _chart(series: Sequence[Series], x_name: str, y_name: str, joined: bool) -> Markup:
    points = [point for one in series for point in one.points]
    if not points:
        return Markup("")
    xs = [point.x for point in points]
    log = not joined and min(xs) > 0 and max(xs) / min(xs) > LOG_BEYOND
    across = axis(xs, LEFT, WIDTH - RIGHT, log)
    tops = [point.y + sign * point.error for point in points for sign in (-1, 1)]
    up = axis(tops, HEIGHT - BOTTOM, TOP)
    legend_height = 18 * len(series) + 6
    title = escape(f"{y_name} against {x_name}: {', '.join(one.name for one in series)}")
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT + legend_height}" role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        _frame(across, up, x_name, y_name, log),
    ]
    for number, one in enumerate(series):
        parts.append(_drawn(one, number % STYLES, across, up, joined))
        parts.append(_legend(one.name, number, joined))
    return Markup("".join([*parts, "</svg>"]))


def _frame(across: Axis, up: Axis, x_name: str, y_name: str, log: bool) -> str:
    parts = []
    for value in up.ticks:
        y = up(value)
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    for value in across.ticks:
        x = across(value)
        low = HEIGHT - BOTTOM
        parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{low + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{low + 18}" text-anchor="middle">{_short(value)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    scale = " (logarithmic)" if log else ""
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>')
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_name + scale)}</text>')
    half = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'x="14" y="{half:.0f}" transform="rotate(-90 14 {half:.0f})"'
    parts.append(f'<text {turned} text-anchor="middle">{escape(y_name)}</text>')
    return "".join(parts)


def _drawn(series: Series, style: int, across: Axis, up: Axis, joined: bool) -> str:
    placed = [(across(point.x), up(point.y), point) for point in series.points]
    parts = [f'<g class="s{style}">']
    if joined:
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in placed)}"/>')
    for x, y, point in placed:
        if point.error > 0:
            high, low = up(point.y + point.error), up(point.y - point.error)
            parts.append(f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{high:.1f}" y2="{low:.1f}"/>')
        told = escape(f"{series.name}: {point.y:.4g} at {point.x:.4g}")
        parts.append(_mark(x, y, style, f"<title>{told}</title>"))
    return "".join([*parts, "</g>"])


def _mark(x: float, y: float, style: int, inside: str = "") -> str:
    """A circle, square, diamond or triangle: shapes tell series apart where colours do not."""
    if style % 4 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4">{inside}</circle>'
    corners = {
        1: ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        2: ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
        3: ((0, -5), (5, 4), (-5, 4)),
    }[style % 4]
    return f'<polygon points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)}">{inside}</polygon>'


def _legend(name: str, number: int, joined: bool) -> str:
    y = HEIGHT + 12 + 18 * number
    style = number % STYLES
    line = f'<polyline points="{LEFT},{y} {LEFT + 28},{y}"/>' if joined else ""
    text = f'<text x="{LEFT + 38}" y="{y + 4}">{escape(name)}</text>'
    return f'<g class="s{style}">{line}{_mark(LEFT + 14, y, style)}</g>{text}'


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1.0, 2.0, 5.0, 10.0) if digit * power >= step * (1 - 1e-9))


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k" if abs(value) < 1e6 else f"{value:.0e}"
    return f"{value:.4g}"
