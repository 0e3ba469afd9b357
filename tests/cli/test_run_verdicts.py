"""``harness run`` and ``harness evaluate RUN`` end with what the papers' numbers make of the run."""

from __future__ import annotations

from typing import Any

POINTS = ("--plugin", "gan", "--dataset", "ring2d", "--scale", "tiny", "--steps", "4")
FEW = ("--set", "evaluation.samples=200", "--set", "evaluation.neighbours_samples=100")


def test_running_and_scoring_end_with_the_verdicts_on_all_seeds(harness: Any) -> None:
    ending = "gan/mlp-nsgan+changed on ring2d, tiny scale, seed {}: no paper here prints a number for it"
    ran = harness("run", *POINTS, *FEW, "--seeds", "0..1", "--out", "all")
    assert ran.out.splitlines()[-1].startswith(ending.format("0, 1"))
    scored = harness("evaluate", "all/s1")
    assert scored.out.splitlines()[-1].startswith(ending.format("1"))
    trained = harness("train", *POINTS, "--out", "trained")
    assert "no paper" not in trained.out  # nothing was measured
