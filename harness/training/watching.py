"""What the loop asks of whoever watches it. None of it may change what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.contracts.method import Method


class Watch(Protocol):
    """Grids, evaluations and hooks on the way."""

    def sample_grid(self, method: Method, step: int) -> None:
        """Draw a grid of samples as they are after `step` steps; a method that cannot sample yet is passed over."""
        ...

    def evaluate(self, method: Method, step: int, best: dict[str, Any] | None) -> tuple[bool, dict[str, Any] | None]:
        """Evaluate after `step` steps; whether this is the best so far, and the best so far."""
        ...

    def step_finished(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """A line of the log was written."""
        ...


class Unwatched:
    """Watches nothing."""

    def sample_grid(self, method: Method, step: int) -> None:
        """Draw nothing."""

    def evaluate(self, method: Method, step: int, best: dict[str, Any] | None) -> tuple[bool, dict[str, Any] | None]:
        """Nothing is measured, so nothing is best."""
        return False, best

    def step_finished(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """Tell nobody."""
