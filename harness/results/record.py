"""results.json: built, checked, written atomically, read back.

Its JSON Schema ships with the package (``harness/results/schema/results.schema.json``) and is made from the class
below: ``python -m harness.results.record`` writes it anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.atomic import replacing
from harness.errors import UserError
from harness.evaluation.protocols.metric_entry import MetricEntry, entry_key
from harness.results.facts import Coordinates, Cost, Count, Data, Evaluation, Surroundings
from harness.version import __version__

#: rises when a reader of old records could misread a new one
SCHEMA_VERSION: Literal[1] = 1

#: levels of nesting that no honest record reaches
_DEEPEST = 32


class Record(BaseModel):
    """The record of one run: one experiment, trained and evaluated with one seed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        ser_json_inf_nan="constants",  # never turned into null on the way; writing refuses them
    )

    schema_version: Literal[1]
    """format of this file"""
    harness_version: str
    """version of the harness that wrote it"""
    recipe: str
    """id of the recipe; "+changed" follows it where settings were overridden"""
    method: str
    dataset: str
    """as typed, with its argument"""
    data: Data
    """shape, fit, items, checksum, licence of the data"""
    scale: str
    """paper or tiny"""
    seed: Count
    coordinates: Coordinates
    """dataset, fraction, fold and seed: what changes from run to run of one recipe"""
    settings: dict[str, Any]
    """every setting as it was used"""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """what the user set over the recipe, by dotted key"""
    environment: Surroundings
    """date, versions, platform, device, thread count, commit"""
    cost: Cost
    """parameters, steps, images seen, seconds, images a second"""
    exit_state: str
    """finished, stopped, ..."""
    reused: dict[str, Any] = Field(default_factory=dict)
    """stage products taken from other runs, by stage"""
    evaluations: list[Evaluation] = Field(default_factory=list)
    """how the numbers were measured, where not all of them as the run was started; entries name theirs by its place"""
    metrics: list[MetricEntry]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.coordinates.dataset, self.coordinates.seed) != (self.dataset, self.seed):
            raise ValueError("dataset and seed are not those of its coordinates")
        keys = [entry_key(entry.model_dump()) for entry in self.metrics]
        twice = next((entry for entry, key in zip(self.metrics, keys, strict=True) if keys.count(key) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice.protocol_id} is listed twice")
        if any(entry.evaluation >= max(1, len(self.evaluations)) for entry in self.metrics):
            raise ValueError("an entry names an evaluation that is not there")
        return self


def build_record(
    *,
    experiment: Mapping[str, Any],
    recipe: str,
    data: Mapping[str, Any],
    environment: Mapping[str, Any],
    cost: Mapping[str, Any],
    entries: Sequence[MetricEntry],
    exit_state: str,
    reused: Mapping[str, Any] | None = None,
    evaluations: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The record as plain data.

    :param evaluations: settings and environment of each, where entries name more than one.
    :param experiment: the resolved experiment as plain data: method, dataset, fraction, fold, seed, scale, settings.
    :param recipe: the recipe's id as it is to be recorded.
    """
    record = Record(
        schema_version=SCHEMA_VERSION,
        harness_version=__version__,
        recipe=recipe,
        method=experiment["method"],
        dataset=experiment["dataset"],
        data=Data.model_validate(data),
        scale=experiment["scale"],
        seed=experiment["seed"],
        coordinates=Coordinates(**{key: experiment.get(key) for key in ("dataset", "fraction", "fold", "seed")}),
        settings=dict(experiment["settings"]),
        overrides=dict(experiment.get("overrides") or {}),
        environment=Surroundings.model_validate(environment),
        cost=Cost.model_validate(cost),
        exit_state=exit_state,
        reused=dict(reused or {}),
        evaluations=[Evaluation.model_validate(each) for each in evaluations],
        metrics=list(entries),
    )
    plain: dict[str, Any] = record.model_dump(mode="json")
    return plain


def write_record_file(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record so that a reader sees the old file or the new one, never a part of either.

    :raises UserError: where the folder or the disk does not take it; the old file is then untouched.
    """
    try:
        text = json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    except ValueError as error:
        raise UserError(f"cannot write {path}: a number in the record is not finite") from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, "w") as handle:
            handle.write(text)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}", "free some space or choose --out") from error


def read_record(path: Path) -> dict[str, Any]:
    """The record in a file, checked.

    :raises UserError: where the file is absent, is no record of a run, or comes from a later version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        check_plain(content)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} is not the record of a run: {error}") from error
    except RecursionError:
        raise UserError(f"{path} is not the record of a run: {_TOO_DEEP}") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise UserError(f"{path} is not the record of a run: it has no schema_version")
    if version != SCHEMA_VERSION:
        later = version > SCHEMA_VERSION
        raise UserError(
            f"{path} has schema_version {version}, and this harness {__version__} reads {SCHEMA_VERSION}",
            "install a newer harness" if later else None,
        )
    try:
        plain: dict[str, Any] = Record.model_validate(content).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in (".".join(map(str, first["loc"])),) if part)
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{path} is not a valid record: {where}{message}") from None
    return plain


_TOO_DEEP = f"it is nested deeper than {_DEEPEST} levels"


def check_plain(content: Any, depth: int = 0) -> None:
    """Refuse what JSON can spell and nobody can use: numbers that are not finite, half characters, endless nesting.

    :raises ValueError: saying which.
    """
    if depth > _DEEPEST:
        raise ValueError(_TOO_DEEP)
    if isinstance(content, float) and not math.isfinite(content):
        raise ValueError("it holds a number that is not finite")
    if isinstance(content, str) and not content.isascii():
        try:
            content.encode()
        except UnicodeEncodeError:
            raise ValueError("it holds text that is no Unicode") from None
    if isinstance(content, dict):
        for key, value in content.items():
            check_plain(key, depth + 1)
            check_plain(value, depth + 1)
    elif isinstance(content, list):
        for value in content:
            check_plain(value, depth + 1)


def json_schema() -> dict[str, Any]:
    """The schema of results.json, made from :class:`Record`."""
    schema = Record.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "results.json"}


def schema_path() -> Path:
    """Where the schema lies that ships with the package."""
    return Path(str(files("harness.results"))) / "schema" / "results.schema.json"


if __name__ == "__main__":
    schema_path().write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
