"""``harness check`` and ``harness explain``: verdicts of made records on the printed numbers of Ni et al.'s Table 7."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
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


# -- explain ---------------------------------------------------------------------------------------------


def test_each_difference_is_explained(harness: Any, tmp_path: Path) -> None:
    folder = run(tmp_path, protocol=PRINTED_FID | {"quantise": "round"}, scale="tiny")
    code, out, err = harness("explain", folder, TFID)
    assert (code, err) == (0, "")
    assert out.startswith(f"{TFID}: Table 7, BigGAN+LCSA: tfid 3.51\n")
    differs, left_open = out.split("not stated by the paper")
    assert "scale" in differs
    assert "quantise" in differs
    assert "13.6 became 13.4" in differs
    assert "scored again" in differs
    assert "resize" not in differs
    assert "resize" in left_open
    assert out.splitlines()[-1] == "the same: extractor, split, real_count, generated_count"


def test_explanations_as_data(harness: Any, tmp_path: Path) -> None:
    found = json.loads(harness("explain", run(tmp_path), VFID, "--json").out)
    fields = {line["field"]: line for line in found["fields"]}
    assert (fields["split"]["here"], fields["split"]["there"], fields["split"]["state"]) == ("train", "test", "differs")
    assert fields["split"]["effect"]
    assert fields["split"]["source"]
    assert fields["extractor"] | {"effect": None, "source": None} == fields["extractor"]
    assert fields["resize"]["state"] == "not stated"
    assert fields["subject.weights"]["state"] == "not stated"
    assert found["printed_protocol"]["key"] == "vfid-cifar"


def test_another_recipes_number_is_explained_too(harness: Any, tmp_path: Path) -> None:
    found = json.loads(harness("explain", run(tmp_path), "lcsa/table-08/56", "--json").out)
    assert found["verdict"] == "NOT COMPARABLE"
    assert "recipe" in [line["field"] for line in found["fields"] if line["state"] == "differs"]


def test_a_number_that_was_not_measured_is_explained_by_what_is_known(harness: Any, tmp_path: Path) -> None:
    code, out, _ = harness("explain", run(tmp_path), IS)
    assert code == 0
    assert "NOT RUN: the record has no is" in out
    assert "not measured here" in out
    assert "differs" not in out


def test_an_unknown_number_is_refused(refused: Any, tmp_path: Path) -> None:
    assert "unknown reference 'lcsa/table-07/144'; did you mean" in refused(
        "explain", run(tmp_path), "lcsa/table-07/144"
    )


def test_a_paper_that_cannot_be_read_is_a_warning(
    harness: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reference_results import plugin

    monkeypatch.setitem(plugin.CITATIONS, "lost", "nowhere")
    for words in (("check", run(tmp_path)), ("explain", run(tmp_path), TFID)):
        code, _, err = harness(*words)
        assert code == 0
        assert err.startswith("warning: references of 'lost' from plugin 'reference_results' are left out")
        assert len(err.splitlines()) == 1
