"""A run in two processes on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def train_in_two(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`harness train` with these words, in two processes of one thread each; the run's folder is `folder`/run."""
    script = folder / "harness_main.py"  # the launcher starts the script again for the second process
    script.write_text("import sys; from harness.cli import main; sys.exit(main())")
    return subprocess.run(
        [sys.executable, script, "train", *words, "--device", "cpu", "--devices", "2", "--out", folder / "run"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
