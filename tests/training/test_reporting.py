"""What is printed while a run trains."""

from __future__ import annotations

import io

import pytest

from harness.training.reporting import Reporter, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.4, "59s"), (60, "1m00s"), (725, "12m05s"), (12000, "3h20m"), (5 * 86400 + 4 * 3600, "5d04h")],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_without_a_terminal_there_are_plain_lines():
    stream = io.StringIO()
    reporter = Reporter(stream)
    reporter.start("gan", 100, 0)
    reporter.step()
    reporter.line("gan", 50, 100, {"d": 1.23456}, 812.3, 61)
    reporter.stop()
    assert stream.getvalue() == "gan 50/100  812 img/s  d=1.235  1m01s left\n"


def test_quiet_prints_nothing():
    stream = io.StringIO()
    reporter = Reporter(stream, quiet=True)
    reporter.note("a")
    reporter.line("gan", 1, 2, {}, 0, 0)
    assert stream.getvalue() == ""
