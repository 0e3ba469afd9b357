"""What needs a CUDA device: the same code trains there, resumes there, and agrees with the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.cli import main
from harness.training.checkpoints import checkpoints_in

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

RUN = (
    *("--plugin", "lcsa", "--dataset", "digits", "--scale", "tiny", "--set", "evaluation.samples=500"),
    *("--set", "evaluation.neighbours_samples=200", "--set", "checkpoint_every=2", "--set", "log_every=1"),
)


def run(out: Path, *words: str) -> dict:
    assert main(["run", *RUN, "--out", str(out), *words]) == 0
    return json.loads((out / "results.json").read_text())


def first_losses(out: Path) -> dict[str, float]:
    line = json.loads((out / "log.jsonl").read_text().splitlines()[0])
    return {name: value for name, value in line.items() if "/" in name}


def test_the_gpu_is_taken_when_there_is_one_and_the_record_says_so(tmp_path):
    record = run(tmp_path / "a", "--steps", "4")
    assert "cuda" in json.dumps(record["environment"]).lower()
    assert record["metrics"]


def test_the_first_step_agrees_with_the_cpu(tmp_path):
    # latents are drawn by the device, so only what does not depend on them agrees: initial weights, hence step 0
    run(tmp_path / "gpu", "--steps", "1", "--device", "cuda")
    run(tmp_path / "cpu", "--steps", "1", "--device", "cpu")
    states = [
        torch.load(checkpoints_in(tmp_path / name / "checkpoints")[0], map_location="cpu", weights_only=True)["state"]
        for name in ("gpu", "cpu")
    ]
    for key, value in states[0]["generator"].items():
        torch.testing.assert_close(value, states[1]["generator"][key])
    on_gpu, on_cpu = first_losses(tmp_path / "gpu"), first_losses(tmp_path / "cpu")
    assert on_gpu.keys() == on_cpu.keys()


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_it_trains_in_both_precisions(tmp_path, precision):
    record = run(tmp_path / "a", "--steps", "20", "--set", f"precision={precision}")
    assert record["settings"]["precision"] == precision
    assert record["exit_state"] == "finished"


def test_a_checkpoint_of_the_gpu_is_scored_on_the_cpu(tmp_path):
    run(tmp_path / "a", "--steps", "4", "--device", "cuda")
    before = {m["protocol_id"]: m["value"] for m in json.loads((tmp_path / "a/results.json").read_text())["metrics"]}
    assert main(["evaluate", str(tmp_path / "a"), "--device", "cpu"]) == 0
    after = {m["protocol_id"]: m["value"] for m in json.loads((tmp_path / "a/results.json").read_text())["metrics"]}
    assert after.keys() == before.keys()
    for name, value in after.items():
        assert value == pytest.approx(before[name], rel=0.05, abs=0.05)


def test_latents_conditions_and_jacobians_of_a_network_on_the_gpu_are_measured(tmp_path, capsys):
    run(tmp_path / "a", "--steps", "4", "--device", "cuda")
    capsys.readouterr()
    names = "mc,ttmc,jacobian_rank,intrinsic_dimension,ifd,fd_inf,memorisation"
    words = ("--metrics", names, "--set", "evaluation.pairs=100", "--device", "cuda", "--json")
    assert main(["evaluate", str(tmp_path / "a"), *words]) == 0
    found = {entry["metric"] for entry in json.loads(capsys.readouterr().out)["metrics"]}
    assert {"mc", "ttmc", "jacobian_rank", "intrinsic_dimension", "ifd", "fd_inf", "authenticity_pct"} <= found


def test_scores_of_stored_images_agree_with_the_cpu(tmp_path, capsys):
    values = []
    for device in ("cuda", "cpu"):
        capsys.readouterr()
        words = ("--generated", "digits", "--generated-split", "test", "--real", "digits", "--json", "--device", device)
        assert main(["evaluate", *words]) == 0
        values.append({m["protocol_id"]: m["value"] for m in json.loads(capsys.readouterr().out)["metrics"]})
    assert values[0].keys() == values[1].keys()
    for name, value in values[0].items():
        assert value == pytest.approx(values[1][name], rel=1e-3, abs=1e-3), name
