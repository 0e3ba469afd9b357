"""What is kept of real sets from one evaluation to the next: their features and Gaussian statistics.

An entry lies under the checksum of its key, which says everything that fixes its content: the data's checksum, the
order of its items, the feature network and its weights, the resizing, and what computed it. The key is stored beside
the content and compared in full when it is read, so that an entry made from other data or another protocol is never
used.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.atomic import replacing
from harness.errors import EvaluationError
from harness.evaluation.reference_statistics.gaussian import Gaussian

ENVIRONMENT = "HARNESS_CACHE"

#: rises when entries written before mean something else
FORMAT = 1

Key = Mapping[str, Any]

#: what an entry of each kind holds, at least
CONTENT = {"features": {"features"}, "statistics": {"mean", "count"}}


def cache_folder() -> Path:
    """$HARNESS_CACHE, or a folder in the user's cache."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "harness" / "reference"


class ReferenceCache:
    """Entries in a folder.

    :param folder: where they lie; made when the first is kept.
    :param note: takes the news that something could not be kept.
    """

    def __init__(self, folder: Path, note: Callable[[str], None] = warnings.warn) -> None:
        self.folder = folder
        self.note = note

    def features(self, key: Key, count: int) -> Tensor | None:
        """The first `count` rows of an entry, float32 [count, F]; None where there is none, or one of fewer rows."""
        arrays = self._read("features", key)
        if arrays is None or len(arrays["features"]) < count:
            return None
        if not _are_numbers(arrays["features"]) or arrays["features"].ndim != 2:
            raise _spoilt(self.path("features", key), "holds no features")
        return torch.from_numpy(arrays["features"][:count])

    def keep_features(self, key: Key, rows: Tensor) -> None:
        """Keep rows float32 [N, F], in the place of what is there: the caller asked for them and found too few."""
        self._write("features", key, {"features": rows.cpu().numpy()})

    def statistics(self, key: Key) -> Gaussian | None:
        """An entry's statistics; None where there is none."""
        arrays = self._read("statistics", key)
        if arrays is None:
            return None
        spread = "covariance" if "covariance" in arrays else "factor"
        mean, spreads = arrays["mean"], arrays.get(spread)
        if not _are_numbers(mean, spreads) or spreads is None or spreads.shape[1:] != mean.shape or not len(mean):
            raise _spoilt(self.path("statistics", key), "holds no mean and spread")
        count, source = int(arrays["count"]), str(arrays["source"]) if "source" in arrays else None
        found = {"mean": torch.from_numpy(mean), spread: torch.from_numpy(spreads)}
        return Gaussian(found["mean"], found.get("covariance"), found.get("factor"), count, source)

    def keep_statistics(self, key: Key, gaussian: Gaussian) -> None:
        """Keep statistics."""
        assert gaussian.count is not None
        arrays = {"mean": gaussian.mean.cpu().numpy(), "count": np.array(gaussian.count)}
        if gaussian.source is not None:
            arrays["source"] = np.array(gaussian.source)
        spread = {"covariance": gaussian.covariance, "factor": gaussian.factor}
        arrays |= {name: value.cpu().numpy() for name, value in spread.items() if value is not None}
        self._write("statistics", key, arrays)

    def path(self, kind: str, key: Key) -> Path:
        """Where an entry lies."""
        return self.folder / kind / f"{hashlib.sha256(_text(key).encode()).hexdigest()}.npz"

    def _read(self, kind: str, key: Key) -> dict[str, np.ndarray] | None:
        path = self.path(kind, key)
        if not os.path.isfile(path):  # not Path.is_file: that raises where a folder may not be entered
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:  # the zip's own checksums find flipped bits
                content = {name: arrays[name] for name in arrays.files}
        except Exception as error:
            raise _spoilt(path, "cannot be read") from error
        if str(content.pop("key", "")) != _text(key) or not CONTENT[kind] <= content.keys():
            raise _spoilt(path, "is about other data or another protocol than its name says")
        return content

    def _write(self, kind: str, key: Key, arrays: Mapping[str, np.ndarray]) -> None:
        path = self.path(kind, key)
        # another evaluation may keep the same at this moment: each writes a file of its own
        mine = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(mine) as handle:
                np.savez(handle, key=np.array(_text(key)), **arrays)  # type: ignore[arg-type]
            mine.replace(path)
        except OSError as error:  # what was measured is worth more than what would have been kept
            self.note(f"reference not kept at {path}: {error.strerror or error}")
        finally:
            with suppress(OSError):
                mine.unlink(missing_ok=True)


def _are_numbers(*arrays: np.ndarray | None) -> bool:
    return all(a is not None and a.dtype.kind == "f" and bool(np.isfinite(a).all()) for a in arrays)


def _text(key: Key) -> str:
    return json.dumps({"format": FORMAT, **key}, sort_keys=True, allow_nan=False)


def _spoilt(path: Path, what: str) -> EvaluationError:
    return EvaluationError(f"kept reference {path} {what}", "delete that file, and it will be made again")
