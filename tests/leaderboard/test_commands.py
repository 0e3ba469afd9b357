"""The command that makes a row anew makes the very same experiment."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
import typer
from made_records import made_entry, made_record

from harness.catalog import Catalog
from harness.cli.run import _one_by_one, experiment_from, run
from harness.data import Fold
from harness.experiment import Experiment, resolve
from harness.leaderboard.commands import rebuild_commands
from harness.overrides import parse_overrides
from harness.results.replicates import replicates

#: parts and seeds of a whole of two folds and two seeds
ALL = [(1, 0), (1, 1), (2, 0), (2, 1)]


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
        ("gan/biggan-hinge", "fashion_mnist", "paper", 0.025, ["steps=100", "generator_adam.betas=[0.5,0.9]"]),
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


@pytest.mark.parametrize(
    "value",
    [
        0,
        -3,
        10**20,
        0.1,
        1e-05,
        1e16,
        0.1 + 0.2,
        True,
        False,
        None,
        "",
        [],
        [1, 2],
        [0.5, 1e-07],
        ["a", "1"],
        [[1], [2]],
    ],
)
def test_values_of_every_kind_are_read_back_as_they_were(value: Any) -> None:
    (group,) = replicates([made_record(overrides={"some.key": value})])
    words = shlex.split(rebuild_commands(group)[0])
    (again,) = parse_overrides([words[words.index("--set") + 1]])["some"].values()
    assert (again, type(again)) == (value, type(value))


@pytest.mark.parametrize("seeds", [[0], [3], [0, 1], [0, 2], [5, 6, 7, 9], [0, 10, 11], [2, 1, 0]])
def test_the_commands_train_the_very_seeds(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, seeds: list[int]) -> None:
    made = {"recipe": "gan/biggan-hinge", "method": "gan", "scale": "tiny"}
    (group,) = replicates([made_record(seed=seed, **made) for seed in seeds])
    trained = []
    for command in rebuild_commands(group):
        got, _ = typed(command, monkeypatch, catalog)
        trained += [one["seed"] for one in _one_by_one(got)]
    assert trained == sorted(seeds)


def test_the_recipe_is_named_without_the_mark_of_a_change() -> None:
    (group,) = replicates([made_record(recipe="made/plain+changed", overrides={"steps": 3})])
    assert "--recipe made/plain --dataset" in rebuild_commands(group)[0]


def test_without_a_thread_count_none_is_told() -> None:
    for environment in ({"device": "cpu"}, {"device": "cpu", "threads": None}, {}):
        (group,) = replicates([made_record(environment=environment)])
        assert rebuild_commands(group)[0].startswith("harness run ")


def test_a_thread_count_is_one_word() -> None:
    record = made_record()
    record["environment"]["threads"] = "1; boom"
    (command,) = rebuild_commands(replicates([record])[0])
    assert command.startswith("OMP_NUM_THREADS='1; boom' harness run ")


@pytest.mark.parametrize("fraction", [1 / 3, 0.1234567])
def test_the_command_names_the_very_fraction(fraction: float) -> None:
    (command,) = rebuild_commands(replicates([made_record(fraction=fraction)])[0])
    words = shlex.split(command)
    assert float(words[words.index("--fraction") + 1]) == fraction


@pytest.mark.parametrize("value", [" a", "a ", "a\nb", "\x7f", [None], {"a": None}, '"\U0001f600"'])
def test_overrides_are_read_back_as_they_were(value: Any) -> None:
    (command,) = rebuild_commands(replicates([made_record(overrides={"k": value})])[0])
    words = shlex.split(command)
    assert parse_overrides([words[words.index("--set") + 1]]) == {"k": value}


NASTY_WORDS = ["", "a b", "a\nb", "it's", "\\x41\n", "$HOME", "`x`", "\x1b[0m", "é\t", "\x7f'\\"]


@pytest.mark.parametrize("word", NASTY_WORDS)
def test_a_shell_reads_every_word_as_it_is_from_one_line(word: str) -> None:
    (command,) = rebuild_commands(replicates([made_record(method=word)])[0])
    assert "\n" not in command
    arguments = command.partition("harness run ")[2]
    said = subprocess.run(["bash", "-c", f"printf '%s\\0' {arguments}"], capture_output=True, check=True)
    assert said.stdout.decode().split("\0")[:2] == ["--plugin", word]


def test_what_was_measured_later_has_a_command_of_its_own() -> None:
    entries = [made_entry() | {"evaluation": 0}, made_entry("kid") | {"evaluation": 1}]
    entries += [made_entry("is", subject={"checkpoint": "step-4"}) | {"evaluation": 0}]
    evaluations = [{"settings": {"every": 0, "samples": 9, "metrics": ["fd"]}, "environment": {}}]
    evaluations += [{"settings": {"every": 0}, "environment": {}}]
    (group,) = replicates([made_record(entries, evaluations=evaluations, seed=seed) for seed in (0, 1)])
    changes = "--set evaluation.samples=9 --set 'evaluation.metrics=[\"fd\"]'"
    assert rebuild_commands(group)[1:] == [
        f"harness evaluate runs/made/digits/plain-paper-s{seed} --checkpoint {checkpoint} {changes}"
        for seed in (0, 1)
        for checkpoint in ("4", "last")
    ]


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (["1/2 0"], ["--fold 1/2 --seed 0"]),
        (["1/2 0", "2/2 0"], ["--folds 2 --seed 0"]),
        (["1/2 0", "1/2 1", "2/2 0", "2/2 1"], ["--folds 2 --seeds 0..1"]),
        (["1/2 0", "1/2 5", "2/2 0", "2/2 5"], ["--folds 2 --seed 0", "--folds 2 --seed 5"]),
        (["1/2 0", "1/2 1", "2/2 0"], ["--fold 1/2 --seeds 0..1", "--fold 2/2 --seed 0"]),
        (["1/3 0", "3/3 0"], ["--fold 1/3 --seed 0", "--fold 3/3 --seed 0"]),
    ],
)
def test_commands_name_the_folds(which: list[str], words: list[str]) -> None:
    pairs = [text.split() for text in which]
    (group,) = replicates([made_record(fold=fold, seed=int(seed)) for fold, seed in pairs])
    assert [command.split("--scale paper ")[1] for command in rebuild_commands(group)] == words


def test_the_command_of_a_fold_names_the_same_experiment(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    made = resolve(catalog, plugin="gan", dataset="digits", scale="tiny", fold=Fold(3, 7))
    shared = {"recipe": made.recipe_id, "method": "gan", "scale": "tiny", "settings": made.record()["settings"]}
    (command,) = rebuild_commands(replicates([made_record(fold="3/7", **shared)])[0])
    _, again = typed(command, monkeypatch, catalog)
    assert again == made


def test_all_folds_are_typed_as_one_command(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [resolve(catalog, plugin="gan", dataset="digits", scale="tiny", fold=Fold(n, 2), seed=s) for n, s in ALL]
    shared = {"recipe": made[0].recipe_id, "method": "gan", "scale": "tiny", "settings": made[0].record()["settings"]}
    (group,) = replicates([made_record(fold=f"{n}/2", seed=s, **shared) for n, s in ALL])
    (command,) = rebuild_commands(group)
    got, _ = typed(command, monkeypatch, catalog)
    assert [experiment_from(catalog, one) for one in _one_by_one(got)] == made


def test_a_later_evaluation_names_the_folds_folder() -> None:
    entries = [made_entry(), made_entry(subject={"checkpoint": "step-4"})]
    (group,) = replicates([made_record(entries, fold="1/2")])
    assert rebuild_commands(group)[1] == "harness evaluate runs/made/digits/plain-paper-fold1of2-s0 --checkpoint 4"
