"""Folds as a user types them: runs that hold out one part each, scored, verified and averaged as repetitions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typed_runs import IMAGES, measured, same_weights

from harness.catalog import open_catalog
from harness.cli import main
from harness.data import Fold, load_dataset
from harness.training.checkpoints import checkpoints_in

QUICK = (
    *IMAGES,
    *("--set", "evaluation.samples=100", "--set", "evaluation.split=both", "--set", "checkpoint_every=1"),
    *("--set", 'evaluation.metrics=["fd","memorisation_ratio"]', "--set", 'evaluation.extractors=["pixels"]'),
)


def record_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folds") / "all"
    assert main(["run", *QUICK, "--folds", "3", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def folds(made_once: Path, harness: Any, tmp_path: Path) -> Path:
    """Runs on all of three folds, below all/; copies that a test may spoil."""
    return Path(shutil.copytree(made_once, tmp_path / "all"))


def test_all_folds_are_one_run_each_below_out(folds: Path) -> None:
    assert sorted(path.name for path in folds.iterdir()) == ["fold1of3", "fold2of3", "fold3of3"]
    digits = [load_dataset(open_catalog(), "digits", folds, fold=Fold(n, 3)) for n in (1, 2, 3)]
    for number, data in enumerate(digits, 1):
        folder = folds / f"fold{number}of3"
        record = record_of(folder)
        assert record["coordinates"]["fold"] == f"{number}/3"
        assert json.loads((folder / "experiment.json").read_text())["fold"] == f"{number}/3"
        assert {(e["replicate"]["seed"], e["replicate"]["fold"]) for e in record["metrics"]} == {(0, f"{number}/3")}
        assert (record["data"]["train_items"], record["data"]["train_checksum"]) == (1198, data.training().checksum)
    assert not same_weights(folds / "fold1of3", folds / "fold2of3")


def test_their_protocols_are_the_same_and_say_so(folds: Path) -> None:
    first, *others = (
        {entry["protocol_id"]: entry["protocol"] for entry in record_of(folder)["metrics"]}
        for folder in sorted(folds.iterdir())
    )
    assert all(other == first for other in others)
    whole = load_dataset(open_catalog(), "digits", folds).split("train+test").checksum
    for identifier, protocol in first.items():
        assert "folds3," in identifier
        assert (protocol["folds"], protocol["real_checksum"]) == (3, whole)
    counts = {protocol["split"]: protocol["real_count"] for protocol in first.values() if protocol["metric"] == "fd"}
    assert counts == {"train": 1198, "test": 599}


def test_what_is_held_out_is_what_samples_are_held_against(harness: Any, folds: Path, tmp_path: Path) -> None:
    """The distance from the fold's own test images, by hand."""
    folder = folds / "fold2of3"
    assert harness("sample", folder, "--count", 100, "--out", tmp_path / "s.npz").code == 0
    samples = np.load(tmp_path / "s.npz")["arr_0"].reshape(100, -1) / 255.0
    held = load_dataset(open_catalog(), "digits", tmp_path, fold=Fold(2, 3)).finite("test").values.reshape(599, -1)
    (entry,) = (e for e in record_of(folder)["metrics"] if (e["metric"], e["protocol"].get("split")) == ("fd", "test"))
    ours, theirs = samples, held / 255.0
    roots = np.linalg.eigvals(np.cov(ours.T) @ np.cov(theirs.T)).real.clip(0) ** 0.5
    gap = ((ours.mean(0) - theirs.mean(0)) ** 2).sum()
    by_hand = gap + np.trace(np.cov(ours.T) + np.cov(theirs.T)) - 2 * roots.sum()
    assert entry["value"] == pytest.approx(by_hand, rel=1e-3)


def test_a_run_is_scored_again_and_verified_on_its_own_fold(harness: Any, refused: Any, folds: Path) -> None:
    folder = folds / "fold2of3"
    before = measured(folder)
    assert harness("evaluate", folder).code == 0
    assert measured(folder) == before
    code, _, err = harness("verify", folder)
    assert (code, (folder / "verified.json").is_file()) == (0, True), err
    assert "split 'train+test' cannot be had with fold 2/3" in refused(
        "evaluate", folder, "--set", "evaluation.split=train+test"
    )


@pytest.mark.parametrize("key", ["coordinates", "replicate"])
def test_a_record_that_says_another_fold_is_not_verified(harness: Any, folds: Path, key: str) -> None:
    folder = folds / "fold2of3"
    record = record_of(folder)
    (record["coordinates"] if key == "coordinates" else record["metrics"][0]["replicate"])["fold"] = "1/3"
    (folder / "results.json").write_text(json.dumps(record))
    code, out, err = harness("verify", folder)
    assert code != 0
    assert "fold is 2/3, and 1/3 is recorded" in out + err


def test_a_resumed_run_goes_on_with_its_fold(harness: Any, refused: Any, folds: Path, tmp_path: Path) -> None:
    stopped = folds / "fold2of3"
    whole = Path(shutil.copytree(stopped, tmp_path / "whole"))
    (stopped / "results.json").unlink()
    checkpoints_in(stopped / "checkpoints")[-1].unlink()
    again = ("run", *QUICK, "--out", stopped, "--resume")
    assert "has fold=2/3, not 1/3" in refused(*again, "--fold", "1/3")
    assert "has fold=2/3, not None" in refused(*again)
    assert "--fold cannot change a run that is resumed" in refused("run", "--out", stopped, "--resume", "--fold", "2/3")
    assert harness("run", "--out", stopped, "--resume").code == 0
    assert same_weights(stopped, whole)
    assert measured(stopped) == measured(whole)


def test_a_board_averages_over_folds_and_says_how_to_make_them(harness: Any, folds: Path, tmp_path: Path) -> None:
    shutil.copytree(folds / "fold1of3", folds / "twin")
    code, _, err = harness("leaderboard", "--results", folds, "--out", tmp_path / "board")
    assert code == 0, err
    text = (tmp_path / "board/digits.md").read_text()
    assert "1 seed on 3 of 3 folds" in text
    assert "--folds 3 --seed 0" in text
    assert "twin/results.json: the same experiment, seed and fold as all/fold1of3" in (
        tmp_path / "board/index.md"
    ).read_text().replace("\\", "")
    values = [
        next(e["value"] for e in record_of(folds / f"fold{n}of3")["metrics"] if e["protocol"].get("split") == "train")
        for n in (1, 2, 3)
    ]
    assert f"{np.mean(values):.4g} ± {np.std(values, ddof=1) / 3**0.5:.2g}" in text


def test_check_takes_folds_together(harness: Any, folds: Path) -> None:
    code, out, _ = harness("check", *sorted(folds.iterdir()))
    assert code == 0
    assert out.count("on digits, tiny scale, seed 0 with fold 1/3, 0 with fold 2/3, 0 with fold 3/3") == 1


def test_folds_and_seeds_are_every_pair_of_them(harness: Any, tmp_path: Path) -> None:
    words = ("train", *QUICK, "--folds", 2, "--seeds", "3..4")
    code, out, err = harness(*words, "--out", "all", "--json")
    assert code == 0, err
    pairs = [(r["coordinates"]["fold"], r["seed"]) for r in json.loads(out)]
    assert pairs == [("1/2", 3), ("1/2", 4), ("2/2", 3), ("2/2", 4)]
    assert sorted(str(path.parent.relative_to("all")) for path in Path("all").rglob("results.json")) == [
        *("fold1of2/s3", "fold1of2/s4"),
        *("fold2of2/s3", "fold2of2/s4"),
    ]


def test_without_out_the_folder_names_the_fold(harness: Any, tmp_path: Path) -> None:
    code, out, err = harness("train", *QUICK, "--fold", "2/3", "--json")
    assert code == 0, err
    assert json.loads(out)["coordinates"]["fold"] == "2/3"
    (folder,) = (tmp_path / "runs/gan/digits").iterdir()
    assert "-fold2of3-" in folder.name


MISTAKES = {
    "no such part": (("--fold", "8/7"), "a fold is I/N with I from 1 to N and N at least 2, not '8/7'; for example"),
    "no parts": (("--fold", "3"), "a fold is I/N with I from 1 to N and N at least 2, not '3'"),
    "one part": (("--folds", "1"), "--folds takes a number of at least 2, not 1"),
    "parts in words": (("--folds", "seven"), "--folds"),
    "one and all": (("--fold", "1/2", "--folds", "2"), "--fold and --folds contradict each other"),
    "more parts than items": (("--folds", "999999999"), "'digits' has 1797 items, which cannot be cut into 999999999"),
    "another split to train on": (("--fold", "1/2", "--set", "train_split=test"), "'test' cannot be trained on with"),
    "another split to measure": (("--fold", "1/2", "--set", "evaluation.split=test+train"), "'test+train' cannot be"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(refused: Any, tmp_path: Path, mistake: str) -> None:
    words, expected = MISTAKES[mistake]
    assert expected in refused("run", *IMAGES, *words)
    assert not (tmp_path / "runs").exists()


def test_an_endless_law_has_no_folds(refused: Any) -> None:
    line = refused("run", "--plugin", "gan", "--dataset", "gaussian_clusters", "--fold", "1/2", "--out", "a")
    assert "'gaussian_clusters' is an endless law: it has no folds; leave --fold out" in line
    assert not Path("a").exists()


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Images in class folders, of which the last few are all of class b."""
    for split, classes in (("train", "aaaaaaaab"), ("test", "ab")):
        for number, name in enumerate(classes):
            place = tmp_path / "few" / split / name
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8), 20 * number, np.uint8)).save(place / f"{number}.png")
    return tmp_path / "few"


def test_the_only_images_of_a_class_are_not_held_out(refused: Any, few: Path) -> None:
    words = ("train", *IMAGES[:2], "--dataset", f"folder:{few}", *IMAGES[4:], "--out", "a")
    line = refused(*words, "--fold", "3/3")
    assert "would leave class 'b' without a training item" in line
    assert not Path("a").exists()


def test_a_folder_that_is_not_divided_has_no_folds(refused: Any, few: Path) -> None:
    words = ("train", *IMAGES[:2], "--dataset", f"folder:{few / 'train'}", *IMAGES[4:], "--out", "a")
    assert "has no test split; leave --fold out" in refused(*words, "--fold", "1/2")
    assert not Path("a").exists()
