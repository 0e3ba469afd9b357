"""Which records are runs of one experiment, and what their numbers say together."""

from __future__ import annotations

from typing import Any

import pytest
from made_records import made_entry, made_record
from scipy import stats

from harness.data import Fold
from harness.results.replicates import Replicate, replicates, varying


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "made/other"},
        {"method": "other"},
        {"scale": "tiny"},
        {"dataset": "mnist"},
        {"fraction": 0.5},
        {"exit_state": "diverged"},
        {"data": {"name": "digits", "train_checksum": "other"}},
        {"data": {"name": "digits", "notes": {"lossy": "JPEG"}}},
        {"settings": {"steps": 20, "evaluation": {"every": 0}}},
    ],
)
def test_what_touches_training_tells_experiments_apart(changes: dict[str, Any]) -> None:
    assert len(replicates([made_record(), made_record(seed=1, **changes)])) == 2


@pytest.mark.parametrize(
    "changes",
    [{"settings": {"steps": 10, "evaluation": {"every": 3}}}, {"environment": {"device": "cuda"}}, {"cost": {}}],
)
def test_what_only_watches_does_not(changes: dict[str, Any]) -> None:
    (group,) = replicates([made_record(seed=3), made_record(seed=1, **changes)])
    assert group.seeds == (1, 3)


def test_one_seed_counts_once() -> None:
    (group,) = replicates([made_record([made_entry(value=1.0)]), made_record([made_entry(value=9.0)])])
    (number,) = group.numbers
    assert number.values == (1.0,)


def test_numbers_of_one_protocol_and_subject_belong_together() -> None:
    raw = {"weights": "raw", "checkpoint": "last"}
    records = [
        made_record([made_entry(value=v), made_entry(value=10 * v, subject=raw), made_entry("is", v)], seed=seed)
        for seed, v in enumerate((1.0, 2.0, 4.0))
    ]
    (group,) = replicates(reversed(records))
    first, second, third = group.numbers
    assert (first.values, first.seeds) == ((1.0, 2.0, 4.0), (0, 1, 2))
    assert (second.values, second.subject) == ((10.0, 20.0, 40.0), raw)
    assert third.metric == "is"
    assert first.mean == pytest.approx(7 / 3)
    assert (first.error, first.error_of) == (pytest.approx(stats.sem([1.0, 2.0, 4.0])), "seeds")


def test_another_protocol_is_another_number() -> None:
    records = [made_record([made_entry(protocol={"k": k})], seed=k) for k in (3, 5)]
    (group,) = replicates(records)
    assert [number.seeds for number in group.numbers] == [(3,), (5,)]


def test_one_run_has_the_error_of_its_samples() -> None:
    (group,) = replicates([made_record([made_entry(std_error=0.5), made_entry("is")])])
    assert [(n.error, n.error_of) for n in group.numbers] == [(0.5, "sampling"), (None, None)]


def test_the_recipe_is_named_without_its_changes() -> None:
    overrides = {"steps": 3, "backbone.width": 8, "evaluation.every": 1, "sample_every": 2}
    (group,) = replicates([made_record(recipe="made/plain+changed", overrides=overrides)])
    assert group.recipe == "made/plain"
    assert group.overridden == {"steps": 3, "backbone.width": 8}


def test_other_fields_are_another_number_even_under_one_id() -> None:
    records = [made_record([made_entry() | {"protocol": {"real_checksum": c}}], seed=s) for s, c in enumerate("ab")]
    (group,) = replicates(records)
    assert [(number.protocol, number.seeds) for number in group.numbers] == [
        ({"real_checksum": "a"}, (0,)),
        ({"real_checksum": "b"}, (1,)),
    ]


def test_the_order_of_fields_and_settings_does_not_matter() -> None:
    one = made_record([made_entry(protocol={"a": 1, "b": 2}, subject={"x": "1", "y": "2"})], settings={"s": 1, "t": 2})
    other = made_record(
        [made_entry(protocol={"b": 2, "a": 1}, subject={"y": "2", "x": "1"})], settings={"t": 2, "s": 1}, seed=1
    )
    (group,) = replicates([one, other])
    (number,) = group.numbers
    assert number.seeds == (0, 1)


def test_experiments_come_in_the_order_of_their_first_record() -> None:
    records = [made_record(recipe="made/b", seed=5), made_record(recipe="made/a"), made_record(recipe="made/b")]
    assert [(group.recipe, group.seeds) for group in replicates(records)] == [("made/b", (0, 5)), ("made/a", (0,))]


def test_over_several_runs_the_error_over_samples_is_not_used() -> None:
    records = [made_record([made_entry(value=v, std_error=9.0)], seed=seed) for seed, v in enumerate((1.0, 2.0))]
    (group,) = replicates(records)
    (number,) = group.numbers
    assert (number.sampling_error, number.error, number.error_of) == (None, pytest.approx(0.5), "seeds")


def test_each_remark_is_said_once() -> None:
    records = [made_record([made_entry(remark=text)], seed=s) for s, text in enumerate(["b", None, "a", "b", ""])]
    (group,) = replicates(records)
    (number,) = group.numbers
    assert number.remarks == ("b", "a")


@pytest.mark.parametrize("better", [True, False, None])
def test_the_direction_is_the_records(better: bool | None) -> None:
    (group,) = replicates([made_record([made_entry(better=better)])])
    assert group.numbers[0].higher_is_better is better


# -- folds -----------------------------------------------------------------------------------------


def folded(fold: str, value: float = 1.0, seed: int = 0, whole: str | None = "whole", **changes: Any) -> dict[str, Any]:
    """A run with a fold: it is trained on other items than all others, and the whole is the same."""
    data = {"name": "digits", "train_checksum": f"without {fold}", "folds_checksum": whole}
    return made_record([made_entry(value=value)], fold=fold, seed=seed, **{"data": data} | changes)


def test_folds_are_replicates() -> None:
    (group,) = replicates([folded("10/12", 4.0), folded("9/12", 2.0, seed=1), folded("9/12", 1.0)])
    assert group.replicates == (Replicate(Fold(9, 12), 0), Replicate(Fold(9, 12), 1), Replicate(Fold(10, 12), 0))
    (number,) = group.numbers
    assert (number.values, number.replicates) == ((1.0, 2.0, 4.0), group.replicates)
    assert number.mean == pytest.approx(7 / 3)
    assert (number.error, number.error_of) == (pytest.approx(stats.sem([1.0, 2.0, 4.0])), "seeds and folds")
    assert (number.of(Replicate(Fold(10, 12), 0)), number.of(Replicate(Fold(11, 12), 0))) == (4.0, None)


@pytest.mark.parametrize(
    "other", [made_record(seed=1), folded("1/5"), folded("2/7", whole="other"), folded("2/7", whole=None)]
)
def test_another_number_of_folds_or_another_whole_is_another_experiment(other: dict[str, Any]) -> None:
    assert len(replicates([folded("1/7"), other])) == 2


def test_one_seed_and_fold_counts_once() -> None:
    (group,) = replicates([folded("1/7", 1.0), folded("1/7", 9.0), folded("2/7", 3.0)])
    (number,) = group.numbers
    assert number.values == (1.0, 3.0)


def test_what_varies_is_said() -> None:
    def said(*texts: str) -> str:
        return varying([Replicate(Fold.parse(text[:3]), int(text[3:])) for text in texts])

    assert said("1/7 0", "2/7 0") == "folds"
    assert said("1/7 0", "1/7 1") == "seeds"
    assert said("1/7 0", "2/7 1") == "seeds and folds"
    assert varying([Replicate(None, 0), Replicate(None, 1)]) == "seeds"


def test_seeds_and_folds_are_counted() -> None:
    (plain,) = replicates([made_record(), made_record(seed=4)])
    (group,) = replicates([folded("1/7"), folded("1/7", seed=1), folded("4/7")])
    assert (plain.counted, plain.folds) == ("2", None)
    assert (group.counted, group.folds) == ("2 seeds on 2 of 7 folds", 7)
    assert [str(one) for one in (*plain.replicates, *group.replicates)] == [
        *("0", "4"),
        *("0 with fold 1/7", "1 with fold 1/7", "0 with fold 4/7"),
    ]
