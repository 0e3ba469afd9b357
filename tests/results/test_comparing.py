"""Runs held against printed numbers: what may be compared, with what, and within which margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from made_records import made_entry, made_record

from harness import Tolerance
from harness.catalog import Catalog
from harness.results.comparing import (
    Verdict,
    counted,
    margin_of,
    references_of,
    same,
    tolerance_of,
    verdict,
    verdicts_of,
)
from harness.results.printed_protocols import PrintedProtocol
from harness.results.references import Reference
from harness.results.replicates import Replicates, replicates
from harness.results.verdicts import Outcome

FID = PrintedProtocol(key="fid", summary="FID", measured_as="fid", fields={"split": "train", "real_count": 50_000})
OURS = {"split": "train", "real_count": 50_000, "quantise": "round"}


def printed(value: str = "10.00", std: str = "", protocol: PrintedProtocol = FID, **changes: Any) -> Reference:
    reference = Reference(
        id="smith/table-1/1",
        paper="smith",
        table="Table 1",
        row="Ours",
        dataset="cifar10",
        fraction=1.0,
        setting={},
        metric="fid",
        value=float(value),
        printed=value,
        std=float(std) if std else None,
        printed_std=std,
        quoted_from="",
        recipe="made/plain",
        subject={},
        protocol=protocol,
        note="",
    )
    return replace(reference, **changes)


def runs(*values: float, entry: Mapping[str, Any] | None = None, **changes: Any) -> Replicates:
    """Replicates whose FIDs are these."""
    given = {"metric": "fid", "protocol": OURS} | dict(entry or {})
    records = [
        made_record([made_entry(value=value, **given)], dataset="cifar10", seed=seed, **changes)
        for seed, value in enumerate(values)
    ]
    (group,) = replicates(records)
    return group


def outcome(catalog: Catalog, group: Replicates, reference: Reference) -> Outcome:
    return verdict(group, reference, catalog).outcome


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [
        (10.49, printed(), Outcome.REPRODUCED),  # 5 % of 10 without a printed spread
        (10.51, printed(), Outcome.WORSE),  # 0.5 and the print's rounding of 0.005
        (9.49, printed(), Outcome.BETTER),
        (10.2, printed(std="0.2"), Outcome.REPRODUCED),
        (10.3, printed(std="0.2"), Outcome.WORSE),
        (9.7, printed(std="0.2"), Outcome.BETTER),
        (10.5, printed("10", std="0.0"), Outcome.REPRODUCED),  # rounded to a whole number
        (10.6, printed("10", std="0.0"), Outcome.WORSE),
    ],
)
def test_one_seed(catalog: Catalog, value: float, reference: Reference, expected: Outcome) -> None:
    found = verdict(runs(value), reference, catalog)
    assert (found.outcome, found.ours, found.seeds) == (expected, value, (0,))
    assert found.why.endswith("one seed")


def test_several_seeds_are_tested_together(catalog: Catalog) -> None:
    found = verdict(runs(10.0, 10.05, 9.95), printed(std="0.2"), catalog)
    assert (found.outcome, found.seeds, found.error_of) == (Outcome.REPRODUCED, (0, 1, 2), "seeds")
    assert found.error == pytest.approx(0.05 / 3**0.5)
    assert "mean of 3 seeds" in found.why
    unsure = verdict(runs(9.0, 10.0, 11.0), printed(std="0.2"), catalog)
    assert unsure.outcome is Outcome.INCONCLUSIVE
    assert "seeds would settle it" in unsure.why


def test_the_error_of_one_seed_is_over_samples(catalog: Catalog) -> None:
    found = verdict(runs(10.0, entry={"std_error": 0.3}), printed(), catalog)
    assert (found.error, found.error_of) == (0.3, "sampling")


@pytest.mark.parametrize(
    ("changes", "entry", "said"),
    [
        ({"scale": "tiny"}, {}, "scale: tiny here, paper there"),
        ({"exit_state": "diverged"}, {}, "exit_state: diverged here, finished there"),
        (
            {"recipe": "made/plain+changed", "overrides": {"steps": 20, "evaluation.every": 5}},
            {},
            "steps: 20 here, as in the recipe there",
        ),
        ({"data": {"notes": {"lossy": "JPEG"}}}, {}, "lossy: JPEG here, the original pixels there"),
        ({}, {"protocol": OURS | {"split": "test"}}, "split: test here, train there"),
        ({}, {"protocol": OURS | {"real_count": 10_000}}, "real_count: 10000 here, 50000 there"),
        ({}, {"protocol": {"split": "train"}}, "real_count: not stated here, 50000 there"),
    ],
)
def test_what_differs_is_named_and_nothing_else(
    catalog: Catalog, changes: dict[str, Any], entry: dict[str, Any], said: str
) -> None:
    found = verdict(runs(10.0, entry=entry, **changes), printed(), catalog)
    assert (found.outcome, found.why) == (Outcome.NOT_COMPARABLE, said)
    assert found.ours == 10.0


def test_overrides_that_only_watch_do_not_count(catalog: Catalog) -> None:
    group = runs(10.0, overrides={"evaluation.every": 5, "log_every": 3})
    assert outcome(catalog, group, printed()) is Outcome.REPRODUCED


def test_what_the_paper_leaves_open_is_not_held_against_a_run(catalog: Catalog) -> None:
    group = runs(10.0, entry={"protocol": OURS | {"quantise": "truncate", "block": 7}})
    assert outcome(catalog, group, printed()) is Outcome.REPRODUCED


def test_the_subject_counts_where_it_is_stated(catalog: Catalog) -> None:
    assert outcome(catalog, runs(10.0), printed(subject={"weights": "ema"})) is Outcome.REPRODUCED
    found = verdict(runs(10.0), printed(subject={"weights": "raw", "rejection": "on"}), catalog)
    assert found.why == "subject.weights: ema here, raw there; subject.rejection: not stated here, on there"


def test_a_row_states_a_part_of_its_protocol(catalog: Catalog) -> None:
    protocol = PrintedProtocol(
        key="a", summary="AUROC", measured_as="auroc", factor=100, per_row=("outliers", "intensity")
    )
    reference = printed("97.10", protocol=protocol, setting={"outliers": "mnist", "intensity": "1", "beta": "3"})
    entries = [
        made_entry("auroc", 0.5, protocol={"outliers": "kmnist", "intensity": 1.0}, better=True),
        made_entry("auroc", 0.971, protocol={"outliers": "mnist", "intensity": 1.0}, better=True),
        made_entry("auroc", 0.6, protocol={"outliers": "mnist", "intensity": 0.1}, better=True),
    ]
    (group,) = replicates([made_record(entries, dataset="cifar10")])
    found = verdict(group, reference, catalog)
    assert (found.outcome, found.ours) == (Outcome.REPRODUCED, pytest.approx(97.1))
    assert found.protocol_id == "auroc[mnist,1.0]"


@pytest.mark.parametrize(
    ("ours", "expected"),
    [(0.979, Outcome.REPRODUCED), (0.955, Outcome.WORSE), (0.99, Outcome.BETTER), (97.1, Outcome.BETTER)],
)
def test_per_cent_and_fraction_meet_in_the_printed_unit(catalog: Catalog, ours: float, expected: Outcome) -> None:
    protocol = PrintedProtocol(key="a", summary="AUROC", measured_as="auroc", factor=100)
    group = runs(ours, entry={"metric": "auroc", "better": True, "std_error": 0.002})
    found = verdict(group, printed("97.10", protocol=protocol), catalog)
    assert (found.outcome, found.ours, found.error) == (expected, ours * 100, pytest.approx(0.2))


def test_the_closest_of_several_numbers_answers(catalog: Catalog) -> None:
    entries = [
        made_entry("fid", 30.0, protocol=OURS | {"split": "test", "real_count": 10_000}),
        made_entry("fid", 20.0, protocol=OURS | {"real_count": 10_000}),
        made_entry("is", 10.0, protocol=OURS, better=True),
    ]
    (group,) = replicates([made_record(entries, dataset="cifar10")])
    found = verdict(group, printed(), catalog)
    assert (found.ours, found.why) == (20.0, "real_count: 10000 here, 50000 there")


def test_a_number_that_was_not_measured_is_not_run(catalog: Catalog) -> None:
    found = verdict(runs(10.0, entry={"metric": "fd"}), printed(), catalog)
    assert (found.outcome, found.ours) == (Outcome.NOT_RUN, None)
    assert "harness evaluate RUN --metrics fid" in found.why


def test_a_number_that_the_harness_does_not_measure_is_not_run(catalog: Catalog) -> None:
    protocol = PrintedProtocol(key="t", summary="duration")
    found = verdict(runs(10.0), printed(protocol=protocol, metric="train_time"), catalog)
    assert (found.outcome, found.why) == (Outcome.NOT_RUN, "the harness does not measure train_time")


def test_only_the_recipes_own_numbers_are_looked_up(catalog: Catalog) -> None:
    others = [printed(recipe=None), printed(recipe="made/other"), printed(dataset="mnist"), printed(fraction=0.1)]
    assert references_of(runs(10.0), [*others, printed()]) == [printed()]
    assert references_of(runs(10.0, recipe="made/plain+changed"), [*others, printed()]) == [printed()]
    assert references_of(runs(10.0, fraction=0.1), others) == [others[-1]]
    assert [v.reference for v in verdicts_of(runs(10.0), others, catalog)] == []


def test_another_recipes_number_is_not_comparable(catalog: Catalog) -> None:
    found = verdict(runs(10.0), printed(recipe="made/other", fraction=0.1), catalog)
    assert found.why == "recipe: made/plain here, made/other there; fraction: 1.0 here, 0.1 there"


@pytest.mark.parametrize(
    ("ours", "theirs", "equal"),
    [
        (50_000, "50000", True),
        (0.1, "0.10", True),
        (1, 1.0, True),
        (3, "4", False),
        ("round", "round", True),
        ("round", "truncate", False),
        (True, "true", True),
        (True, 1, False),
        (None, "none", True),
        (None, 0, False),
        ("3", "x", False),
    ],
)
def test_values_are_the_same_by_what_they_mean(ours: Any, theirs: Any, equal: bool) -> None:
    assert same(ours, theirs) is equal


def test_margins() -> None:
    assert margin_of(printed("10.0", std="0.2"), Tolerance(relative=0.5)) == (pytest.approx(0.25), "the printed ±0.2")
    assert margin_of(printed("10.0"), Tolerance(relative=0.1, absolute=0.3))[0] == pytest.approx(1.05)
    assert margin_of(printed("1.0"), Tolerance(relative=0.1, absolute=0.3))[0] == pytest.approx(0.35)
    margin, why = margin_of(printed("10.0"), None)
    assert (margin, "rounding" in why) == (pytest.approx(0.05), True)
    percent = PrintedProtocol(key="a", summary="AUROC", measured_as="auroc", factor=100)
    assert margin_of(printed("97.1", protocol=percent), Tolerance(absolute=0.01))[0] == pytest.approx(1.05)


def test_tolerances_are_the_metrics_own(catalog: Catalog) -> None:
    fid = tolerance_of(catalog, "fid")
    assert fid is not None
    assert fid.relative == 0.05
    assert tolerance_of(catalog, "no_such_number") is None


def test_verdicts_are_counted_by_kind() -> None:
    made = [Verdict(printed(), kind, "") for kind in (Outcome.WORSE, Outcome.NOT_RUN, Outcome.WORSE)]
    assert counted(made) == {Outcome.WORSE: 2, Outcome.NOT_RUN: 1}


@pytest.mark.parametrize(
    ("values", "reference", "said"),
    [
        ((10.1,), printed(std="0.2"), "within the printed ±0.2; one seed"),
        ((10.1,), printed(), "within the metric's tolerance of 0.5; one seed"),
        ((19.0,), printed(std="0.2"), "beyond the printed ±0.2; one seed"),
        (
            (10.0, 10.05, 9.95),
            printed(std="0.2"),
            "90 % interval of the mean of 3 seeds, ±0.0843, lies within the printed ±0.2",
        ),
        (
            (12.0, 12.05, 11.95),
            printed(std="0.2"),
            "90 % interval of the mean of 3 seeds, ±0.0843, lies beyond the printed ±0.2",
        ),
        (
            (9.0, 10.0, 11.0),
            printed(std="0.2"),
            "90 % interval of the mean of 3 seeds, ±1.69, crosses the border of the printed ±0.2; "
            "about 67 seeds would settle it",
        ),
        (
            (9.0, 10.0, 11.0),
            printed(std="0.002"),
            "90 % interval of the mean of 3 seeds, ±1.69, crosses the border of the printed ±0.002; "
            "no number of seeds is likely to settle it",
        ),
    ],
)
def test_the_reason_is_a_sentence(catalog: Catalog, values: tuple[float, ...], reference: Reference, said: str) -> None:
    assert verdict(runs(*values), reference, catalog).why == said


@pytest.mark.parametrize("name", ["memorisation_ratio", "a_number_of_a_plugin_that_is_gone"])
@pytest.mark.parametrize(("value", "expected"), [(10.004, Outcome.REPRODUCED), (10.006, Outcome.WORSE)])
def test_without_a_tolerance_only_the_rounding_counts(
    catalog: Catalog, name: str, value: float, expected: Outcome
) -> None:
    protocol = PrintedProtocol(key="p", summary="a number", measured_as=name)
    found = verdict(runs(value, entry={"metric": name, "better": None}), printed(protocol=protocol), catalog)
    assert found.outcome is expected
    assert "the print's rounding (the metric states no tolerance)" in found.why


@pytest.mark.parametrize(
    ("value", "expected"), [("9.10", 0.005), ("9.1", 0.05), ("9", 0.5), ("1e-4", 5e-5), ("1.50e-3", 5e-6)]
)
def test_the_margin_grows_with_the_rounding(value: str, expected: float) -> None:
    assert margin_of(printed(value), None)[0] == pytest.approx(expected)
    assert margin_of(printed(value, std="0"), Tolerance(relative=9))[0] == pytest.approx(expected)
    assert margin_of(printed(value), Tolerance(absolute=2.0))[0] == pytest.approx(2 + expected)


def test_a_tolerance_is_in_the_unit_of_the_harness() -> None:
    percent = PrintedProtocol(key="a", summary="AUROC", measured_as="auroc", factor=100)
    assert margin_of(printed("50.0", protocol=percent), Tolerance(relative=0.1))[0] == pytest.approx(5.05)
    assert margin_of(printed("50.0", protocol=percent), Tolerance(relative=0.1, absolute=0.2))[0] == pytest.approx(
        20.05
    )
    assert margin_of(printed("-2.0"), Tolerance(relative=0.1))[0] == pytest.approx(0.25)


def test_an_override_that_leaves_the_recipe_as_it_is_does_not_count(catalog: Catalog) -> None:
    group = runs(10.0, overrides={"steps": 10})  # what the recipe says anyway: the record has no "+changed"
    assert outcome(catalog, group, printed()) is Outcome.REPRODUCED


def test_every_difference_is_kept_in_order_and_as_plain_text(catalog: Catalog) -> None:
    changed = {"recipe": "made/plain+changed", "overrides": {"betas": [0, 0.9]}, "scale": "tiny", "fraction": 0.5}
    entry = {"protocol": {"split": "test", "real_count": 50_000}}
    found = verdict(runs(10.0, entry=entry, **changed), printed(subject={"weights": "raw"}), catalog)
    assert [tuple(each) for each in found.differences] == [
        ("fraction", 0.5, 1.0),
        ("scale", "tiny", "paper"),
        ("betas", "[0, 0.9]", "as in the recipe"),
        ("split", "test", "train"),
        ("subject.weights", "ema", "raw"),
    ]
    assert found.why == "; ".join(map(str, found.differences))
    assert verdict(runs(10.0), printed(), catalog).differences == ()


def test_a_row_is_more_exact_than_its_protocol(catalog: Catalog) -> None:
    protocol = FID.model_copy(update={"per_row": ("split",), "fields": {"split": "train"}})
    reference = printed(protocol=protocol, setting={"split": "test", "real_count": "7"})
    assert outcome(catalog, runs(10.0, entry={"protocol": {"split": "test"}}), reference) is Outcome.REPRODUCED
    assert verdict(runs(10.0), reference, catalog).why == "split: train here, test there"


def test_only_the_seeds_that_have_the_number_stand_behind_it(catalog: Catalog) -> None:
    metrics = {3: "fid", 5: "fd", 8: "fid"}
    records = [
        made_record([made_entry(metric, 10.0, protocol=OURS)], dataset="cifar10", seed=s)
        for s, metric in metrics.items()
    ]
    (group,) = replicates(records)
    found = verdict(group, printed(std="0.2"), catalog)
    assert (found.outcome, found.seeds) == (Outcome.REPRODUCED, (3, 8))
    assert "mean of 2 seeds" in found.why


# -- folds -----------------------------------------------------------------------------------------


def folded(*values: float, seeds: int = 1) -> Replicates:
    """Replicates on as many folds as there are values a seed."""
    records = [
        made_record(
            [made_entry("fid", value, protocol={**OURS, "folds": 3})],
            dataset="cifar10",
            seed=number % seeds,
            fold=f"{number // seeds + 1}/3",
        )
        for number, value in enumerate(values)
    ]
    return replicates(records)[0]


def test_a_number_that_says_nothing_of_folds_is_of_the_published_splits(catalog: Catalog) -> None:
    found = verdict(folded(10.0, 10.0, 10.0), printed(std="0.2"), catalog)
    assert (found.outcome, found.why) == (Outcome.NOT_COMPARABLE, "folds: 3 here, the published splits there")


def test_a_number_over_folds_is_held_against_the_mean_over_folds(catalog: Catalog) -> None:
    protocol = FID.model_copy(update={"fields": {**FID.fields, "folds": 3}})
    reference = printed(std="0.5", protocol=protocol)
    found = verdict(folded(9.9, 10.0, 10.2), reference, catalog)
    assert (found.outcome, found.ours, found.error_of) == (Outcome.REPRODUCED, pytest.approx(10.03333), "folds")
    assert "90 % interval of the mean of 3 folds" in found.why
    assert [str(one) for one in found.replicates] == [f"0 with fold {n}/3" for n in (1, 2, 3)]
    assert "mean of 6 runs" in verdict(folded(9.9, 10.0, 10.2, 9.9, 10.0, 10.2, seeds=2), reference, catalog).why
    assert verdict(folded(10.0), reference, catalog).why.endswith("; one seed and fold")
    assert verdict(runs(10.0), reference, catalog).why == "folds: not stated here, 3 there"
