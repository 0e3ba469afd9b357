"""The parts of a record that others compute with: what each of them may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from made_records import made_record, save

from harness.errors import UserError
from harness.results.record import json_schema, read_record


def with_fold(fold: object) -> dict[str, Any]:
    """A record that says this of its fold, whatever it is."""
    record = made_record()
    record["coordinates"]["fold"] = fold
    return record


@pytest.mark.parametrize("fold", [None, "1/2", "3/7", "10/12"])
def test_a_fold_is_text_or_nothing_for_the_schema_and_the_reader(tmp_path: Path, fold: str | None) -> None:
    jsonschema.validate(with_fold(fold), json_schema())
    assert read_record(save(with_fold(fold), tmp_path / "results.json"))["coordinates"]["fold"] == fold


@pytest.mark.parametrize("fold", [3, "3", "0/7", "03/7", "a/b", "", "3/7/1"])
def test_what_is_no_fold_is_refused_by_both(tmp_path: Path, fold: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(with_fold(fold), json_schema())
    with pytest.raises(UserError, match=r"is not a valid record: coordinates\.fold"):
        read_record(save(with_fold(fold), tmp_path / "results.json"))


@pytest.mark.parametrize("fold", ["8/7", "1/1"])
def test_a_part_that_there_is_not_is_refused_though_no_schema_can(tmp_path: Path, fold: str) -> None:
    jsonschema.validate(with_fold(fold), json_schema())
    with pytest.raises(UserError, match=r"coordinates\.fold: a fold is I/N with I from 1 to N"):
        read_record(save(with_fold(fold), tmp_path / "results.json"))


def test_a_record_from_before_there_were_folds_has_no_checksum_of_a_whole() -> None:
    assert made_record()["data"]["folds_checksum"] is None
