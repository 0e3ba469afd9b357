"""Numbers that a method reports of itself: a learned prior, a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation.evidence.base import Evidence
from harness.evaluation.evidence.calibration import Calibration

if TYPE_CHECKING:
    from harness.evaluation.evidence.base import Bench


@dataclass(frozen=True)
class Reported(Evidence[Tensor]):
    """What a method reports under a name, float64 of the shape that it has there (of a plain number: []), on the CPU.

    It is a copy: training on does not change it. A method that is calibrated is so before it is asked, so that a number
    which calibration fixes does not depend on what else is measured.
    """

    name: str

    def make(self, bench: Bench) -> Tensor:
        """:raises EvaluationError: where the method does not report it, or it is NaN, infinite, or no real number."""
        bench.get(Calibration())
        found = reported_by(bench)
        if self.name not in found:
            raise EvaluationError(f"the method reported '{self.name}' when it was planned, and does not any more")
        return _as_numbers(self.name, found[self.name])


def reported_by(bench: Bench) -> Mapping[str, Any]:
    """All that a method reports, by name; it and the global generators are left as they were."""
    with bench.asking("reported"):
        found: Mapping[str, Any] = bench.trained.reported()
    return found


def _as_numbers(name: str, value: Any) -> Tensor:
    try:
        given = torch.as_tensor(value).detach()
    except (TypeError, ValueError, RuntimeError):
        raise EvaluationError(f"reported '{name}' is a {type(value).__name__}, not a number or a tensor") from None
    if given.is_complex():
        raise EvaluationError(f"reported '{name}' is complex; report real numbers")
    numbers = given.to("cpu", torch.float64, copy=True)
    bad = int((~numbers.isfinite()).sum())
    if bad:
        raise EvaluationError(f"reported '{name}' is NaN or infinite in {bad} of {numbers.numel()} numbers")
    return numbers
