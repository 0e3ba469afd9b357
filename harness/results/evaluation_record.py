"""The record of an evaluation without a run: what was scored against what, and the numbers.

Its JSON Schema ships with the package (``harness/results/schema/evaluation.schema.json``) and is made from the class
below: ``python -m harness.results.evaluation_record`` writes it anew.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.evaluation.protocols.metric_entry import MetricEntry
from harness.version import __version__

#: rises when a reader of old records could misread a new one
SCHEMA_VERSION: Literal[1] = 1


class ImageSource(BaseModel):
    """Images that lie somewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: str
    """a data set's name, with its argument: cifar10, folder:PATH, npz:FILE"""
    split: str
    items: int
    shape: list[int]
    """channels, height, width"""
    classes: int
    """0 where there are no labels"""
    checksum: str
    """SHA-256 of the decoded pixels and labels"""
    notes: dict[str, Any] = Field(default_factory=dict)
    """what is to be known of them, e.g. a lossy format"""


class StatisticsSource(BaseModel):
    """A file of statistics that stands for the real images in Fréchet distances."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: str
    sha256: str
    about: dict[str, Any] = Field(default_factory=dict)
    """what it says of itself; empty for other tools' files"""


class EvaluationRecord(BaseModel):
    """Generated images scored against real ones, or against statistics of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    schema_version: Literal[1] = SCHEMA_VERSION
    """format of this record"""
    harness_version: str = __version__
    generated: ImageSource
    real: list[ImageSource]
    """one for each split; empty where no real images are given"""
    statistics: StatisticsSource | None = None
    settings: dict[str, Any]
    """every evaluation setting as it was used"""
    environment: dict[str, Any]
    """date, versions, platform, device, thread count, commit"""
    seconds: float = Field(ge=0)
    metrics: list[MetricEntry]


def json_schema() -> dict[str, Any]:
    """The schema, made from :class:`EvaluationRecord`."""
    schema = EvaluationRecord.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "evaluation.json"}


def schema_path() -> Path:
    """Where the schema lies that ships with the package."""
    return Path(str(files("harness.results"))) / "schema" / "evaluation.schema.json"


if __name__ == "__main__":
    schema_path().write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
