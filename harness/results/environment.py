"""When and on what a run ran: date, versions, platform, device, threads, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    import torch

#: packages whose version can move a number
PACKAGES = (
    "torch",
    "torchvision",
    "lightning-fabric",
    "numpy",
    "scipy",
    "scikit-learn",
    "torch-fidelity",
    "clean-fid",
    "pillow",
    "pandas",
    "pydantic",
    "pluggy",
)


def describe_environment(device: torch.device | str, precision: str = "32-true") -> dict[str, Any]:
    """The environment as plain data.

    :param device: what the networks ran on.
    :param precision: arithmetic of the training step.
    """
    import torch

    chosen = torch.device(device)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "harness": __version__,
        "commit": source_commit(Path(__file__).resolve().parents[2]),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "device": str(chosen),
        "device_name": _device_name(chosen),
        "precision": precision,
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "cuda": torch.version.cuda if chosen.type == "cuda" else None,
        "packages": package_versions(),
    }


def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Versions of the installed ones among the packages; none is imported."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def source_commit(root: Path) -> str | None:
    """The commit of a source tree, with "+changed" where files differ from it; None where it is no git tree.

    :param root: the tree's top folder; a repository that merely lies further up does not count.
    """
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}+changed" if _git(root, "status", "--porcelain", "--untracked-files=no") else commit


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), "--no-optional-locks", *arguments]
    # variables that a git hook sets would point git at another repository
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, env=environment)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
