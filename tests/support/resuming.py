"""What tests of resumption share: comparing to the bit, and breaking off at a named step."""

from __future__ import annotations

from torch import Tensor

from harness.training.checkpoints import collect_state
from harness.training.watching import Unwatched


def same(a, b) -> bool:
    """Equal to the bit, however nested."""
    if isinstance(a, Tensor):
        return a.dtype == b.dtype and a.equal(b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def final_state(training):
    """All that the method declares."""
    return collect_state(training.method.state())


class StopAt(Unwatched):
    """Stands for a kill: breaks off at a line of the log."""

    def __init__(self, stage: str, step: int) -> None:
        self.where = (stage, step)

    def step_finished(self, stage, step, values) -> None:
        if (stage, step) == self.where:
            raise KeyboardInterrupt
