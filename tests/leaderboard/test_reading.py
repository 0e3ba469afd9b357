"""Finding files of results: what is read, and what is named and left out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from made_records import made_entry, made_record, save

from harness.catalog import open_catalog
from harness.errors import UserError
from harness.experiment import resolve
from harness.leaderboard.reading import ResultFile, Skipped, read_results
from harness.leaderboard.rows import make_rows

CATALOG = open_catalog()


def read(places: list[Path]) -> tuple[list[ResultFile], list[Skipped]]:
    return read_results(places, CATALOG)


def reasons(place: Path) -> dict[str, str]:
    found, skipped = read([place])
    assert len(found) == 1
    return {str(each.path.relative_to(place)): each.reason for each in skipped}


def test_what_cannot_be_used_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "good" / "results.json")
    save(made_record(), tmp_path / "twin" / "results.json")
    (tmp_path / "broken.json").write_text('{"schema_version": 1,', encoding="utf-8")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    save({"a": 1}, tmp_path / "other.json")
    save([1, 2], tmp_path / "list.json")  # type: ignore[arg-type]
    save(made_record() | {"schema_version": 0}, tmp_path / "old.json")
    save(made_record() | {"schema_version": 99}, tmp_path / "later.json")
    save({key: value for key, value in made_record().items() if key != "cost"}, tmp_path / "lacking.json")
    save(made_record(exit_state="interrupted", seed=5), tmp_path / "stopped.json")
    save(made_record([], seed=6), tmp_path / "empty.json")
    found = reasons(tmp_path)
    assert "is not the record of a run" in found["broken.json"]
    assert "bytes.json" in found
    assert "it has no schema_version" in found["other.json"]
    assert "it has no schema_version" in found["list.json"]
    assert found["old.json"].startswith("has schema_version 0")
    assert "install a newer harness" in found["later.json"]
    assert "cost" in found["lacking.json"]
    assert found["stopped.json"] == "the run is interrupted, and has no result yet"
    assert found["empty.json"] == "it holds no number: the run was not evaluated"
    assert found["twin/results.json"] == f"the same experiment and seed as {tmp_path.name}/good/results.json"
    assert len(found) == 10


def test_other_files_of_a_run_are_no_results(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "results.json")
    for name in ("experiment.json", "curves.json", "verified.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert reasons(tmp_path) == {}


def test_files_and_folders_may_overlap(tmp_path: Path) -> None:
    path = save(made_record(), tmp_path / "a" / "results.json")
    found, skipped = read([tmp_path, path, path.parent])
    assert (len(found), skipped) == (1, [])


def test_one_file_by_two_names_is_one_result(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "a" / "results.json")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    found, skipped = read([tmp_path / "a", tmp_path / "b"])
    assert ([file.path for file in found], skipped) == ([tmp_path / "a" / "results.json"], [])


def test_a_folder_of_flat_files_is_read_by_name(tmp_path: Path) -> None:
    for seed, name in enumerate(("b.json", "c.json", "a.json", "deep/er/d.json")):
        save(made_record(seed=seed), tmp_path / name)
    (tmp_path / "notes.txt").write_text("{", encoding="utf-8")
    (tmp_path / "folder.json").mkdir()
    found, skipped = read([tmp_path])
    assert [(file.path.name, file.record["seed"]) for file in found] == [
        ("a.json", 2),
        ("b.json", 0),
        ("c.json", 1),
        ("d.json", 3),
    ]
    assert [each.path.name for each in skipped] == ["folder.json"]


def test_the_same_recipe_with_other_settings_data_or_scale_is_no_duplicate(tmp_path: Path) -> None:
    changes = [{}, {"settings": {"steps": 11}}, {"dataset": "mnist"}, {"scale": "tiny"}, {"fraction": 0.5}, {"seed": 1}]
    for number, change in enumerate(changes):
        save(made_record(**change), tmp_path / f"{number}.json")  # type: ignore[arg-type]
    found, skipped = read([tmp_path])
    assert (len(found), skipped) == (len(changes), [])


def test_a_diverged_run_is_a_result_and_another_seed_another(tmp_path: Path) -> None:
    save(made_record([], exit_state="diverged"), tmp_path / "a.json")
    save(made_record(seed=1), tmp_path / "b.json")
    found, skipped = read([tmp_path])
    assert ([file.record["exit_state"] for file in found], skipped) == (["diverged", "finished"], [])


def test_a_record_called_results_owns_what_lies_beside_it(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "results.json")
    save(made_record(seed=1), tmp_path / "another.json")
    (tmp_path / "samples.png").write_bytes(b"png")
    digest = hashlib.sha256((tmp_path / "results.json").read_bytes()).hexdigest()
    save({"results_sha256": digest}, tmp_path / "verified.json")
    (tmp_path / "curves.json").write_text(json.dumps({"fd[x]": [[1, 2.0]]}), encoding="utf-8")
    another, own = read([tmp_path])[0]
    assert (own.samples, own.curves) == (tmp_path / "samples.png", {"fd[x]": ((1, 2.0),)})
    assert own.verification == {"results_sha256": digest}
    assert (another.samples, another.curves, another.verification) == (None, {}, None)


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results at .*nowhere; name a folder"):
        read([tmp_path / "nowhere"])


def test_numbers_are_kept_as_they_are(tmp_path: Path) -> None:
    save(made_record([made_entry(value=1.25)]), tmp_path / "results.json")
    (file,) = read([tmp_path])[0]
    assert file.record["metrics"][0]["value"] == 1.25


def test_runs_of_before_and_after_a_setting_was_added_are_replicates(tmp_path: Path) -> None:
    experiment = resolve(CATALOG, plugin="gan", dataset="ring2d").record()
    shared = {"method": "gan", "recipe": experiment["recipe"], "dataset": "ring2d"}
    save(made_record(seed=0, settings=experiment["settings"], **shared), tmp_path / "after.json")
    del experiment["settings"]["train_split"], experiment["settings"]["backbone"]["scale"]
    save(made_record(seed=1, settings=experiment["settings"], **shared), tmp_path / "before.json")
    files, skipped = read([tmp_path])
    (row,) = make_rows(files, (), CATALOG)
    assert (row.runs.seeds, skipped) == ((0, 1), [])


def test_one_seed_and_fold_twice_is_named_and_other_folds_are_runs(tmp_path: Path) -> None:
    for name, fold in (("a", "1/7"), ("b", "1/7"), ("c", "2/7")):
        save(made_record(fold=fold), tmp_path / name / "results.json")
    found, skipped = read([tmp_path])
    assert [file.record["coordinates"]["fold"] for file in found] == ["1/7", "2/7"]
    (twice,) = skipped
    assert twice.reason == f"the same experiment, seed and fold as {tmp_path.name}/a/results.json"
    (row,) = make_rows(found, (), CATALOG)
    assert [str(one) for one in row.runs.replicates] == ["0 with fold 1/7", "0 with fold 2/7"]
