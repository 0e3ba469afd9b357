"""Runs of seconds as words of the command line, and what they leave behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from harness.training.checkpoints import checkpoints_in

#: seconds, not minutes
POINTS = ("--plugin", "gan", "--dataset", "ring2d", "--scale", "tiny", "--set", "evaluation.samples=500")
SHORT = (*POINTS, "--steps", "6", "--set", "checkpoint_every=2", "--set", "log_every=2")
IMAGES = ("--plugin", "gan", "--dataset", "digits", "--scale", "tiny", "--steps", "2", "--set", "backbone.width=2")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The generator's, of the last checkpoint."""
    payload = torch.load(checkpoints_in(folder / "checkpoints")[-1], weights_only=True)
    state: dict[str, torch.Tensor] = payload["state"]["generator"]
    return state


def same_weights(a: Path, b: Path) -> bool:
    """Whether two runs end in the same generator, to the bit."""
    first, second = weights(a), weights(b)
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def measured(folder: Path) -> list[dict[str, Any]]:
    """The numbers of a run's record, without what differs from one evaluation to the next."""
    entries = json.loads((folder / "results.json").read_text())["metrics"]
    return [{key: value for key, value in entry.items() if key not in ("seconds", "evaluation")} for entry in entries]
