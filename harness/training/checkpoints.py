"""Checkpoints: written atomically, verified, loadable without running code, and refused when they are not ours."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.atomic import replacing, sync_folder, temporary_path
from harness.errors import CheckpointError, Diverged

CHECKPOINT_FORMAT = "gan-harness checkpoint"
CHECKPOINT_VERSION = 1

#: bytes of free disk below which a failed write is put down to a full disk
LITTLE_ROOM = 2**20

#: newest checkpoints kept beside the best one
KEPT = 2


# -- the method's declared state -------------------------------------------------------------------


def collect_state(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The declared state as plain data.

    :raises CheckpointError: where a value is neither a tensor nor has `state_dict`, or holds what cannot be loaded
        without running code.
    """
    state: dict[str, Any] = {}
    for name, value in declared.items():
        if isinstance(value, Tensor):
            state[name] = value.detach()
        elif callable(getattr(value, "state_dict", None)) and callable(getattr(value, "load_state_dict", None)):
            state[name] = value.state_dict()
        else:
            raise CheckpointError(
                f"state '{name}' is a {type(value).__name__}", "declare a tensor, or an object with state_dict"
            )
        _check_plain(state[name], name)
    return state


def apply_state(declared: Mapping[str, Any], state: Mapping[str, Any], where: str) -> None:
    """Load plain data back into the declared state.

    :param where: the file it is from, for errors.
    :raises CheckpointError: where names or shapes do not match.
    """
    missing, unknown = sorted(set(declared) - set(state)), sorted(set(state) - set(declared))
    if missing or unknown:
        raise CheckpointError(
            f"{where} does not fit this method: it lacks {missing or 'nothing'} and has unknown {unknown or 'nothing'}"
        )
    for name, value in declared.items():
        try:
            if isinstance(value, Tensor):
                if value.shape != state[name].shape:
                    raise ValueError(f"shape {tuple(state[name].shape)}, expected {tuple(value.shape)}")
                with torch.no_grad():
                    value.copy_(state[name])
            else:
                value.load_state_dict(state[name])
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{where}: state '{name}' does not fit: {error}") from error


def _check_plain(value: Any, name: str) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str | int):
                raise CheckpointError(f"state '{name}' has a key of type {type(key).__name__}; use str or int")
            _check_plain(inner, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _check_plain(inner, f"{name}.{number}")
    elif not (value is None or isinstance(value, Tensor) or type(value) in (str, int, float, bool)):
        raise CheckpointError(
            f"state '{name}' holds a {type(value).__name__}",
            "a state_dict gives only tensors, str, int, float, bool, None, lists and dicts",
        )


def check_finite(state: Any, name: str = "") -> None:
    """Every tensor of the state is finite.

    :raises Diverged: naming the first that is not.
    """
    if isinstance(state, Tensor):
        if state.is_floating_point() and not bool(torch.isfinite(state).all()):
            raise Diverged(f"state '{name}' is no longer finite")
    elif isinstance(state, Mapping):
        for key, inner in state.items():
            check_finite(inner, f"{name}.{key}".lstrip("."))
    elif isinstance(state, list | tuple):
        for number, inner in enumerate(state):
            check_finite(inner, f"{name}.{number}")


# -- files -----------------------------------------------------------------------------------------


def save_checkpoint(folder: Path, payload: dict[str, Any], name: str) -> Path:
    """Write `payload` as ``folder/name``: temporary file, fsync, rename, verify; then drop all but the newest.

    :raises CheckpointError: where the disk is full or refuses; the earlier checkpoints are untouched.
    """
    target = folder / name
    try:
        with replacing(target, check=verify_checkpoint) as handle:
            torch.save({"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION, **payload}, handle)
    except (OSError, RuntimeError) as error:
        raise _save_error(error, target) from error
    for old in checkpoints_in(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target


def copy_checkpoint(source: Path, target: Path) -> None:
    """Keep a checkpoint under another name (no bytes are copied where the file system can link)."""
    temporary = temporary_path(target)
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:  # not every file system has links
        shutil.copyfile(source, temporary)
    temporary.replace(target)
    sync_folder(target.parent)


def checkpoints_in(folder: Path) -> list[Path]:
    """The numbered checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*.pt") if re.fullmatch(r"step-[0-9]+\.pt", path.name))


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint without running any code in it.

    :raises CheckpointError: where it is absent, corrupt, foreign, or from a later version.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    try:
        verify_checkpoint(path)
        payload = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"checkpoint {path} is corrupt: {_first_line(error)}", _older(path)) from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} is not a checkpoint of this harness: it holds code, not only data") from error
    if not isinstance(payload, dict) or payload.get("format") != CHECKPOINT_FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of this harness")
    version = payload.get("version")
    if not isinstance(version, int):
        raise CheckpointError(f"{path} is not a checkpoint of this harness: it has no version")
    if version > CHECKPOINT_VERSION:
        raise CheckpointError(
            f"checkpoint {path} has version {version}, this harness knows {CHECKPOINT_VERSION}",
            "install a newer one",
        )
    return payload


def verify_checkpoint(path: Path) -> None:
    """Read the file back and compare every record with its checksum.

    :raises RuntimeError: naming the first record that differs.
    """
    with zipfile.ZipFile(path) as archive:
        bad = archive.testzip()
    if bad is not None:
        raise RuntimeError(f"record {bad} does not match its checksum")


def _older(path: Path) -> str:
    others = [other for other in checkpoints_in(path.parent) if other != path]
    if not others:
        return "there is no older one: train anew with --overwrite"
    return f"delete it to go on from {others[-1].name}"


def _save_error(error: Exception, target: Path) -> CheckpointError:
    # torch's writer turns a short write into an error of its own; the disk itself still tells
    room = shutil.disk_usage(target.parent).free
    full = room < LITTLE_ROOM or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    )
    kept = checkpoints_in(target.parent)
    last = f"the last good checkpoint is {kept[-1]}" if kept else "no checkpoint was written before"
    reason = "disk full" if full or "No space left" in str(error) else _first_line(error)
    return CheckpointError(f"could not save {target}: {reason}; {last}", "make room, then go on with --resume")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
