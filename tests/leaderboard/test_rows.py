"""Rows: one experiment over its seeds, as one subject was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from made_records import PRINTED_FID, made_entry, made_record

from harness.catalog import Catalog
from harness.leaderboard.reading import ResultFile
from harness.leaderboard.rows import Row, make_rows
from harness.results.references import open_references

RAW = {"weights": "raw", "checkpoint": "last"}

#: BigGAN+LCSA on CIFAR-10 in Table 7: IS, tFID, vFID
PRINTED_IS, PRINTED_TFID, PRINTED_VFID = (f"lcsa/table-07/{line}" for line in (13, 14, 15))


def rows(catalog: Catalog, *records: Mapping[str, Any], verified: tuple[int, ...] = ()) -> list[Row]:
    files = [
        ResultFile(Path(f"{n}/results.json"), record, {}, None, {} if n in verified else None)
        for n, record in enumerate(records)
    ]
    return make_rows(files, open_references(catalog)[0], catalog)


def test_seeds_are_one_row_by_rising_seed_and_settings_another(catalog: Catalog) -> None:
    made = [made_record([made_entry(value=seed + 1.0)], seed=seed) for seed in (4, 0, 2)]
    found = rows(catalog, *made, made_record(settings={"steps": 11}))
    assert [row.runs.seeds for row in found] == [(0, 2, 4), (0,)]
    assert [file.path.parent.name for file in found[0].files] == ["1", "2", "0"]
    assert [number.values for number in found[0].numbers.values()] == [(1.0, 3.0, 5.0)]
    assert found[0].first is made[1]


def test_subjects_are_rows_of_their_own(catalog: Catalog) -> None:
    backwards = dict(reversed(RAW.items()))
    entries = [
        made_entry(value=1.0),
        made_entry(value=2.0, subject=RAW),
        made_entry("kid", 3.0, subject=backwards),
    ]
    ema, raw = rows(catalog, made_record(entries))
    assert [number.mean for number in ema.numbers.values()] == [1.0]
    assert (dict(raw.subject), [number.mean for number in raw.numbers.values()]) == (RAW, [2.0, 3.0])


def test_protocols_of_one_id_are_numbers_of_their_own(catalog: Catalog) -> None:
    hidden = {**made_entry(value=2.0), "protocol": {"metric": "fd", "extractor": "toy", "checksum": "abc"}}
    (row,) = rows(catalog, made_record([made_entry(value=1.0), hidden]))
    assert [number.mean for number in row.numbers.values()] == [1.0, 2.0]


def test_a_row_is_called_by_its_recipe_and_what_was_set_over_it(catalog: Catalog) -> None:
    overrides = {"steps": 3, "loss": "hinge", "evaluation.every": 5, "log_every": 1}
    (row,) = rows(catalog, made_record(recipe="made/plain+changed", overrides=overrides))
    assert row.name == "made/plain steps=3 loss=hinge"
    assert row.commands[0].count("--set") == 4


def test_printed_numbers_stand_with_the_subject_that_answers_to_them(catalog: Catalog) -> None:
    entries = [
        made_entry("fid", 3.5, protocol=PRINTED_FID),
        made_entry("is", 9.8, protocol={"extractor": "inception-tf"}, subject=RAW, better=True),
    ]
    made = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10"}
    ema, raw = rows(catalog, made_record(entries, **made))
    assert {verdict.reference.id for verdict in ema.verdicts} == {PRINTED_TFID, PRINTED_VFID}
    assert {verdict.reference.id for verdict in raw.verdicts} == {PRINTED_IS}
    (alone,) = rows(catalog, made_record(entries[:1], **made))
    found = {verdict.reference.id: verdict.outcome.value for verdict in alone.verdicts}
    assert found == {PRINTED_IS: "NOT RUN", PRINTED_TFID: "REPRODUCED", PRINTED_VFID: "NOT COMPARABLE"}


def test_a_diverged_run_is_a_row_without_numbers(catalog: Catalog) -> None:
    (row,) = rows(catalog, made_record([], exit_state="diverged"))
    assert (dict(row.subject), dict(row.numbers), row.verdicts) == ({}, {}, ())


def test_the_badge_needs_every_seed_verified(catalog: Catalog) -> None:
    two = [made_record(seed=seed) for seed in (0, 1)]
    for verified, badge in (((0, 1), "verified"), ((0,), "self-reported"), ((), "self-reported")):
        assert [row.badge for row in rows(catalog, *two, verified=verified)] == [badge]


def test_costs_are_means_over_seeds(catalog: Catalog) -> None:
    cost = {
        "parameters": {"generator": 5, "discriminator": 7},
        "images_seen": 100,
        "training_seconds": 1800.0,
        "devices": 2,
    }
    another = {**cost, "images_seen": 300, "devices": 4}
    (row,) = rows(catalog, made_record(cost=cost), made_record(seed=1, cost=another))
    assert (row.parameters, row.images_seen, row.device_hours, row.device) == (12, 200.0, 1.5, "CPU")


def test_costs_that_are_not_known_are_none(catalog: Catalog) -> None:
    (row,) = rows(catalog, made_record(cost={}, environment={}))
    assert (row.parameters, row.images_seen, row.device_hours, row.device) == (0, 0.0, 0.0, "CPU")
    (row,) = rows(catalog, made_record(cost={"training_seconds": 3600.0}))
    assert row.device_hours == 1.0


@pytest.mark.parametrize(("device", "hours_of"), [("cpu", "CPU"), ("cuda", "GPU"), ("cuda:0", "GPU")])
def test_hours_are_of_what_it_ran_on(catalog: Catalog, device: str, hours_of: str) -> None:
    (row,) = rows(catalog, made_record(environment={"device": device}))
    assert row.device == hours_of
