"""``harness explain``: where a run and a printed number differ, what that is known to do, and what is left open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_papers import offer_paper
from made_records import PRINTED_FID, made_entry, made_record, save

#: BigGAN+LCSA of d' = 1024 on CIFAR-10, Table 7 of Ni et al.: IS 9.81, tFID 3.51, vFID 7.55
IS, TFID, VFID = "lcsa/table-07/13", "lcsa/table-07/14", "lcsa/table-07/15"


def run(folder: Path, **changes: Any) -> Path:
    """A run's folder with a record alone: FID against the training images."""
    entry = made_entry("fid", 3.51, protocol=changes.pop("protocol", PRINTED_FID))
    given = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10"} | changes
    save(made_record([entry], **given), folder / "run" / "results.json")
    return folder / "run"


def test_each_difference_is_explained(harness: Any, tmp_path: Path) -> None:
    protocol = PRINTED_FID | {"quantise": "round"}
    folder = run(tmp_path, protocol=protocol, scale="tiny")
    code, out, err = harness("explain", folder, TFID)
    assert (code, err) == (0, "")
    printed, summary, ours, verdict = out.splitlines()[:4]
    assert printed == f"{TFID}: Table 7, BigGAN+LCSA: tfid 3.51"
    assert summary.startswith("  FID")
    assert ours == f"lcsa/biggan-d1024 on cifar10: 3.51, fid[{','.join(map(str, protocol.values()))}]"
    assert verdict == "NOT COMPARABLE: scale: tiny here, paper there; quantise: round here, truncate there"
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
    assert (fields["resize"]["here"], fields["resize"]["there"]) == ("bilinear-tf1", None)
    assert fields["resize"]["state"] == "not stated"
    assert "clean-fid" in fields["resize"]["source"]
    assert "metric" not in fields  # only the number's name once more
    assert fields["subject.weights"]["state"] == "not stated"
    assert found["printed_protocol"]["key"] == "vfid-cifar"


def test_another_recipes_number_is_explained_too(harness: Any, tmp_path: Path) -> None:
    found = json.loads(harness("explain", run(tmp_path), "lcsa/table-08/56", "--json").out)
    assert found["verdict"] == "NOT COMPARABLE"
    assert "recipe" in [line["field"] for line in found["fields"] if line["state"] == "differs"]


def test_a_number_that_was_not_measured_is_explained_by_what_is_known(harness: Any, tmp_path: Path) -> None:
    code, out, _ = harness("explain", run(tmp_path), IS)
    assert code == 0
    assert "lcsa/biggan-d1024 on cifar10: no such number\n" in out
    assert "NOT RUN: the record has no is" in out
    assert "not measured here" in out
    assert "differs" not in out


def test_an_unknown_number_is_refused(refused: Any, tmp_path: Path) -> None:
    assert "unknown reference 'lcsa/table-07/144'; did you mean" in refused(
        "explain", run(tmp_path), "lcsa/table-07/144"
    )
    # where no paper prints a number for the run, near names are no help
    said = refused("explain", run(tmp_path, dataset="digits"), "lcsa/table-07/144")
    assert said == "error: unknown reference 'lcsa/table-07/144'; see harness references"
    assert "cannot read" in refused("explain", tmp_path / "nowhere", TFID)


PROTOCOLS = """
[fd]
summary = "a distance"
measured_as = "fd"
fields = {extractor = "toy"}

[time]
summary = "how long it took"
"""


@pytest.fixture
def smith(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made run, whose paper states which weights it measured, and prints a time."""
    lines = [
        ["Ours", "digits", "1", "", "fd", "1.0", "0.20", "", "made/plain", "weights=raw", "fd", ""],
        ["Ours", "digits", "1", "", "hours", "7", "", "", "made/plain", "", "time", ""],
    ]
    offer_paper(tmp_path, monkeypatch, PROTOCOLS, *lines)
    return save(made_record(), tmp_path / "run" / "results.json").parent


def test_what_was_measured_is_a_field_too(harness: Any, smith: Path) -> None:
    out = harness("explain", smith, "smith2026/table-01/1").out
    assert out.startswith("smith2026/table-01/1: Table 1, Ours: fd 1.0 ± 0.20\n  a distance\n")
    assert "most of all while training oscillates (Yazici et al. 2019)" in out
    found = json.loads(harness("explain", smith, "smith2026/table-01/1", "--json").out)
    fields = {line["field"]: (line["here"], line["there"], line["state"]) for line in found["fields"]}
    assert fields == {
        "extractor": ("toy", "toy", "same"),
        "subject.weights": ("ema", "raw", "differs"),
        "subject.checkpoint": ("last", None, "not stated"),
    }
    assert (found["verdict"], found["reference"]) == ("NOT COMPARABLE", "smith2026/table-01/1")


def test_where_nothing_is_known_nothing_is_explained(refused: Any, smith: Path) -> None:
    said = refused("explain", smith, "smith2026/table-01/2")
    assert "nothing to explain: the harness does not measure hours" in said
