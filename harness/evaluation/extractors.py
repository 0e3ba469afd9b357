"""Feature networks: what they promise, and how they are opened with their weights verified."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from harness.errors import EvaluationError

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.specs import ExtractorSpec


class Extractor(Protocol):
    """A feature network in eval mode, on its device."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """What it gives: "features", and "logits" where it is a classifier."""
        ...

    @property
    def resize(self) -> str:
        """How it makes images fit, as protocols name it; "native" where it never resamples."""
        ...

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images of a shape (C, H, W) that it was not made for.

        :raises EvaluationError: naming the shape and what it takes.
        """
        ...

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        """Images uint8 [N, C, H, W] to its outputs, each float [N, F]."""
        ...


def open_extractor(catalog: Catalog, name: str, device: torch.device) -> Extractor:
    """The extractor called `name`, its weights verified.

    :raises EvaluationError: where its weights are missing or not those that the checksum names.
    """
    spec = catalog.extractor(name)
    path = _verified_weights(spec)
    extractor: Extractor = catalog.load_spec("extractor", name, "load")(path, device)
    return extractor


def weights_folder() -> Path:
    """Where weights that do not ship with a plugin are looked for: $HARNESS_WEIGHTS, or a folder in the cache."""
    return Path(os.environ.get("HARNESS_WEIGHTS") or Path.home() / ".cache" / "gan-harness" / "weights")


def _verified_weights(spec: ExtractorSpec) -> Path | None:
    if spec.weights is None:
        return None
    path = _weights_path(spec)
    if not path.is_file():
        raise EvaluationError(f"extractor '{spec.name}' has no weights: {path} is missing", _remedy(spec, path))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != spec.weights.sha256:
        expected = f"{spec.weights.sha256}"[:12]
        raise EvaluationError(
            f"weights of extractor '{spec.name}' at {path} have SHA-256 {found[:12]}..., expected {expected}...",
            _remedy(spec, path),
        )
    return path


def _weights_path(spec: ExtractorSpec) -> Path:
    assert spec.weights is not None
    if spec.packaged is None:
        return weights_folder() / spec.name / spec.weights.name
    package, _, inside = spec.packaged.partition(":")
    return Path(str(files(package))) / inside


def _remedy(spec: ExtractorSpec, path: Path) -> str:
    if spec.packaged is not None:
        return f"install the package that offers '{spec.name}' again"
    source = f" from {spec.weights.url}" if spec.weights is not None and spec.weights.url else ""
    return f"put the published file{source} there, or name another folder in HARNESS_WEIGHTS"
