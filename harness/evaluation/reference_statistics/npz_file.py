"""Files of Gaussian statistics: our own, and the npz files of pytorch-fid, clean-fid, ADM and EDM.

All of them hold `mu` [d] and `sigma` [d, d]. Ours add `about`, a JSON text that says what was measured: data set,
split, checksum, count, extractor and its weights, resizing. What a file does not say of itself nobody can check.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.atomic import replacing
from harness.errors import EvaluationError
from harness.evaluation.reference_statistics.gaussian import Gaussian

#: a covariance may miss symmetry, or its diagonal zero, by this share of its largest entry (some tools write float32)
ROUNDING = 1e-5

#: what zipfile and numpy raise for files that are broken (RuntimeError: an encrypted or strangely compressed member)
BROKEN = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class StatisticsFile:
    """What a file of statistics holds.

    :param sha256: of the file.
    :param about: what it says of itself, empty for other tools' files.
    """

    path: Path
    sha256: str
    gaussian: Gaussian
    about: Mapping[str, Any] = field(default_factory=dict)


def holds_statistics(path: Path) -> bool:
    """Whether a file is an npz with `mu` and `sigma`."""
    return path.suffix == ".npz" and {"mu", "sigma"} <= set(array_names(path))


def array_names(path: Path) -> list[str]:
    """Names of the arrays in an npz.

    :raises EvaluationError: where it is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile) as error:
        raise EvaluationError(f"{path} is no npz file, or it is truncated or corrupt: {error}") from error


def read_statistics(path: Path) -> StatisticsFile:
    """Statistics from a file, checked: shapes, finite values, symmetry.

    :raises EvaluationError: one line for whatever is wrong with it.
    """
    if not path.is_file():
        raise EvaluationError(f"there is no file of statistics at {path}")
    names = array_names(path)
    if not {"mu", "sigma"} <= set(names):
        raise EvaluationError(f"{path} holds {', '.join(names) or 'nothing'}, but statistics are 'mu' and 'sigma'")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, covariance = arrays["mu"], arrays["sigma"]
            about = json.loads(str(arrays["about"])) if "about" in names else {}
        if not (isinstance(mean, np.ndarray) and isinstance(covariance, np.ndarray)):  # numpy hands on other bytes raw
            raise ValueError("mu or sigma is no array")
    except BROKEN as error:
        raise EvaluationError(f"{path} is truncated or corrupt, or holds what is no plain array") from error
    if problem := _problem(mean, covariance):
        raise EvaluationError(f"{path}: {problem}")
    if problem := _problem_with_text(about):
        raise EvaluationError(f"{path}: {problem}")
    count = about.get("real_count")
    exact = torch.from_numpy(np.asarray(mean, np.float64)), torch.from_numpy(np.asarray(covariance, np.float64))
    gaussian = Gaussian(exact[0], (exact[1] + exact[1].T) / 2, None, count if isinstance(count, int) else None)
    return StatisticsFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), gaussian, about)


def write_statistics(path: Path, gaussian: Gaussian, about: Mapping[str, Any]) -> None:
    """Write `mu`, `sigma` and `about`, whole or not at all; other tools read it as they read their own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as handle:
        np.savez(
            handle,
            mu=gaussian.mean.cpu().numpy(),
            sigma=gaussian.full_covariance().cpu().numpy(),
            about=np.array(json.dumps(dict(about), sort_keys=True, allow_nan=False)),
        )


def _problem_with_text(about: Any) -> str | None:
    """What is wrong with what a file says of itself."""
    if not isinstance(about, dict):
        return "what it says of itself is not a JSON object"
    count = about.get("real_count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        return f"it says that it was made from {count!r} images"
    if any(isinstance(value, (list, dict)) for value in about.values()):
        return "what it says of itself has lists or objects in it, where names and numbers are expected"
    return None


def _problem(mean: np.ndarray, covariance: np.ndarray) -> str | None:
    size = mean.size
    if mean.ndim != 1 or covariance.shape != (size, size) or size == 0:
        return f"mu has shape {mean.shape} and sigma {covariance.shape}, but they should be (d,) and (d, d)"
    if mean.dtype.kind != "f" or covariance.dtype.kind != "f":
        return f"mu and sigma hold {mean.dtype} and {covariance.dtype}, but they should hold floating-point numbers"
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        return "it holds NaN or infinite values"
    largest = float(np.abs(covariance).max())
    if float(np.abs(covariance - covariance.T).max()) > ROUNDING * largest:
        return "sigma is not symmetric, so it is no covariance"
    if float(covariance.diagonal().min()) < -ROUNDING * largest:
        return "sigma has a negative variance, so it is no covariance"
    values = torch.linalg.eigvalsh(torch.from_numpy(np.asarray(covariance, np.float64)))
    if float(values[0]) < -ROUNDING * float(values[-1]) * len(values) ** 0.5:
        return "sigma has negative eigenvalues, so it is no covariance"
    return None
