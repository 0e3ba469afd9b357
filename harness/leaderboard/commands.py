"""The command that makes a result anew."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Sequence
from typing import Any

from harness.results.replicates import Replicates


def rebuild_commands(runs: Replicates) -> list[str]:
    """Commands that train and measure these runs again: one, or one for each gap in their seeds.

    The thread count stands before a run on the CPU, because its bits depend on it.
    """
    first = runs.first
    words = ["harness", "run", "--plugin", first["method"], "--recipe", runs.recipe, "--dataset", first["dataset"]]
    words += ["--scale", first["scale"]]
    if first["coordinates"]["fraction"] != 1.0:
        words += ["--fraction", f"{first['coordinates']['fraction']:g}"]
    for key, value in first["overrides"].items():
        words += ["--set", f"{key}={_typed(value)}"]
    threads = first["environment"].get("threads")
    before = f"OMP_NUM_THREADS={threads} " if first["environment"].get("device") == "cpu" and threads else ""
    return [before + shlex.join([*words, *_seeds(few)]) for few in _in_a_row(runs.seeds)]


def _typed(value: Any) -> str:
    """A value as it is typed after ``--set KEY=``."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return value if value not in ("None", "null") else json.dumps(value)
    return json.dumps(value)  # text that reads like a number stays text


def _in_a_row(seeds: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for seed in seeds:
        if groups and groups[-1][-1] + 1 == seed:
            groups[-1].append(seed)
        else:
            groups.append([seed])
    return groups


def _seeds(seeds: Sequence[int]) -> list[str]:
    return ["--seed", str(seeds[0])] if len(seeds) == 1 else ["--seeds", f"{seeds[0]}..{seeds[-1]}"]
