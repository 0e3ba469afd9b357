"""``harness run`` as a user types it, and as a user mistypes it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typed_runs import IMAGES, POINTS, SHORT, same_weights

from harness.contracts.stream import Stream
from harness.runs import progress, score
from harness.training.checkpoints import checkpoints_in
from harness.training.run_folder import RunFolder

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


def test_a_fraction_is_recorded_with_its_seed(harness, tmp_path):
    assert harness("train", *IMAGES, "--fraction", 0.1, "--out", "a").code == 0
    dataset = json.loads((tmp_path / "a/results.json").read_text())["data"]
    assert (dataset["fraction"], dataset["subset_seed"]) == (0.1, 0)
    assert dataset["train_items"] == pytest.approx(0.1 * 1437, abs=20)


def test_attributes_reach_the_method(harness, monkeypatch, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    flags = np.arange(40, dtype=np.uint8).reshape(20, 2) // 2 % 2
    np.savez(tmp_path / "x.npz", arr_0=images, attributes=flags, attribute_names=["hat", "beard"])
    seen, draw = [], Stream.next
    monkeypatch.setattr(Stream, "next", lambda *a, **k: (seen.append(draw(*a, **k)), seen[-1])[1])
    mine = (*IMAGES[:2], "--dataset", f"npz:{tmp_path / 'x.npz'}", *IMAGES[4:], "--set", "conditional=false")
    assert harness("train", *mine, "--set", "batch_size=4", "--out", "a").code == 0
    assert json.loads((tmp_path / "a/experiment.json").read_text())["problem"]["attributes"] == ["hat", "beard"]
    assert seen
    assert all(batch.attributes.tolist() == flags[batch.index.numpy()].tolist() for batch in seen)


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
