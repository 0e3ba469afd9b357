"""``harness run``, ``train``, ``evaluate`` and ``sample`` as a user types them, and as a user mistypes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.runs import progress, score
from harness.training.checkpoints import checkpoints_in
from harness.training.run_folder import RunFolder

#: seconds, not minutes
POINTS = ("--plugin", "gan", "--dataset", "ring2d", "--scale", "tiny", "--set", "evaluation.samples=500")
SHORT = (*POINTS, "--steps", "6", "--set", "checkpoint_every=2", "--set", "log_every=2")
IMAGES = ("--plugin", "gan", "--dataset", "digits", "--scale", "tiny", "--steps", "2", "--set", "backbone.width=2")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    payload = torch.load(checkpoints_in(folder / "checkpoints")[-1], weights_only=True)
    return payload["state"]["generator"]


def same_weights(a: Path, b: Path) -> bool:
    first, second = weights(a), weights(b)
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def measured(folder: Path) -> list[dict]:
    entries = json.loads((folder / "results.json").read_text())["metrics"]
    return [{key: value for key, value in entry.items() if key not in ("seconds", "evaluation")} for entry in entries]


# -- what works ------------------------------------------------------------------------------------


def test_a_run_leaves_a_record_a_checkpoint_a_log_and_a_picture(harness, tmp_path):
    code, out, err = harness("run", *SHORT, "--out", "a")
    assert code == 0, err
    record = json.loads((tmp_path / "a/results.json").read_text())
    assert (record["recipe"], record["method"], record["dataset"], record["scale"], record["seed"]) == (
        "gan/mlp-nsgan+changed",
        "gan",
        "ring2d",
        "tiny",
        0,
    )
    assert record["exit_state"] == "finished"
    assert record["cost"]["steps"] == 6
    assert record["cost"]["images_seen"] == 6 * 100
    assert {"modes", "high_quality_pct", "reverse_kl"} <= {entry["metric"] for entry in record["metrics"]}
    assert all(entry["protocol_id"].startswith(entry["metric"] + "[") for entry in record["metrics"])
    assert [json.loads(line)["step"] for line in (tmp_path / "a/log.jsonl").read_text().splitlines()] == [2, 4, 6]
    assert Image.open(tmp_path / "a/samples/step-00000006.png").size == (600, 600)
    assert "high_quality_pct" in out
    assert str(Path("a/results.json")) in out


def test_json_output_is_the_record(harness, tmp_path):
    code, out, _ = harness("run", *SHORT, "--out", "a", "--json")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "a/results.json").read_text())


def test_several_seeds_are_several_runs(harness, tmp_path):
    code, out, err = harness("train", *SHORT, "--seeds", "3..4", "--out", "all", "--json")
    assert code == 0, err
    assert [record["seed"] for record in json.loads(out)] == [3, 4]
    assert not same_weights(tmp_path / "all/s3", tmp_path / "all/s4")


def test_without_out_the_folder_names_method_data_recipe_scale_and_seed(harness, tmp_path):
    assert harness("train", "--plugin", "gan", "--dataset", "ring2d", "--scale", "tiny", "--steps", 1).code == 0
    (folder,) = (tmp_path / "runs/gan/ring2d").iterdir()
    assert folder.name.startswith("mlp-nsgan-tiny-x")
    assert folder.name.endswith("-s0")


def test_grids_and_evaluations_on_the_way_train_the_same_weights(harness, tmp_path):
    assert harness("train", *SHORT, "--out", "plain", "--set", "sample_every=0").code == 0
    watched = ("--set", "sample_every=1", "--evaluate-every", 2)
    assert harness("train", *SHORT, "--out", "watched", *watched).code == 0
    assert same_weights(tmp_path / "plain", tmp_path / "watched")
    assert len(list((tmp_path / "watched/samples").iterdir())) == 6
    lines = (tmp_path / "watched/evaluations.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 4, 6]


def test_the_same_holds_for_images_with_batch_norm(harness, tmp_path):
    images = (*IMAGES, "--set", "evaluation.samples=50", "--set", "evaluation.neighbours_samples=50")
    assert harness("train", *images, "--out", "plain", "--set", "sample_every=0").code == 0
    watched = ("--set", "sample_every=1", "--evaluate-every", 1)
    assert harness("train", *images, "--out", "watched", *watched).code == 0
    assert same_weights(tmp_path / "plain", tmp_path / "watched")


def test_the_best_checkpoint_is_kept_by_a_named_rule(harness, tmp_path):
    rule = ("--evaluate-every", 2, "--set", "evaluation.best=reverse_kl")
    assert harness("train", *SHORT, "--out", "a", *rule).code == 0
    lines = [json.loads(line) for line in (tmp_path / "a/evaluations.jsonl").read_text().splitlines()]
    values = {line["step"]: next(m["value"] for m in line["metrics"] if m["metric"] == "reverse_kl") for line in lines}
    best = torch.load(tmp_path / "a/checkpoints/best.pt", weights_only=True)
    assert best["best"]["step"] == best["total"] == min(values, key=lambda step: (values[step], step))


def test_training_and_evaluating_apart_measures_the_same(harness, tmp_path):
    assert harness("run", *SHORT, "--out", "a").code == 0
    assert harness("train", *SHORT, "--out", "b").code == 0
    assert measured(tmp_path / "b") == []
    assert harness("evaluate", "b").code == 0
    assert measured(tmp_path / "a") == measured(tmp_path / "b")


def test_evaluating_again_under_another_protocol_keeps_the_old_entries(harness, tmp_path):
    assert harness("run", *SHORT, "--out", "a").code == 0
    before = measured(tmp_path / "a")
    assert harness("evaluate", "a", "--metrics", "modes", "--samples", 300).code == 0
    after = measured(tmp_path / "a")
    assert [entry for entry in after if entry in before] == before
    new = [entry for entry in after if entry not in before]
    assert new
    assert {(entry["metric"], entry["counts"]["generated"]) for entry in new} == {("modes", 300)}


def test_samples_need_no_data_and_are_the_ones_that_are_measured(harness, tmp_path):
    assert harness("train", *IMAGES, "--out", "a").code == 0
    assert harness("sample", "a", "--count", 30, "--out", "x.npz").code == 0
    assert harness("sample", "a", "--count", 12, "--out", "y.npz").code == 0
    x, y = np.load("x.npz"), np.load("y.npz")
    assert x["arr_0"].shape == (30, 8, 8, 1)
    assert x["arr_0"].dtype == np.uint8
    assert np.array_equal(x["arr_0"][:12], y["arr_0"])
    assert harness("sample", "a", "--count", 6, "--classes", "3,7", "--out", "z.npz").code == 0
    assert np.load("z.npz")["labels"].tolist() == [3, 7, 3, 7, 3, 7]
    assert harness("sample", "a", "--out", "grid.png").code == 0
    assert Image.open("grid.png").mode == "L"


def test_a_fraction_is_recorded_with_its_seed(harness, tmp_path):
    assert harness("train", *IMAGES, "--fraction", 0.1, "--out", "a").code == 0
    dataset = json.loads((tmp_path / "a/results.json").read_text())["data"]
    assert (dataset["fraction"], dataset["subset_seed"]) == (0.1, 0)
    assert dataset["train_items"] == pytest.approx(0.1 * 1437, abs=20)


def test_settings_come_from_toml_and_set_wins(harness, tmp_path):
    Path("s.toml").write_text('steps = 3\nloss = "hinge"\n[ema]\ndecay = 0.5\n')
    assert harness("train", *POINTS, "--config", "s.toml", "--set", "loss=lsgan", "--out", "a").code == 0
    settings = json.loads((tmp_path / "a/results.json").read_text())["settings"]
    assert (settings["steps"], settings["loss"], settings["ema"]["decay"]) == (3, "lsgan", 0.5)


def test_an_unchanged_recipe_is_recorded_without_a_mark(harness, tmp_path):
    progress = ("--set", "log_every=1000", "--set", "evaluation.samples=100")
    assert harness("describe", "gan/mlp-nsgan", "--scale", "tiny", *progress[:2], "--json").code == 0
    from harness.catalog import open_catalog
    from harness.experiment import resolve
    from harness.overrides import parse_overrides

    experiment = resolve(
        open_catalog(),
        plugin="gan",
        dataset="ring2d",
        scale="tiny",
        overrides=parse_overrides([progress[1], progress[3]]),
    )
    assert experiment.recipe_id == "gan/mlp-nsgan"


# -- what does not ---------------------------------------------------------------------------------

MISTAKES = {
    "plugin": (("--plugin", "lcsaa", "--dataset", "digits"), "unknown plugin or method 'lcsaa'; did you mean 'lcsa'"),
    "dataset": (("--plugin", "gan", "--dataset", "cifar"), "unknown data set 'cifar'; did you mean"),
    "recipe": (
        ("--plugin", "gan", "--dataset", "digits", "--recipe", "biggan-hing"),
        "did you mean 'gan/biggan-hinge'",
    ),
    "scale": (("--plugin", "gan", "--dataset", "digits", "--scale", "tny"), "did you mean 'tiny'"),
    "backbone": ((*IMAGES, "--set", "backbone=bigan"), "unknown backbone 'bigan'; did you mean 'biggan'"),
    "key": ((*IMAGES, "--set", "d_step=2"), "no setting 'd_step'; did you mean 'd_steps'"),
    "nested key": ((*IMAGES, "--set", "ema.deca=0.2"), "did you mean 'ema.decay'"),
    "backbone's key": ((*IMAGES, "--set", "backbone.widht=2"), "did you mean 'backbone.width'"),
    "value": ((*IMAGES, "--set", "d_steps=many"), "'d_steps'"),
    "loss": ((*IMAGES, "--set", "loss=hing"), "unknown loss 'hing'; did you mean 'hinge'"),
    "no equals sign": ((*IMAGES, "--set", "d_steps"), "--set needs key=value, not 'd_steps'"),
    "zero steps": ((*IMAGES[:-4], "--steps", "0"), "'steps'"),
    "negative batch": ((*IMAGES, "--set", "batch_size=-4"), "'batch_size'"),
    "zero samples": ((*IMAGES, "--set", "evaluation.samples=0"), "'evaluation.samples'"),
    "negative seed": ((*IMAGES, "--seed", "-1"), "seed must be 0 or more, not -1"),
    "seed and seeds": ((*IMAGES, "--seed", "1", "--seeds", "0..2"), "contradict"),
    "seeds backwards": ((*IMAGES, "--seeds", "2..0"), "A..B"),
    "a rule that nobody measures": (
        (*POINTS, "--evaluate-every", "2", "--set", "evaluation.best=reverse_kll"),
        "did you mean 'reverse_kl'",
    ),
    "too few samples": ((*IMAGES, "--set", "evaluation.samples=5"), "at least 20 generated items are needed, not 5"),
    "an impossible beta": ((*POINTS, "--set", "generator_adam.betas=[0.5,1.5]"), "generator_adam.betas"),
    "mirrored points": ((*POINTS, "--set", "flip=true"), "holds points"),
    "the device of describe": ((*POINTS, "--device", "meta"), "not supported"),
    "truth for a number": ((*POINTS, "--set", "generator_adam.lr=true"), "lr takes a number, not true"),
    "an absurd count": ((*POINTS, "--set", "evaluation.samples=99999999999999"), "'evaluation.samples'"),
    "superscripts": ((*POINTS, "--seeds", "²..³"), "A..B"),
    "fraction": ((*IMAGES, "--fraction", "0"), "fraction must be above 0"),
    "labels for an unconditional recipe": (
        (*IMAGES, "--recipe", "biggan-hinge-unconditional", "--set", "conditional=true"),
        "conditional=true contradicts it",
    ),
    "points with an image backbone": (
        ("--plugin", "gan", "--dataset", "ring2d", "--recipe", "biggan-hinge"),
        "backbone 'biggan' makes images, but data set 'ring2d' holds points",
    ),
    "a recipe for images with points": (("--plugin", "lcsa", "--dataset", "ring2d"), "makes images"),
    "a size nobody builds": (
        ("--plugin", "gan", "--dataset", "mnist", "--set", "fit=none"),
        "cannot build 28x28 pixels (it builds 8, 16, 32, 64, 128); use --set fit=pad",
    ),
    "a crop that is too large": (("--plugin", "gan", "--dataset", "mnist", "--set", "fit=crop:64"), "crop:64"),
    "an unknown way to fit": (("--plugin", "gan", "--dataset", "mnist", "--set", "fit=squeeze"), "choose none, pad"),
    "a fraction of an endless law": (
        ("--plugin", "gan", "--dataset", "gaussian_clusters", "--fraction", "0.5"),
        "endless law",
    ),
    "a GPU that is not there": ((*IMAGES, "--device", "cuda:99"), "--device cuda:99"),
    "an unknown device": ((*IMAGES, "--device", "tpu"), "'tpu'"),
    "resuming nothing": ((*IMAGES, "--out", "nowhere", "--resume"), "nothing to resume: no run at nowhere"),
    "resume and overwrite": ((*IMAGES, "--resume", "--overwrite"), "contradict"),
    "an unknown option": ((*IMAGES, "--stepz", "3"), "--stepz"),
    "no data set": (("--plugin", "gan"), "no data set is given"),
    "missing TOML": ((*IMAGES, "--config", "absent.toml"), "absent.toml"),
    "missing data": (("--plugin", "gan", "--dataset", "cifar100", "--data-root", "."), "harness data fetch cifar100"),
    "an unknown metric": ((*IMAGES, "--set", 'evaluation.metrics=["fdd"]'), "unknown metric 'fdd'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_says_what_and_how_to_fix_it(refused, mistake, tmp_path):
    words, expected = MISTAKES[mistake]
    assert expected in refused("run", *words)
    assert not (tmp_path / "runs").exists(), "nothing is left behind"


@pytest.fixture
def finished(harness, tmp_path) -> Path:
    assert harness("run", *SHORT, "--out", "a").code == 0
    return tmp_path / "a"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "lock"}


def test_a_finished_run_is_not_trained_again_unless_asked(refused, harness, finished):
    before = contents(finished)
    assert "is finished" in refused("run", *SHORT, "--out", finished)
    assert "is finished" in refused("run", "--out", finished, "--resume")
    assert contents(finished) == before
    assert harness("run", *SHORT, "--out", finished, "--overwrite").code == 0
    assert same_weights(finished, finished)


def test_an_output_path_that_is_a_file_is_refused(refused):
    Path("file").write_text("kept")
    assert "is a file" in refused("run", *SHORT, "--out", "file")
    assert Path("file").read_text() == "kept"


def test_resuming_with_other_settings_names_the_difference(refused, harness, tmp_path):
    assert harness("train", *SHORT, "--out", "a").code == 0
    (tmp_path / "a/results.json").unlink()
    line = refused("run", *SHORT, "--set", "loss=hinge", "--out", "a", "--resume")
    assert "loss=nsgan, not hinge" in line


@pytest.mark.parametrize("name", ["log.jsonl", "checkpoints/.step-00000004.pt.part", "samples/.step-00000006.png.part"])
def test_a_full_disk_is_one_line_and_the_run_goes_on_once_there_is_room(harness, monkeypatch, tmp_path, name):
    create = RunFolder.create

    def create_with_full_disk(folder, record):
        create(folder, record)
        (folder.path / name).symlink_to("/dev/full")  # the kernel's own full disk

    monkeypatch.setattr(RunFolder, "create", create_with_full_disk)
    code, _, err = harness("run", *SHORT, "--out", "a")
    assert code == 2
    assert len([line for line in err.splitlines() if line.startswith("error: ")]) == 1
    assert "Traceback" not in err
    (tmp_path / "a" / name).unlink(missing_ok=True)
    assert harness("run", "--out", "a", "--resume").code == 0
    assert harness("run", *SHORT, "--out", "b").code == 2, "the disk is still full for another run"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert harness("run", *SHORT, "--out", "c").code == 0
    assert same_weights(tmp_path / "a", tmp_path / "c")


def test_a_corrupt_checkpoint_is_refused_and_named(refused, finished):
    path = checkpoints_in(finished / "checkpoints")[-1]
    path.write_bytes(path.read_bytes()[:1000])
    assert f"checkpoint {path}" in refused("evaluate", finished)


def test_mistakes_in_evaluating(refused, finished):
    assert "no run at absent" in refused("evaluate", "absent")
    assert "kept no best checkpoint" in refused("evaluate", finished, "--checkpoint", "best")
    assert "no checkpoint '77'" in refused("evaluate", finished, "--checkpoint", "77")
    assert "unknown metric 'modez'; did you mean 'modes'" in refused("evaluate", finished, "--metrics", "modez")
    assert "'evaluation.samples'" in refused("evaluate", finished, "--samples", "-5")
    assert "cannot change 'loss'" in refused("evaluate", finished, "--set", "loss=hinge")


def test_data_that_changed_since_is_noticed(refused, harness, tmp_path):
    images = tmp_path / "images" / "a"
    images.mkdir(parents=True)
    for number in range(12):
        Image.fromarray(np.full((8, 8), number * 20, np.uint8)).save(images / f"{number}.png")
    mine = (*IMAGES[:2], "--dataset", f"folder:{tmp_path / 'images'}", *IMAGES[4:], "--set", "conditional=false")
    assert harness("train", *mine, "--set", "batch_size=4", "--out", "a").code == 0
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(images / "3.png")
    assert "is not what the run in a was started with" in refused("evaluate", "a")
    (tmp_path / "a/results.json").unlink()
    assert "is not what the run in a was started with" in refused("run", "--out", "a", "--resume")


@pytest.mark.parametrize("key", ["version", "method", "settings", "problem"])
def test_an_experiment_that_was_cut_by_hand_is_refused(refused, finished, key):
    path = finished / "experiment.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    assert "experiment.json" in refused("evaluate", finished)


def test_a_record_that_cannot_be_read_is_refused_before_any_work(refused, finished):
    (finished / "results.json").write_text("{")
    assert "is not the record of a run" in refused("evaluate", finished)


def test_stray_files_beside_the_checkpoints_are_passed_over(harness, finished):
    (finished / "checkpoints/step-abc.pt").write_text("x")
    assert harness("evaluate", finished).code == 0


def test_mistakes_in_sampling(refused, finished):
    assert "unconditional" in refused("sample", finished, "--classes", "1")
    assert "at least 1" in refused("sample", finished, "--count", "0")
    assert "end it in .png or .npz" in refused("sample", finished, "--out", "x.jpg")
    assert "folder that exists" in refused("sample", finished, "--out", "absent/x.png")


def test_scoring_an_earlier_checkpoint_leaves_the_record_of_the_run_whole(harness, refused, finished):
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


def test_a_resumed_run_passes_over_nothing_that_was_asked_for(harness, refused, tmp_path):
    assert harness("train", *SHORT, "--out", "a").code == 0
    (tmp_path / "a/results.json").unlink()
    checkpoints_in(tmp_path / "a/checkpoints")[-1].unlink()
    for words in (("--seed", "5"), ("--set", "lr=3"), ("--steps", "9"), ("--scale", "tiny"), ("--fraction", "0.5")):
        assert f"{words[0]} cannot change a run that is resumed" in refused("run", "--out", "a", "--resume", *words)
    assert harness("run", *SHORT, "--evaluate-every", 5, "--out", "a", "--resume").code == 0
    assert [json.loads(line)["step"] for line in (tmp_path / "a/evaluations.jsonl").read_text().splitlines()] == [5]


def test_the_time_of_training_is_training_alone(harness, monkeypatch, tmp_path):
    import time

    evaluate, draw = score.evaluate, progress.draw_samples
    monkeypatch.setattr(score, "evaluate", lambda *a, **k: (time.sleep(3), evaluate(*a, **k))[1])
    monkeypatch.setattr(progress, "draw_samples", lambda *a, **k: (time.sleep(3), draw(*a, **k))[1])
    assert harness("run", *SHORT, "--out", "a").code == 0
    cost = json.loads((tmp_path / "a/results.json").read_text())["cost"]
    assert cost["evaluation_seconds"] > 3
    assert cost["training_seconds"] < 3


def test_a_stopped_run_can_be_scored(harness, tmp_path):
    assert harness("train", *SHORT, "--out", "a").code == 0
    newest = checkpoints_in(tmp_path / "a/checkpoints")[-1]
    newest.unlink()  # as if it had been killed between two checkpoints
    assert harness("evaluate", "a").code == 0
    record = json.loads((tmp_path / "a/results.json").read_text())
    assert (record["exit_state"], record["cost"]["steps"]) == ("stopped", 4)
