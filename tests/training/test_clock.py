"""The clock of a run counts training alone, and says once how long the rest is going to take."""

from __future__ import annotations

import pytest

from harness.training.clock import FIRST_SECONDS, MANY_STEPS, Clock


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which the test moves."""
    at = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: at[0])
    return at


def test_the_estimate_is_given_once_and_leaves_the_first_step_out(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    clock = Clock()
    clock.start(done=0, total=1000)
    estimates = []
    for done in range(1, 8):
        now[0] += 60.0 if done == 1 else 4.0  # the first step warms up
        estimates.append(clock.estimate(done))
    assert estimates == [None, None, 4.0 * (1000 - 3), None, None, None, None]
    assert clock.steps_per_second(7) == 0.25
    assert clock.seconds_left(7) == 4.0 * (1000 - 7)
    assert clock.seconds == 60 + 6 * 4


def test_earlier_sessions_are_added_to_this_one(now: list[float]) -> None:
    clock = Clock()
    clock.seconds_before = 40.0
    now[0] += 7.0  # data is read, networks are built
    assert clock.seconds == 40.0
    clock.start(done=10, total=20)
    now[0] += 5.0
    assert clock.seconds == 45.0


def draw_for_long(clock: Clock, now: list[float]) -> None:
    """A picture that takes a while and is broken off."""
    with clock.paused():
        now[0] += 100.0
        raise KeyboardInterrupt


def test_what_happens_in_a_pause_counts_neither_as_training_nor_in_the_rate(now: list[float]) -> None:
    clock = Clock()
    clock.start(done=0, total=10)
    for done in (1, 2):
        now[0] += 3.0
        clock.estimate(done)
        with pytest.raises(KeyboardInterrupt):
            draw_for_long(clock, now)
    assert clock.seconds == 6.0
    assert clock.steps_per_second(2) == pytest.approx(1 / 3)
    assert clock.seconds_left(2) == pytest.approx(3.0 * 8)


def test_a_pause_before_the_start_changes_nothing(now: list[float]) -> None:
    clock = Clock()
    with clock.paused():
        now[0] += 100.0
    now[0] += 5.0
    assert clock.seconds == 0.0
    clock.start(done=0, total=10)
    now[0] += 2.0
    assert clock.seconds == 2.0


def test_a_stopped_clock_stands_still_from_the_first_stop_on(now: list[float]) -> None:
    clock = Clock()
    clock.start(done=0, total=10)
    now[0] += 2.0
    clock.stop()
    now[0] += 30.0
    clock.stop()
    assert clock.seconds == 2.0


def test_a_new_stage_has_a_rate_of_its_own_and_the_time_goes_on(now: list[float]) -> None:
    clock = Clock()
    clock.start(done=0, total=8)
    for done in (1, 2, 3, 4):
        now[0] += 1.0
        clock.estimate(done)
    assert clock.seconds_left(4) == 4.0
    clock.start(done=4, total=104)
    assert (clock.steps_per_second(4), clock.seconds_left(4)) == (0.0, 0.0)
    for done in (5, 6):
        now[0] += 2.0
        clock.estimate(done)
    assert clock.seconds_left(6) == 2.0 * (104 - 6)
    assert clock.seconds == 4 * 1.0 + 2 * 2.0


@pytest.mark.parametrize(
    ("of_a_step", "first_said_after"),
    [(FIRST_SECONDS / 4, 1 + 4), (FIRST_SECONDS / 1024, 1 + MANY_STEPS), (10 * FIRST_SECONDS, 1 + 2)],
)
def test_the_estimate_waits_until_it_is_worth_saying(now: list[float], of_a_step: float, first_said_after: int) -> None:
    clock = Clock()
    clock.start(done=0, total=100)
    said = {}
    for done in range(1, 40):
        now[0] += of_a_step
        if (seconds := clock.estimate(done)) is not None:
            said[done] = seconds
    assert said == {first_said_after: pytest.approx(of_a_step * (100 - first_said_after))}
