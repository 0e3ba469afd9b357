"""The command that makes a result anew."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.folds import Fold
from harness.experiment import run_name
from harness.overrides import typed_value
from harness.results.evaluations import evaluations_of, own_evaluation
from harness.results.replicates import Replicates


def rebuild_commands(runs: Replicates) -> list[str]:
    """Commands that train and measure these runs again: one, or one for each gap in their seeds, and for each fold.

    One command names all folds where all of them are there with the same seeds.

    Numbers that were measured later, under other settings or of another checkpoint, take a command more a run. The
    thread count stands before a run on the CPU, because its bits depend on it.
    """
    first = runs.first
    words = ["harness", "run", "--plugin", first["method"], "--recipe", runs.recipe, "--dataset", first["dataset"]]
    words += ["--scale", first["scale"]]
    if first["coordinates"]["fraction"] != 1.0:
        words += ["--fraction", str(first["coordinates"]["fraction"])]
    for key, value in first["overrides"].items():
        words += ["--set", f"{key}={typed_value(value)}"]
    device, threads = first["environment"]["device"], first["environment"]["threads"]
    before = f"OMP_NUM_THREADS={_quoted(str(threads))} " if device == "cpu" and threads else ""
    trained = [before + " ".join(map(_quoted, [*words, *which])) for which in _repetitions(runs)]
    return [*trained, *(_evaluated(record, *which) for record in runs.records for which in _later(record))]


def _later(record: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Settings and checkpoint of the evaluations that a run does not make by itself, the oldest first."""
    evaluations, own = evaluations_of(record), own_evaluation(record)
    every = sorted({(e["evaluation"], e["subject"].get("checkpoint", "last")) for e in record["metrics"]}, reverse=True)
    found = [(evaluations[number]["settings"], checkpoint) for number, checkpoint in every]
    return [(settings, checkpoint) for settings, checkpoint in found if (settings, checkpoint) != (own, "last")]


def _evaluated(record: Mapping[str, Any], settings: Mapping[str, Any], checkpoint: str) -> str:
    words = ["harness", "evaluate", f"runs/{run_name(record)}", "--checkpoint", checkpoint.removeprefix("step-")]
    own = own_evaluation(record)
    for key, value in settings.items():
        if value != own.get(key):
            words += ["--set", f"evaluation.{key}={typed_value(value)}"]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word for a shell, on one line: what cannot be printed is spelled as bash and zsh read it."""
    if word.isprintable():
        return shlex.quote(word)
    spelled = (
        c if c.isprintable() and c not in "'\\" else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in word
    )
    return f"$'{''.join(spelled)}'"


def _repetitions(runs: Replicates) -> list[list[str]]:
    """The words that name all runs, a few at a time."""
    by_fold: dict[Fold | None, list[int]] = {}
    for one in runs.replicates:
        by_fold.setdefault(one.fold, []).append(one.seed)
    seeds = list(by_fold.values())
    if runs.folds == len(by_fold) and all(own == seeds[0] for own in seeds):
        return [["--folds", str(runs.folds), *_seeds(few)] for few in _in_a_row(seeds[0])]
    return [
        [*(() if fold is None else ("--fold", str(fold))), *_seeds(few)]
        for fold, own in by_fold.items()
        for few in _in_a_row(own)
    ]


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
