"""Runs that were made before a setting existed: they are verified, resumed and scored as if it had its default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.catalog import Catalog
from harness.errors import SettingsError
from harness.experiment import record_digest, resolve
from harness.runs import RunOptions, train_run
from harness.runs.verify import verify_run
from harness.training.checkpoints import checkpoints_in, load_checkpoint
from harness.training.reporting import Reporter

SETTINGS = {
    "steps": 4,
    "backbone": {"width": 2},
    "checkpoint_every": 2,
    "evaluation": {"samples": 100, "metrics": ["fd"]},
}
LATER = "train_split"


def go_on(catalog: Catalog, folder: Path, resume: bool, overrides: Mapping[str, Any] = SETTINGS) -> None:
    experiment = resolve(catalog, plugin="gan", dataset="digits", scale="tiny", overrides=overrides)
    train_run(catalog, experiment, RunOptions(out=folder, device="cpu", resume=resume), Reporter(quiet=True))


@pytest.fixture
def older(catalog: Catalog, tmp_path: Path) -> Path:
    """A finished run by a version that did not know one of today's settings."""
    folder = tmp_path / "run"
    go_on(catalog, folder, resume=False)
    for name in ("results.json", "experiment.json"):
        record = json.loads((folder / name).read_text())
        del record["settings"][LATER]
        (folder / name).write_text(json.dumps(record))
    for path in checkpoints_in(folder / "checkpoints"):
        payload = load_checkpoint(path, torch.device("cpu"))
        torch.save(payload | {"experiment": record_digest(record)}, path)
    return folder


def test_they_are_verified(catalog: Catalog, older: Path) -> None:
    assert verify_run(catalog, older, reporter=Reporter(quiet=True), device="cpu").problems == ()


def test_a_setting_that_is_missing_and_was_not_the_default_is_found(catalog: Catalog, older: Path) -> None:
    record = json.loads((older / "results.json").read_text())
    del record["settings"]["steps"]
    (older / "results.json").write_text(json.dumps(record))
    (problem,) = verify_run(catalog, older, reporter=Reporter(quiet=True), device="cpu").problems
    assert problem.startswith("settings.steps is 4, and ")


def test_they_are_resumed_and_can_be_once_more(catalog: Catalog, older: Path) -> None:
    whole = (older / "results.json").read_text()
    for _ in range(2):
        (older / "results.json").unlink()
        checkpoints_in(older / "checkpoints")[-1].unlink()
        go_on(catalog, older, resume=True)
    found, expected = (json.loads(text)["metrics"] for text in ((older / "results.json").read_text(), whole))
    assert [entry["value"] for entry in found] == [entry["value"] for entry in expected]
    assert LATER not in json.loads((older / "experiment.json").read_text())["settings"]


def test_other_watching_is_recorded_and_leaves_the_training_as_it_was_written(catalog: Catalog, older: Path) -> None:
    (older / "results.json").unlink()
    checkpoints_in(older / "checkpoints")[-1].unlink()
    go_on(catalog, older, resume=True, overrides=SETTINGS | {"log_every": 1})
    settings = json.loads((older / "experiment.json").read_text())["settings"]
    assert settings["log_every"] == 1
    assert LATER not in settings
    assert verify_run(catalog, older, reporter=Reporter(quiet=True), device="cpu").problems == ()


def test_the_setting_itself_cannot_be_asked_for_anew(catalog: Catalog, older: Path) -> None:
    (older / "results.json").unlink()
    with pytest.raises(SettingsError, match=f"{LATER}"):
        go_on(catalog, older, resume=True, overrides=SETTINGS | {LATER: "test"})
