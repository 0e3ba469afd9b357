"""Stage products: pieces of state that one run makes and others may reuse, with a checksum."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from harness.errors import CheckpointError, UserError
from harness.training.checkpoints import apply_state, collect_state, load_checkpoint, save_checkpoint


def pieces(state: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Entries of a method's state, or parts of its modules: "generator", "generator.blocks"."""
    found = {}
    for name in names:
        entry, *path = name.split(".")
        found[name] = functools.reduce(getattr, path, state[entry])
    return found


def save_product(folder: Path, stage: str, declared: Mapping[str, Any], data: str) -> Path:
    """Write the named state entries as ``folder/<stage>.pt``.

    :param data: checksum of the training data that it was made from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return save_checkpoint(folder, {"product": stage, "data": data, "state": collect_state(declared)}, f"{stage}.pt")


def load_product(run: Path, stage: str, declared: Mapping[str, Any], data: str) -> str:
    """Load a product of another run into the declared state.

    :param run: the other run's folder.
    :param data: checksum of the training data that it must have been made from.
    :returns: SHA-256 of the product's file.
    :raises UserError: where there is none, or it does not fit.
    """
    path = run / "products" / f"{stage}.pt"
    if not path.is_file():
        raise UserError(f"no product of stage '{stage}' at {path}", "name a run that has finished that stage")
    payload = load_checkpoint(path, torch.device("cpu"))
    if payload.get("product") != stage:
        raise CheckpointError(f"{path} is not the product of a stage '{stage}'")
    if payload["data"] != data:
        raise UserError(
            f"{path} was made from other training data", "reuse stages of runs on the same data and fraction"
        )
    apply_state(declared, payload["state"], str(path))
    return hashlib.sha256(path.read_bytes()).hexdigest()
