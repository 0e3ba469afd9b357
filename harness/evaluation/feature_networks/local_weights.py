"""Weights that nobody publishes: made on this machine, with a record beside them that tells whether they changed.

Beside ``net.pt`` lies ``net.pt.json`` with the file's SHA-256 and how it was made. Whoever changes the file can change
its record too: it guards against accidents, and against weights and record of two trainings getting mixed up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.atomic import replacing


def record_beside(path: Path) -> Path:
    """Where the record of a file of weights lies."""
    return path.with_name(f"{path.name}.json")


def keep_made(path: Path, content: bytes, summary: str, how: Mapping[str, Any]) -> str:
    """Write a file of weights and its record; returns the file's SHA-256.

    Stopped in between, the new file lies beside no record or an old one, and is refused.

    :param summary: what came of it, in a line.
    :param how: it was made: plain data for the record.
    """
    digest = hashlib.sha256(content).hexdigest()
    record = {"sha256": digest, "size": len(content), "summary": summary, "made": dict(how)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as handle:
        handle.write(content)
    with replacing(record_beside(path), "w") as handle:
        handle.write(json.dumps(record, indent=2, allow_nan=False) + "\n")
    return digest


def problem_with_made(path: Path, found: str) -> str | None:
    """How a file differs from what its record says; None where it does not.

    :param found: SHA-256 of the file as it is.
    """
    record = _record(path)
    if isinstance(record, str):
        return record
    if found != record["sha256"]:
        return f"its SHA-256 is {found[:12]}..., but {record['sha256'][:12]}... was recorded when it was made"
    return None


def summary_of_made(path: Path) -> str:
    """What its record says came of the making, in a line."""
    record = _record(path)
    return record if isinstance(record, str) else record["summary"]


def _record(path: Path) -> dict[str, str] | str:
    """Checksum and summary; or what is wrong with the record."""
    beside = record_beside(path)
    try:
        content = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"no record of its making lies beside it ({beside.name})"
    except (OSError, ValueError) as error:
        return f"the record of its making ({beside.name}) cannot be read: {str(error).splitlines()[0]}"
    wanted = ("sha256", "summary")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in wanted):
        return f"the record of its making ({beside.name}) does not say {' and '.join(wanted)}"
    return {key: content[key] for key in wanted}
