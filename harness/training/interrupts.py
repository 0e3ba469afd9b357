"""Ctrl-C and SIGTERM: finish the step, save, and say how to go on; a second Ctrl-C stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.errors import UserError


class Interrupted(UserError):
    """A run was asked to stop and has saved itself."""

    exit_code = 130


class StopRequest:
    """Set once somebody asked to stop."""

    asked = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first signal into a request; restore the old handlers afterwards."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # signals reach only the main thread
        return

    def ask(number: int, frame: FrameType | None) -> None:
        request.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
