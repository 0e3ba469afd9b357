"""The command that makes a row anew makes the very same experiment."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from made_records import made_record

from harness.catalog import Catalog
from harness.cli.run import experiment_from, run
from harness.config import parse_overrides
from harness.experiment import Experiment, resolve
from harness.leaderboard.commands import rebuild_commands
from harness.results.replicates import replicates


def typed(command: str, monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> tuple[dict[str, Any], Experiment]:
    """The options of a command as the command line reads them, and the experiment that they name."""
    words = shlex.split(command)
    words = words[words.index("harness") :]
    assert words[:2] == ["harness", "run"]
    got: dict[str, Any] = {}
    app = typer.Typer()
    app.command()(run)
    monkeypatch.setattr("harness.cli.run.start", lambda evaluate, **given: got.update(given) or 0)
    app(words[2:], standalone_mode=False)
    experiment = experiment_from(catalog, {**got, "seed": got["seed"] or 0})
    assert experiment is not None
    return got, experiment


@pytest.mark.parametrize(
    ("recipe", "dataset", "scale", "fraction", "overrides"),
    [
        ("gan/biggan-hinge", "digits", "tiny", 1.0, []),
        ("gan/mlp-nsgan", "ring2d", "paper", 1.0, ["loss=hinge", "steps=7"]),
        ("lcsa/biggan-d512", "mnist", "tiny", 0.1, ["generator_adam.lr=1e-05", "evaluation.every=200"]),
        (
            "gan/biggan-hinge",
            "digits",
            "tiny",
            1.0,
            ["evaluation.metrics=['fd','is']", "evaluation.every=5", "evaluation.best=fd"],
        ),
        ("lcsa/biggan-d512", "digits", "tiny", 1.0, ["blocks=[1]", "evaluation.extractors=null", "flip=true"]),
        ("gan/biggan-hinge", "digits", "tiny", 1.0, ["backbone=biggan", "backbone.width=8"]),
    ],
)
def test_the_command_names_the_same_experiment(
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    recipe: str,
    dataset: str,
    scale: str,
    fraction: float,
    overrides: list[str],
) -> None:
    method = recipe.partition("/")[0]
    given = parse_overrides(overrides)
    made = resolve(
        catalog, plugin=method, recipe=recipe, dataset=dataset, scale=scale, fraction=fraction, overrides=given, seed=3
    )
    plain = made.record()
    record = made_record(
        recipe=made.recipe_id,
        method=method,
        dataset=dataset,
        scale=scale,
        fraction=fraction,
        seed=3,
        settings=plain["settings"],
        overrides=plain["overrides"],
    )
    (command,) = rebuild_commands(replicates([record])[0])
    assert command.startswith("OMP_NUM_THREADS=1 harness run ")
    _, again = typed(command, monkeypatch, catalog)
    assert again.record() == plain


def test_seeds_in_a_row_are_one_command_and_gaps_make_more() -> None:
    (group,) = replicates([made_record(seed=seed) for seed in (0, 1, 2, 5, 7, 8)])
    assert [command.split("--scale paper ")[1] for command in rebuild_commands(group)] == [
        "--seeds 0..2",
        "--seed 5",
        "--seeds 7..8",
    ]


def test_threads_are_told_of_a_run_on_the_cpu_alone() -> None:
    (group,) = replicates([made_record(environment={"device": "cuda", "threads": 4})])
    (command,) = rebuild_commands(group)
    assert command.startswith("harness run ")


@pytest.mark.parametrize("text", ["1", "true", "null", "None", "[1]", "plain", "two words", "it's", "2026-01-01"])
def test_text_that_reads_like_something_else_stays_text(text: str) -> None:
    (group,) = replicates([made_record(overrides={"name": text})])
    (command,) = rebuild_commands(group)
    words = shlex.split(command)
    assert parse_overrides([words[words.index("--set") + 1]]) == {"name": text}


def test_what_a_file_says_cannot_become_a_second_command() -> None:
    (group,) = replicates([made_record(dataset="folder:x; rm -rf /", overrides={"a": "$(boom)"})])
    (command,) = rebuild_commands(group)
    assert "'folder:x; rm -rf /'" in command
    assert "'a=$(boom)'" in command
