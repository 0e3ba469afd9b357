"""The first Ctrl-C or SIGTERM asks to stop, the second Ctrl-C stops, and the old handlers come back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from harness.training.interrupts import stop_requests

ASKING = (signal.SIGINT, signal.SIGTERM)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in ASKING]


@pytest.fixture(autouse=True)
def _harmless() -> Iterator[None]:
    """A signal that nobody catches fails a test, and does not end the others."""

    def fail(number: int, frame: object) -> None:
        raise AssertionError(f"nobody caught {signal.Signals(number).name}")

    before = [signal.signal(number, fail) for number in ASKING]
    yield
    for number, handler in zip(ASKING, before, strict=True):
        signal.signal(number, handler)


def test_the_old_signal_handlers_are_back_afterwards(make_training):
    before = signal.getsignal(signal.SIGINT)
    make_training().run(resume=False)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", ASKING)
def test_the_first_signal_asks_and_stops_nothing(number: signal.Signals) -> None:
    with stop_requests() as request:
        assert not request.asked
        signal.raise_signal(number)
        assert request.asked


@pytest.mark.parametrize("first", ASKING)
def test_ctrl_c_after_a_signal_stops_at_once(first: signal.Signals) -> None:
    with stop_requests():
        signal.raise_signal(first)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_handlers_are_back_after_a_failure_and_after_a_signal() -> None:
    before = handlers()
    with pytest.raises(OSError, match="disk full"):
        fail_after_a_signal(before)
    assert handlers() == before


def fail_after_a_signal(before: list[Any]) -> None:
    with stop_requests():
        assert handlers() != before
        signal.raise_signal(signal.SIGINT)
        raise OSError("disk full")


def test_a_request_is_of_one_run() -> None:
    with stop_requests():
        signal.raise_signal(signal.SIGTERM)
    with stop_requests() as later:
        assert not later.asked


def test_in_another_thread_nothing_is_caught_and_nothing_fails() -> None:
    before, found = handlers(), []

    def watch() -> None:
        with stop_requests() as request:
            found.append((request.asked, handlers() == before))

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert found == [(False, True)]
