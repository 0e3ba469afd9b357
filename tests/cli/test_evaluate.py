"""``harness evaluate RUN`` scores a run again, leaves the rest of its record whole, and refuses what it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typed_runs import SHORT, measured

from harness.cli.evaluate import listed_names
from harness.errors import SettingsError
from harness.training.checkpoints import checkpoints_in


def test_evaluating_again_under_another_protocol_keeps_the_old_entries(harness: Any, tmp_path: Path) -> None:
    assert harness("run", *SHORT, "--out", "a").code == 0
    before = measured(tmp_path / "a")
    assert harness("evaluate", "a", "--metrics", "modes", "--samples", 300).code == 0
    after = measured(tmp_path / "a")
    assert [entry for entry in after if entry in before] == before
    new = [entry for entry in after if entry not in before]
    assert new
    assert {(entry["metric"], entry["counts"]["generated"]) for entry in new} == {("modes", 300)}


def test_a_corrupt_checkpoint_is_refused_and_named(refused: Any, finished: Path) -> None:
    path = checkpoints_in(finished / "checkpoints")[-1]
    path.write_bytes(path.read_bytes()[:1000])
    assert f"checkpoint {path}" in refused("evaluate", finished)


def test_mistakes_in_evaluating(refused: Any, finished: Path) -> None:
    assert "no run at absent" in refused("evaluate", "absent")
    assert "kept no best checkpoint" in refused("evaluate", finished, "--checkpoint", "best")
    assert "no checkpoint '77'" in refused("evaluate", finished, "--checkpoint", "77")
    assert "unknown metric 'modez'; did you mean 'modes'" in refused("evaluate", finished, "--metrics", "modez")
    assert "'evaluation.samples'" in refused("evaluate", finished, "--samples", "-5")
    assert "cannot change 'loss'" in refused("evaluate", finished, "--set", "loss=hinge")


def test_what_a_metric_cannot_be_told_is_refused_before_any_checkpoint_is_read(refused: Any, finished: Path) -> None:
    checkpoints_in(finished / "checkpoints")[-1].write_bytes(b"x")
    line = refused("evaluate", finished, "--set", "evaluation.of.kernel.subset=5")
    assert "metric 'kernel' has no setting 'evaluation.of.kernel.subset'; did you mean" in line


@pytest.mark.parametrize("key", ["version", "method", "settings", "problem"])
def test_an_experiment_that_was_cut_by_hand_is_refused(refused: Any, finished: Path, key: str) -> None:
    path = finished / "experiment.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    assert "experiment.json" in refused("evaluate", finished)


def test_a_record_that_cannot_be_read_is_refused_before_any_work(refused: Any, finished: Path) -> None:
    (finished / "results.json").write_text("{")
    assert "is not the record of a run" in refused("evaluate", finished)


def test_stray_files_beside_the_checkpoints_are_passed_over(harness: Any, finished: Path) -> None:
    (finished / "checkpoints/step-abc.pt").write_text("x")
    assert harness("evaluate", finished).code == 0


def test_scoring_an_earlier_checkpoint_leaves_the_record_of_the_run_whole(
    harness: Any, refused: Any, finished: Path
) -> None:
    before = json.loads((finished / "results.json").read_text())
    assert harness("evaluate", finished, "--checkpoint", "4", "--metrics", "modes").code == 0
    after = json.loads((finished / "results.json").read_text())
    assert after["exit_state"] == "finished"
    assert after["cost"]["steps"] == before["cost"]["steps"] == 6
    new = [entry for entry in after["metrics"] if entry["subject"]["checkpoint"] == "step-4"]
    assert {entry["metric"] for entry in new} == {"modes"}
    old = [entry for entry in after["metrics"] if entry not in new]
    assert old == [entry | {"evaluation": 1} for entry in before["metrics"]]
    assert [each["settings"]["metrics"] for each in after["evaluations"]] == [["modes"], None]
    assert "is finished" in refused("run", *SHORT, "--out", finished)


def test_a_stopped_run_can_be_scored(harness: Any, tmp_path: Path) -> None:
    assert harness("train", *SHORT, "--out", "a").code == 0
    newest = checkpoints_in(tmp_path / "a/checkpoints")[-1]
    newest.unlink()  # as if it had been killed between two checkpoints
    assert harness("evaluate", "a").code == 0
    record = json.loads((tmp_path / "a/results.json").read_text())
    assert (record["exit_state"], record["cost"]["steps"]) == ("stopped", 4)


def test_the_numbers_are_printed_with_the_record_and_the_verdict(harness: Any, finished: Path) -> None:
    code, out, err = harness("evaluate", finished, "--metrics", "modes,reverse_kl", "--samples", 200)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].split() == ["metric", "value", "±", "se", "protocol"]
    assert f"record   {finished / 'results.json'}" in lines
    assert "no paper here prints a number for it" in lines[-1]


def test_json_output_is_the_new_record_and_nothing_else(harness: Any, finished: Path) -> None:
    code, out, _ = harness("evaluate", finished, "--metrics", "modes", "--samples", 200, "--json")
    assert code == 0
    assert json.loads(out) == json.loads((finished / "results.json").read_text())


def test_an_option_wins_over_the_same_setting(harness: Any, finished: Path) -> None:
    words = ("--set", "evaluation.samples=400", "--set", "evaluation.block=100", "--set", "evaluation.metrics=['fd']")
    assert harness("evaluate", finished, *words, "--samples", 300, "--metrics", "modes").code == 0
    settings = json.loads((finished / "results.json").read_text())["evaluations"][0]["settings"]
    assert (settings["samples"], settings["block"], settings["metrics"]) == (300, 100, ["modes"])


@pytest.mark.parametrize("given", ["steps=4", "evaluation=4", "ema.decay=0.5"])
def test_only_settings_of_the_evaluation_can_be_changed(refused: Any, given: str) -> None:
    key = given.partition("=")[0].partition(".")[0]
    said = refused("evaluate", "nowhere", "--set", given)
    assert said == f"error: harness evaluate cannot change '{key}'; only settings of the group evaluation.*"


def test_without_a_run_and_without_images_there_is_nothing_to_evaluate(refused: Any) -> None:
    assert refused("evaluate") == "error: nothing to evaluate; give a run's folder, or --generated and --real"


@pytest.mark.parametrize(("text", "names"), [("fd", ["fd"]), ("fd,is", ["fd", "is"]), (" fd , is ", ["fd", "is"])])
def test_lists_of_names_have_single_commas_between_them(text: str, names: list[str]) -> None:
    assert listed_names(text, "metrics") == names


@pytest.mark.parametrize("text", ["", " ", ",", "fd,", "fd,,is"])
def test_a_list_with_a_missing_name_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="^a name is missing in the list of metrics '.*'; separate names by single"):
        listed_names(text, "metrics")
