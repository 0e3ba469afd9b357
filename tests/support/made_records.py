"""Records of runs that never were, valid in every field, and files of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.results.record import Record

#: how the numbers of Ni et al.'s Table 7 were measured, as far as is known, under the names of a record
PRINTED_FID = {
    "extractor": "inception-tf",
    "resize": "bilinear-tf1",
    "split": "train",
    "real_count": 50_000,
    "generated_count": 50_000,
    "quantise": "truncate",
}


def made_entry(
    metric: str = "fd",
    value: float = 1.0,
    *,
    protocol: Mapping[str, Any] | None = None,
    subject: Mapping[str, str] | None = None,
    better: bool | None = False,
    std_error: float | None = None,
    remark: str | None = None,
) -> dict[str, Any]:
    """A metric entry; its protocol id shows every field."""
    fields = {"extractor": "toy"} if protocol is None else dict(protocol)
    return {
        "metric": metric,
        "value": value,
        "std_error": std_error,
        "std_error_of": None if std_error is None else "sampling",
        "protocol_id": f"{metric}[{','.join(str(field) for field in fields.values())}]",
        "protocol": {"metric": metric, **fields},
        "subject": {"weights": "ema", "checkpoint": "last"} if subject is None else dict(subject),
        "replicate": {"seed": 0, "fold": None},
        "counts": {},
        "higher_is_better": better,
        "seconds": 0.0,
        "remark": remark,
        "details": {},
        "evaluation": 0,
    }


def made_record(entries: Sequence[Mapping[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """A valid record; `dataset`, `seed`, `fraction` and `fold` go where they must, all else replaces a field."""
    dataset, seed = changes.pop("dataset", "digits"), changes.pop("seed", 0)
    fraction, fold = changes.pop("fraction", 1.0), changes.pop("fold", None)
    record = {
        "schema_version": 1,
        "harness_version": "0.1.0",
        "recipe": "made/plain",
        "method": "made",
        "dataset": dataset,
        "data": {"name": dataset},
        "scale": "paper",
        "seed": seed,
        "coordinates": {"dataset": dataset, "fraction": fraction, "fold": fold, "seed": seed},
        "settings": {"steps": 10, "evaluation": {"every": 0}},
        "overrides": {},
        "environment": {
            "device": "cpu",
            "device_name": "a processor",
            "threads": 1,
            "date": "2026-01-01T00:00:00+00:00",
        },
        "cost": {
            "parameters": {"generator": 5, "discriminator": 7},
            "images_seen": 640,
            "training_seconds": 36.0,
            "devices": 1,
        },
        "exit_state": "finished",
        "reused": {},
        "metrics": [made_entry()] if entries is None else list(entries),
    } | changes
    return Record.model_validate(record).model_dump(mode="json")


def save(record: Mapping[str, Any], path: Path) -> Path:
    """Write a record, whatever it holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def seeds(values: Sequence[float], **changes: Any) -> list[dict[str, Any]]:
    """A record for each value of `fd`, by rising seed."""
    return [made_record([made_entry(value=value)], seed=seed, **changes) for seed, value in enumerate(values)]
