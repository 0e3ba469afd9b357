"""A run is read from its folder without a change to it, and its method is as the named checkpoint left it."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import torch
from opening import CPU, opened
from resuming import StopAt, same
from trained_runs import trained_run

from harness.catalog import Catalog
from harness.data import Fold, load_dataset
from harness.errors import CheckpointError, DataError, RunFolderError
from harness.experiment import resolve
from harness.plugins import Plugins
from harness.runs.stored_run import StoredRun, run_facts
from harness.training.checkpoints import collect_state, load_checkpoint
from harness.training.loop import Training
from harness.training.run_folder import RunFolder
from harness.training.runtime import Runtime


@pytest.fixture(scope="module")
def trained(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    best = {"every": 2, "best": "reverse_kl"}
    return trained_run(catalog, tmp_path_factory.mktemp("runs") / "run", evaluate=False, evaluation=best)


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def read(catalog: Catalog, run: Path) -> StoredRun:
    return StoredRun.open(catalog, RunFolder(run))


def change(run: Path, key: str, value: object) -> None:
    """Let experiment.json say something else of one thing, or nothing."""
    path = run / "experiment.json"
    written = json.loads(path.read_text())
    del written[key]
    path.write_text(json.dumps(written if value is None else {**written, key: value}))


# -------------------------------------------------------------------------------------------------
# what its files say
# -------------------------------------------------------------------------------------------------


def test_what_a_run_writes_of_its_data_is_read_back(catalog: Catalog, run: Path, tmp_path: Path) -> None:
    ring = load_dataset(catalog, "ring2d", tmp_path)
    stored = read(catalog, run)
    assert stored.problem == ring.problem()
    assert stored.digest == stored.experiment.digest()
    stored.check_same_data(ring)
    facts = json.loads(json.dumps(run_facts(ring.problem(), ring)))
    assert facts.pop("data_root") == str(tmp_path)
    assert {key: stored.written[key] for key in facts} == facts


@pytest.mark.parametrize(
    "said", [None, {"shape": [2]}, "ring2d", {"name": "x", "unknown": 1, "shape": [2], "classes": []}]
)
def test_a_run_that_does_not_say_what_data_it_had_is_refused(catalog: Catalog, run: Path, said: object) -> None:
    change(run, "problem", said)
    with pytest.raises(CheckpointError, match=r"experiment\.json does not say what data the run had"):
        _ = read(catalog, run).problem


@pytest.mark.parametrize(("said", "place"), [("/data/sets", Path("/data/sets")), (None, None), (3, None)])
def test_where_the_data_was_is_a_path_or_unknown(catalog: Catalog, run: Path, said: object, place: Path | None) -> None:
    change(run, "data_root", said)
    assert read(catalog, run).data_root == place


def test_a_run_is_finished_where_its_record_says_so(catalog: Catalog, run: Path) -> None:
    assert read(catalog, run).finished
    results = run / "results.json"
    record = json.loads(results.read_text())
    results.write_text(json.dumps(record | {"exit_state": "interrupted"}))
    assert not read(catalog, run).finished
    results.unlink()
    assert not read(catalog, run).finished


def test_other_data_than_the_run_was_started_with_is_refused(catalog: Catalog, run: Path, tmp_path: Path) -> None:
    other = load_dataset(catalog, "grid2d", tmp_path)
    checksum = json.loads((run / "experiment.json").read_text())["train_checksum"]
    with pytest.raises(DataError, match=f"{other.training().checksum[:12]}, then {checksum[:12]}.*--data-root"):
        read(catalog, run).check_same_data(other)


# -------------------------------------------------------------------------------------------------
# its checkpoints
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "file", "name"),
    [
        ("last", "step-00000004.pt", "last"),
        ("best", "best.pt", "best"),
        ("4", "step-00000004.pt", "step-4"),
        ("2", "step-00000002.pt", "step-2"),
    ],
)
def test_a_method_is_restored_as_the_checkpoint_left_it(
    catalog: Catalog, run: Path, asked: str, file: str, name: str
) -> None:
    restored = read(catalog, run).restored(catalog, CPU, asked)
    payload = load_checkpoint(run / "checkpoints" / file, CPU)
    assert same(collect_state(restored.method.state()), payload["state"])
    assert restored.checkpoint == name
    assert same(dict(restored.facts), {key: value for key, value in payload.items() if key != "state"})


def test_the_newest_facts_are_those_of_the_last_checkpoint(catalog: Catalog, run: Path) -> None:
    stored = read(catalog, run)
    assert same(dict(stored.newest_facts()), dict(stored.restored(catalog, CPU).facts))
    assert (stored.newest_facts()["total"], "state" in stored.newest_facts()) == (4, False)


@pytest.mark.parametrize("asked", ["3", "first", "-2", "2.0", ""])
def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(catalog: Catalog, run: Path, asked: str) -> None:
    with pytest.raises(RunFolderError, match=rf"has no checkpoint '{asked}'; give last, best or a step \(kept: 2, 4\)"):
        read(catalog, run).restored(catalog, CPU, asked)


def test_without_checkpoints_there_is_neither_a_last_nor_a_best_one(catalog: Catalog, run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    stored = read(catalog, run)
    for asked, said in (("last", "has no checkpoint yet"), ("best", "kept no best checkpoint"), ("4", "kept: none")):
        with pytest.raises(RunFolderError, match=said):
            stored.restored(catalog, CPU, asked)


def test_a_checkpoint_of_another_experiment_is_refused(catalog: Catalog, run: Path) -> None:
    path = run / "checkpoints/step-00000004.pt"
    torch.save(load_checkpoint(path, CPU) | {"experiment": "0" * 64}, path)
    with pytest.raises(CheckpointError, match=r"4\.pt belongs to another experiment than .*experiment\.json"):
        read(catalog, run).restored(catalog, CPU)


def test_a_run_in_a_stage_that_cannot_sample_is_not_restored_yet(tmp_path: Path) -> None:
    toy = EntryPoint(name="toy", value="toy_methods", group="harness")
    catalog = Catalog(Plugins(found=[*entry_points(group="harness"), toy]))
    experiment = resolve(catalog, plugin="toy", dataset="ring2d", overrides={"checkpoint_every": 3})
    path = tmp_path / "toy"
    training = Training(opened(catalog, experiment, path), Runtime(CPU), StopAt("cluster", 4))
    facts = run_facts(training.problem, load_dataset(catalog, "ring2d", path))
    RunFolder(path).write_experiment({**experiment.record(), **facts})
    with pytest.raises(KeyboardInterrupt):
        training.run(resume=False)
    with pytest.raises(RunFolderError, match=f"still in stage 'cluster'.*harness run --out {path} --resume"):
        read(catalog, path).restored(catalog, CPU)
    resumed = Training(opened(catalog, experiment, path), Runtime(CPU), StopAt("gan", 4))
    with pytest.raises(KeyboardInterrupt):
        resumed.run(resume=True)
    assert read(catalog, path).restored(catalog, CPU).facts["stage"] == 1


# -------------------------------------------------------------------------------------------------
# taken
# -------------------------------------------------------------------------------------------------


def test_a_run_that_went_on_since_it_was_read_is_not_taken(catalog: Catalog, run: Path) -> None:
    stored = read(catalog, run)
    with stored.taken(), pytest.raises(RunFolderError, match="is in use by process"), stored.taken():
        pass
    newer = run / "checkpoints/step-00000006.pt"
    shutil.copy(run / "checkpoints/step-00000004.pt", newer)
    with pytest.raises(RunFolderError, match="went on while this command began; try again"), stored.taken():
        pass
    with read(catalog, run).taken():
        pass


def test_attributes_are_read_back_and_a_run_from_before_there_were_any_has_none(catalog: Catalog, run: Path) -> None:
    said = json.loads((run / "experiment.json").read_text())["problem"]
    assert said["attributes"] == []
    change(run, "problem", {**said, "attributes": ["hat", "beard"]})
    assert read(catalog, run).problem.attributes == ("hat", "beard")
    del said["attributes"]
    change(run, "problem", said)
    assert read(catalog, run).problem.attributes == ()


def test_the_fold_is_that_of_the_file(catalog: Catalog, run: Path) -> None:
    assert read(catalog, run).experiment.fold is None
    change(run, "fold", "3/7")
    assert read(catalog, run).experiment.fold == Fold(3, 7)
    change(run, "fold", "8/7")
    with pytest.raises(CheckpointError, match=r"experiment\.json names no fold"):
        read(catalog, run)
