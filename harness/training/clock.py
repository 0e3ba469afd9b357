"""Time of a run: what was spent, over all its sessions, and what is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

#: the first estimate is given after this many steps and seconds, or after many steps
FIRST_STEPS, FIRST_SECONDS, MANY_STEPS = 2, 5.0, 20


class Clock:
    """Seconds of training.

    :ivar seconds_before: seconds of earlier sessions, from the checkpoint.
    """

    def __init__(self) -> None:
        self.seconds_before = 0.0
        self._started: float | None = None
        self._stopped: float | None = None
        self._first: tuple[int, float] | None = None
        self._total = 0
        self._told = False

    def start(self, done: int, total: int) -> None:
        """Steps `done` of `total` are behind; later calls only set the marks of a new stage."""
        now = time.perf_counter()
        if self._started is None:
            self._started = now
        self._first, self._total = None, total

    @property
    def seconds(self) -> float:
        """Seconds of training so far; what happened under :meth:`paused` or after :meth:`stop` does not count."""
        if self._started is None:
            return self.seconds_before
        return self.seconds_before + (self._stopped or time.perf_counter()) - self._started

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time that is not training: pictures and evaluations on the way."""
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            if self._started is not None:
                self._started += spent
            if self._first is not None:
                self._first = (self._first[0], self._first[1] + spent)

    def stop(self) -> None:
        """Training is over; later calls change nothing."""
        if self._stopped is None:
            self._stopped = time.perf_counter()

    def steps_per_second(self, done: int) -> float:
        """The stage's rate so far, without its first step (which pays for warming up); 0 while unknown."""
        if self._first is None or done <= self._first[0]:
            return 0.0
        first_step, first_time = self._first
        return (done - first_step) / max(time.perf_counter() - first_time, 1e-9)

    def seconds_left(self, done: int) -> float:
        """At the stage's rate so far; 0 while unknown."""
        rate = self.steps_per_second(done)
        return (self._total - done) / rate if rate else 0.0

    def estimate(self, done: int) -> float | None:
        """The time that remains, once, as soon as it is worth saying."""
        now = time.perf_counter()
        if self._first is None:
            self._first = (done, now)
            return None
        steps = done - self._first[0]
        if self._told or steps < FIRST_STEPS or (now - self._first[1] < FIRST_SECONDS and steps < MANY_STEPS):
            return None
        self._told = True
        return self.seconds_left(done)
