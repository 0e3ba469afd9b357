from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from harness.errors import UserError
from harness.evaluation.protocols.metric_entry import MetricEntry
from harness.results.record import (
    SCHEMA_VERSION,
    build_record,
    json_schema,
    read_record,
    schema_path,
    write_record_file,
)
from harness.version import __version__


def entry(**changes: Any) -> MetricEntry:
    values = {
        "metric": "fd",
        "value": 12.5,
        "protocol_id": "fd[pixels,native,train,10x5]",
        "protocol": {"metric": "fd", "extractor": "pixels", "real_count": 10},
        "subject": {"weights": "ema"},
        "replicate": {"seed": 3, "fold": None},
        "counts": {"real": 10, "generated": 5},
        "higher_is_better": False,
        "seconds": 0.5,
    }
    return MetricEntry(**values | changes)


def record(**changes: Any) -> dict[str, Any]:
    experiment = {
        "method": "m",
        "recipe": "m/r",
        "dataset": "digits",
        "fraction": 1.0,
        "fold": None,
        "seed": 3,
        "scale": "tiny",
        "settings": {"steps": 5, "ema": {"decay": 0.9}},
        "overrides": {"steps": 5},
    }
    given: dict[str, Any] = {
        "experiment": experiment,
        "recipe": "m/r+changed",
        "data": {"name": "digits", "train_checksum": "abc"},
        "environment": {"python": "3.11"},
        "cost": {"steps": 5, "images_per_second": None},
        "entries": [entry()],
        "exit_state": "finished",
    }
    return build_record(**given | changes)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(schema_path().read_text(encoding="utf-8"))
    return loaded


def test_a_record_holds_what_was_asked_for() -> None:
    built = record()
    assert built["schema_version"] == SCHEMA_VERSION
    assert built["harness_version"] == __version__
    assert (built["recipe"], built["method"], built["scale"], built["seed"]) == ("m/r+changed", "m", "tiny", 3)
    assert built["coordinates"] == {"dataset": "digits", "fraction": 1.0, "fold": None, "seed": 3}
    assert built["settings"]["ema"]["decay"] == 0.9
    assert built["metrics"][0]["std_error"] is None
    assert built["metrics"][0]["replicate"] == {"seed": 3, "fold": None}


def test_the_shipped_schema_is_that_of_the_code(schema: dict[str, Any]) -> None:
    assert schema == json_schema(), "write it anew: python -m harness.results.record"


def test_the_schema_is_a_valid_schema_and_accepts_a_record(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(record(), schema)


@pytest.mark.parametrize(
    "key", ["schema_version", "recipe", "dataset", "data", "method", "seed", "environment", "metrics"]
)
def test_the_schema_misses_what_is_absent(schema: dict[str, Any], key: str) -> None:
    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        jsonschema.validate({k: v for k, v in record().items() if k != key}, schema)


def test_the_schema_refuses_unknown_keys_and_wrong_types(schema: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record() | {"surprise": 1}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record() | {"seed": "three"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record() | {"schema_version": 2}, schema)


def test_the_keys_of_a_metric_are_those_that_were_promised(schema: dict[str, Any]) -> None:
    promised = {
        *("metric", "value", "std_error", "protocol_id", "protocol", "subject", "replicate"),
        *("counts", "higher_is_better", "seconds"),
    }
    assert promised <= set(schema["$defs"]["MetricEntry"]["properties"])


def test_writing_and_reading_are_inverse(tmp_path: Path) -> None:
    path = tmp_path / "run" / "results.json"
    write_record_file(path, record())
    assert read_record(path) == record()
    assert os.listdir(path.parent) == ["results.json"]


def test_the_file_is_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    (tmp_path / "plain").write_text("", encoding="utf-8")
    write_record_file(path, record())
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failed_write_leaves_the_old_record_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    write_record_file(path, record())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        write_record_file(path, record(exit_state="stopped"))
    assert read_record(path)["exit_state"] == "finished"
    assert os.listdir(tmp_path) == ["results.json"]


def test_a_path_below_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write"):
        write_record_file(tmp_path / "file" / "results.json", record())


def test_numbers_that_are_not_finite_never_reach_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        entry(value=float("nan"))
    with pytest.raises(UserError, match="not finite"):
        write_record_file(tmp_path / "results.json", record(cost={"seconds": float("inf")}))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not the record of a run"),
        ('{"metrics": ', "is not the record of a run"),
        ("[1, 2]", "has no schema_version"),
        ('{"anything": 1}', "has no schema_version"),
        ('{"schema_version": true}', "has no schema_version"),
        ('{"schema_version": 99}', "schema_version 99, .*; install a newer harness"),
        ('{"schema_version": 0}', "has schema_version 0"),
        ('{"schema_version": 1}', "is not a valid record: harness_version: Field required"),
    ],
)
def test_foreign_torn_and_future_files_are_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words) as caught:
        read_record(path)
    assert "\n" not in str(caught.value)


def test_binary_and_absent_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not the record"):
        read_record(tmp_path / "results.json")
    with pytest.raises(UserError, match="cannot read .*No such file"):
        read_record(tmp_path / "absent.json")


def test_reading_records_needs_no_torch() -> None:
    code = "import sys, harness.results.record; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
