from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from harness.evaluation.protocols.metric_entry import MetricEntry
from harness.results.evaluation_record import (
    SCHEMA_VERSION,
    EvaluationRecord,
    ImageSource,
    StatisticsSource,
    json_schema,
    schema_path,
)
from harness.version import __version__


def source(**changes: Any) -> ImageSource:
    values = {"source": "digits", "split": "train", "items": 5, "shape": [1, 8, 8], "classes": 10, "checksum": "ab"}
    return ImageSource(**values | changes)


def entry(**changes: Any) -> MetricEntry:
    return MetricEntry(**{"metric": "fd", "value": 1.5, "protocol_id": "fd[x]", "protocol": {"metric": "fd"}} | changes)


def record(**changes: Any) -> EvaluationRecord:
    values = {
        "generated": source(source="folder:/made"),
        "real": [source()],
        "settings": {"samples": 5},
        "environment": {"torch": "2"},
        "seconds": 0.5,
        "metrics": [entry()],
    }
    return EvaluationRecord(**values | changes)


def valid(shown: Any) -> None:
    jsonschema.validate(shown, json.loads(schema_path().read_text()))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"real": []},
        {"real": [source(), source(split="test")]},
        {"statistics": StatisticsSource(path="a.npz", sha256="cd", about={"real_count": 5})},
        {"metrics": []},
        {"generated": source(notes={"lossy": "JPEG", "formats": {"PNG": 3}})},
    ],
    ids=["usual", "nothing real", "both splits", "statistics", "no metric", "notes"],
)
def test_a_record_is_valid_by_the_schema_that_ships(changes: dict[str, Any]) -> None:
    shown = record(**changes).model_dump(mode="json")
    valid(json.loads(json.dumps(shown, allow_nan=False)))
    assert shown["schema_version"] == SCHEMA_VERSION
    assert shown["harness_version"] == __version__
    assert EvaluationRecord.model_validate(shown).model_dump(mode="json") == shown


def test_the_shipped_schema_is_the_one_made_from_the_class() -> None:
    assert json.loads(schema_path().read_text()) == json_schema()
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_command_writes_the_very_file_that_ships(tmp_path: Any) -> None:
    program = (
        "import runpy, pathlib, harness.results, importlib.resources as r\n"
        f"r.files = lambda package: pathlib.Path({str(tmp_path)!r})\n"
        "runpy.run_module('harness.results.evaluation_record', run_name='__main__', alter_sys=True)\n"
    )
    (tmp_path / "schema").mkdir()
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, env=dict(os.environ))
    assert (tmp_path / "schema" / schema_path().name).read_bytes() == schema_path().read_bytes()


@pytest.mark.parametrize(
    "changes", [{"seconds": float("nan")}, {"seconds": -1.0}, {"surprise": 1}, {"real": None}, {"schema_version": 2}]
)
def test_what_is_no_record_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        record(**changes)


@pytest.mark.parametrize("field", ["generated", "real", "settings", "environment", "seconds", "metrics"])
def test_the_schema_asks_for_every_part(field: str) -> None:
    shown = record().model_dump(mode="json")
    del shown[field]
    with pytest.raises(jsonschema.ValidationError, match=field):
        valid(shown)


def test_the_record_needs_no_torch() -> None:
    program = "import sys, harness.results.evaluation_record; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
