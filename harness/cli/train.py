"""``harness train``: train without evaluating."""

from __future__ import annotations

from harness.cli import run as run_command
from harness.cli.options import AsJson, DataRoot, Without


def train(
    plugin: run_command.Plugin = None,
    dataset: run_command.Dataset = None,
    recipe: run_command.RecipeId = None,
    scale: run_command.ScaleName = "paper",
    set_: run_command.Set = None,
    config: run_command.Config = None,
    fraction: run_command.Fraction = 1.0,
    seed: run_command.Seed = None,
    seeds: run_command.Seeds = None,
    fold: run_command.OneFold = None,
    folds: run_command.Folds = None,
    steps: run_command.Steps = None,
    evaluate_every: run_command.EvaluateEvery = None,
    device: run_command.Device = "auto",
    devices: run_command.Devices = 1,
    data_root: DataRoot = None,
    out: run_command.Out = None,
    resume: run_command.Resume = False,
    overwrite: run_command.Overwrite = False,
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Train a method; score it later with harness evaluate."""
    return run_command.start(evaluate=False, **locals())
