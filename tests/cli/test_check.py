"""``harness check``: verdicts of made records on the printed numbers of Ni et al.'s Table 7."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from made_papers import offer_paper
from made_records import PRINTED_FID, made_entry, made_record, save

#: BigGAN+LCSA of d' = 1024 on CIFAR-10: IS 9.81, tFID 3.51, vFID 7.55
IS, TFID, VFID = "lcsa/table-07/13", "lcsa/table-07/14", "lcsa/table-07/15"


def run(folder: Path, tfid: float = 3.51, seed: int = 0, **changes: Any) -> Path:
    """A run's folder with a record alone: FID against the training images."""
    entry = made_entry("fid", tfid, protocol=changes.pop("protocol", PRINTED_FID))
    given = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10", "seed": seed} | changes
    save(made_record([entry], **given), folder / f"s{seed}" / "results.json")
    return folder / f"s{seed}"


def verdicts(harness: Any, *words: object, code: int = 0) -> dict[str, dict[str, Any]]:
    found = harness("check", *words, "--json")
    assert (found.code, found.err) == (code, "")
    return {verdict["reference"]: verdict for verdict in json.loads(found.out)}


@pytest.mark.parametrize(
    ("tfid", "changes", "verdict", "why"),
    [
        (3.6, {}, "REPRODUCED", "within the metric's tolerance"),
        (9.0, {}, "WORSE", "beyond the metric's tolerance"),
        (2.0, {}, "BETTER", "beyond the metric's tolerance"),
        (3.6, {"scale": "tiny"}, "NOT COMPARABLE", "scale: tiny here, paper there"),
        (
            3.6,
            {"protocol": PRINTED_FID | {"quantise": "round"}},
            "NOT COMPARABLE",
            "quantise: round here, truncate there",
        ),
        (3.6, {"recipe": "lcsa/biggan-d1024+changed", "overrides": {"steps": 5}}, "NOT COMPARABLE", "steps: 5 here"),
    ],
)
def test_a_verdict_for_each_printed_number(
    harness: Any, tmp_path: Path, tfid: float, changes: dict[str, Any], verdict: str, why: str
) -> None:
    found = verdicts(harness, run(tmp_path, tfid, **changes))
    assert set(found) == {IS, TFID, VFID}
    assert found[TFID]["verdict"] == verdict
    assert why in found[TFID]["why"]
    assert (found[TFID]["printed"], found[TFID]["ours"]) == (3.51, tfid)
    assert found[IS]["verdict"] == "NOT RUN"
    assert found[VFID]["verdict"] == "NOT COMPARABLE"
    fields = [difference["field"] for difference in found[VFID]["differences"]]
    assert {"split", "real_count", "generated_count"} <= set(fields)


def test_a_line_for_each_number_and_seeds_taken_together(harness: Any, tmp_path: Path) -> None:
    folders = [run(tmp_path, 3.5 + seed / 100, seed) for seed in range(3)]
    code, out, err = harness("check", *folders)
    assert (code, err) == (0, "")
    first, _, _, *rows, last = out.splitlines()
    assert first == "lcsa/biggan-d1024 on cifar10, paper scale, seed 0, 1, 2:"
    assert [row.split("  ")[0] for row in rows] == ["NOT RUN", "REPRODUCED", "NOT COMPARABLE"]
    assert "3.51 ± 0.0058 (seeds)" in rows[1]
    assert "90 % interval of the mean of 3 seeds" in rows[1]
    assert last == "1 REPRODUCED, 1 NOT COMPARABLE, 1 NOT RUN"


def test_a_record_may_be_named_itself(harness: Any, tmp_path: Path) -> None:
    folder = run(tmp_path)
    assert harness("check", folder / "results.json") == harness("check", folder)


def test_runs_that_no_paper_prints_numbers_for_say_so(harness: Any, tmp_path: Path) -> None:
    code, out, _ = harness("check", run(tmp_path, dataset="digits"))
    assert code == 0
    assert "no paper here prints a number for it" in out


@pytest.mark.parametrize(
    ("tfid", "words", "code"),
    [
        (9.0, ["worse"], 1),
        (9.0, ["better"], 0),
        (2.0, ["better"], 1),
        (2.0, ["worse"], 0),
        (9.0, ["worse", "better"], 1),
        (3.51, ["not_run"], 1),
        (3.51, ["worse"], 0),
        (3.51, ["not-comparable"], 1),
        (3.51, ["WORSE", "not_run"], 1),
        (3.51, ["worse", "better", "inconclusive"], 0),
    ],
)
def test_verdicts_may_fail(harness: Any, tmp_path: Path, tfid: float, words: list[str], code: int) -> None:
    options = [part for word in words for part in ("--fail-on", word)]
    assert harness("check", run(tmp_path, tfid), *options).code == code


def test_mistakes_are_one_line(refused: Any, tmp_path: Path) -> None:
    assert refused("check", run(tmp_path), "--fail-on", "wors").startswith(
        "error: unknown verdict 'wors'; did you mean 'wor"
    )
    assert "cannot read" in refused("check", tmp_path / "nowhere")
    assert "cannot read" in refused("check", tmp_path)
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    assert "is not the record of a run" in refused("check", tmp_path / "x.json")


@pytest.mark.parametrize(("score", "verdict"), [(9.81, "REPRODUCED"), (8.0, "WORSE"), (12.0, "BETTER")])
def test_a_higher_inception_score_is_better(harness: Any, tmp_path: Path, score: float, verdict: str) -> None:
    protocol = {"extractor": "inception-tf", "generated_count": 50_000, "splits": 10, "quantise": "truncate"}
    entry = made_entry("is", score, protocol=protocol, better=True)
    record = made_record([entry], recipe="lcsa/biggan-d1024", method="lcsa", dataset="cifar10")
    found = verdicts(harness, save(record, tmp_path / "results.json"))
    assert {number: each["verdict"] for number, each in found.items()} == {
        IS: verdict,
        TFID: "NOT RUN",
        VFID: "NOT RUN",
    }


def test_a_verdict_as_data(harness: Any, tmp_path: Path) -> None:
    values = {0: 3.50, 1: 3.51, 2: 3.54}
    folders = [run(tmp_path, value, seed) for seed, value in values.items()]
    lacking = made_record([made_entry("fd")], recipe="lcsa/biggan-d1024", method="lcsa", dataset="cifar10", seed=3)
    found = verdicts(harness, *folders, save(lacking, tmp_path / "lacking.json"))
    assert found[TFID] | {"why": "", "error": 0} == {
        "recipe": "lcsa/biggan-d1024",
        "dataset": "cifar10",
        "fraction": 1.0,
        "scale": "paper",
        "seeds": [0, 1, 2],
        "folds": [None, None, None],
        "reference": TFID,
        "row": "BigGAN+LCSA",
        "metric": "tfid",
        "printed": 3.51,
        "printed_std": None,
        "ours": pytest.approx(statistics.fmean(values.values())),
        "error": 0,
        "error_of": "seeds",
        "protocol_id": made_entry("fid", protocol=PRINTED_FID)["protocol_id"],
        "verdict": "REPRODUCED",
        "why": "",
        "differences": [],
    }
    assert found[TFID]["error"] == pytest.approx(statistics.stdev(values.values()) / 3**0.5)
    assert (found[IS]["seeds"], found[IS]["ours"]) == ([0, 1, 2, 3], None)


def test_a_printed_spread_and_a_share_of_the_data_are_shown(
    harness: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["Ours", "digits", "0.1", "", "fid", "10.0", "0.20", "", "made/plain", "", "fid", ""]
    offer_paper(tmp_path, monkeypatch, "[fid]\nsummary = 'FID'\nmeasured_as = 'fd'\n", line)
    changes: dict[str, Any] = {"recipe": "made/plain+changed", "overrides": {"steps": 5}, "fraction": 0.1}
    path = save(made_record([made_entry(value=10.1)], **changes), tmp_path / "results.json")
    assert "10.0 ± 0.20" in harness("check", path).out
    (found,) = verdicts(harness, path).values()
    assert (found["printed"], found["printed_std"], found["fraction"]) == (10.0, 0.2, 0.1)
    assert (found["recipe"], found["verdict"]) == ("made/plain+changed", "NOT COMPARABLE")


def test_every_experiment_is_judged(harness: Any, tmp_path: Path) -> None:
    folders = [
        run(tmp_path / "a", 3.5, dataset="digits"),
        run(tmp_path / "b", 3.5),
        run(tmp_path / "c", 9.0, settings={"steps": 1}),
    ]
    code, out, _ = harness("check", *folders, "--fail-on", "worse")
    assert code == 1
    assert [line for line in out.splitlines() if line.startswith("lcsa/biggan-d1024 on ")] == [
        "lcsa/biggan-d1024 on digits, paper scale, seed 0: no paper here prints a number for it",
        "lcsa/biggan-d1024 on cifar10, paper scale, seed 0:",
        "lcsa/biggan-d1024 on cifar10, paper scale, seed 0:",
    ]
    found = json.loads(harness("check", *folders, "--json").out)
    assert [each["verdict"] for each in found if each["reference"] == TFID] == ["REPRODUCED", "WORSE"]
    assert len(found) == 6


def test_a_papers_broken_folder_is_a_warning(harness: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_results import plugin

    monkeypatch.setitem(plugin.CITATIONS, "lost", "nowhere")
    code, out, err = harness("check", run(tmp_path))
    assert (code, len(err.splitlines())) == (0, 1)
    assert err.startswith("warning: references of 'lost' from plugin 'reference_results' are left out: cannot read")
    assert TFID in out
    assert "warning" not in out
