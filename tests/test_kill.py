"""A run killed with SIGKILL at random moments and resumed ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from resuming import same

from harness.training.checkpoints import checkpoints_in

STEPS, INTERVAL = 18, 5
RUN = (
    *("--plugin", "lcsa", "--dataset", "digits", "--scale", "tiny", "--device", "cpu", "--steps", STEPS),
    *("--set", "augmentation=ada", "--set", "augmentation.target=-1", "--set", "augmentation.interval=2"),
    *("--set", "regulariser=lecam", "--set", "regulariser.start=0"),
    *("--set", "backbone.width=4", "--set", "batch_size=16", "--set", f"checkpoint_every={INTERVAL}"),
    *("--set", "log_every=1", "--set", "sample_every=4", "--set", "evaluation.samples=200"),
    *("--set", "evaluation.neighbours_samples=100", "--evaluate-every", 6),
)


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


def kill_once_logged(process: subprocess.Popen[str], log: Path, lines: int) -> None:
    deadline = time.monotonic() + 120
    while not log.is_file() or log.read_text().count("\n") < lines:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def without_seconds(entries: list[dict]) -> list[dict]:
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def lines_of(path: Path) -> list[dict]:
    return without_seconds([json.loads(line) for line in path.read_text().splitlines()])


def test_three_kills_change_neither_weights_nor_metrics_nor_logs(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start("run", *RUN, "--out", whole))
    draw = random.Random(os.urandom(8))
    moments = [
        draw.randint(1, INTERVAL - 1),  # before the first interval: only step 0 is saved
        draw.randint(INTERVAL + 1, 2 * INTERVAL + 1),
        draw.randint(2 * INTERVAL + 2, STEPS - 1),
    ]
    print("killed after log lines", moments)
    kill_once_logged(start("run", *RUN, "--out", killed), killed / "log.jsonl", moments[0])
    for moment in moments[1:]:
        kill_once_logged(start("run", "--out", killed, "--resume"), killed / "log.jsonl", moment)
    finish(start("run", "--out", killed, "--resume"))

    states = [torch.load(checkpoints_in(run / "checkpoints")[-1], weights_only=True) for run in (whole, killed)]
    assert same(states[0]["state"], states[1]["state"])
    assert states[0]["state"]["companions.augmentation"]["p"] > 0  # what accompanies the method is among it
    records = [json.loads((run / "results.json").read_text()) for run in (whole, killed)]
    assert without_seconds(records[0]["metrics"]) == without_seconds(records[1]["metrics"])
    assert records[0]["metrics"]
    assert lines_of(whole / "log.jsonl") == lines_of(killed / "log.jsonl")
    for line, other in zip(lines_of(whole / "evaluations.jsonl"), lines_of(killed / "evaluations.jsonl"), strict=True):
        assert without_seconds(line["metrics"]) == without_seconds(other["metrics"])
    grids = [{p.name: p.read_bytes() for p in (run / "samples").iterdir()} for run in (whole, killed)]
    assert grids[0] == grids[1]
