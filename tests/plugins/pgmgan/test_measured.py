"""A whole run from the command line: each number says whether samples were redrawn, and all are verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main

SMALL = [
    *("--set", "steps=60", "--set", "rejection=both", "--set", "redraws=2", "--set", "sample_every=0"),
    *("--set", "points.points=400", "--set", "points.steps=200", "--set", "points.batch_size=200"),
    *("--set", "points.network=linear", "--set", "backbone.generator_width=16", "--set", "evaluation.samples=300"),
    *("--set", "evaluation.neighbours_samples=100"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    where = ["--plugin", "pgmgan", "--dataset", "ring2d", "--scale", "tiny", "--device", "cpu", "--out", str(folder)]
    assert main(["run", *where, *SMALL]) == 0
    return folder


def entries(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "results.json").read_text())["metrics"]
    return found


def test_samples_are_measured_with_and_without_redraws_and_first_draws_once(run: Path) -> None:
    by_metric: dict[str, set[str]] = {}
    for entry in entries(run):
        by_metric.setdefault(entry["metric"], set()).add(entry["subject"]["rejection"])
    assert by_metric["modes"] == by_metric["high_quality_pct"] == by_metric["reverse_kl"] == {"on", "off"}
    assert by_metric["acceptance_pct"] == {"on"}


def test_what_is_printed_tells_them_apart(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--metrics", "modes,acceptance_pct"]) == 0
    words = capsys.readouterr().out
    assert "modes (rejection on)" in words
    assert "modes (rejection off)" in words
    assert "acceptance_pct (rejection off)" not in words


def test_a_metric_that_nothing_here_can_do_is_refused_still(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--metrics", "psnr"]) == 2
    assert "metric 'psnr' cannot be measured here" in capsys.readouterr().err


def test_the_record_is_verified(run: Path) -> None:
    assert main(["verify", str(run), "--device", "cpu"]) == 0
