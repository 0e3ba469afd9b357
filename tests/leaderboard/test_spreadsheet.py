"""CSV: pandas reads back what was written, a line a number."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import pandas
import pytest
from made_records import PRINTED_FID, made_entry, made_record, save

from harness.catalog import Catalog
from harness.leaderboard.board import gather
from harness.leaderboard.spreadsheet import COLUMNS, csv_text


def lines(tmp_path: Path, catalog: Catalog, *records: dict[str, Any]) -> list[dict[str, Any]]:
    """The file of the one data set that the records are of, read by pandas."""
    for number, record in enumerate(records):
        save(record, tmp_path / str(number) / "results.json")
    (dataset,) = [d for d in gather([tmp_path], catalog).datasets if d.dataset == records[0]["dataset"]]
    text = csv_text(dataset)
    assert "\r" not in text
    frame = pandas.read_csv(io.StringIO(text), converters={"mean": float})
    assert tuple(frame.columns) == COLUMNS
    found: list[dict[str, Any]] = frame.to_dict("records")
    return found


def test_all_that_is_known_of_a_number_reads_back(tmp_path: Path, catalog: Catalog) -> None:
    cost = {"parameters": {"g": 5, "d": 7}, "images_seen": 640, "training_seconds": 36.0, "devices": 2}
    made = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10", "cost": cost}
    values = [3.5, 3.52, 3.54]
    records = [
        made_record([made_entry("fid", value, protocol=PRINTED_FID)], seed=seed, **made)
        for seed, value in zip((0, 1, 5), values, strict=True)
    ]
    (line,) = lines(tmp_path, catalog, *records)
    assert line["mean"] == math.fsum(values) / 3  # to the last bit
    assert line["error"] == pytest.approx(0.02 / 3**0.5)
    commands = [
        f"OMP_NUM_THREADS=1 harness run --plugin lcsa --recipe {made['recipe']} --dataset cifar10 --scale paper {seeds}"
        for seeds in ("--seeds 0..1", "--seed 5")
    ]
    assert {key: value for key, value in line.items() if key not in ("mean", "error", "rank", "changes")} == {
        "dataset": "cifar10",
        "table": 1,
        "scale": "paper",
        "fraction": 1.0,
        "method": "lcsa",
        "recipe": "lcsa/biggan-d1024",
        "subject": "checkpoint=last;weights=ema",
        "metric": "fid",
        "protocol_id": "fid[inception-tf,bilinear-tf1,train,50000,50000,truncate]",
        "error_of": "seeds",
        "seeds": "0 1 5",
        "higher_is_better": False,
        "printed": 3.51,
        "printed_id": "lcsa/table-07/14",
        "verdict": "REPRODUCED",
        "parameters": 12,
        "images_seen": 640,
        "device_hours": 0.02,
        "device": "CPU",
        "badge": "self-reported",
        "command": "; ".join(commands),
    }
    assert math.isnan(line["changes"])
    assert line["rank"] == 1


def test_values_with_newlines_quotes_and_commas_read_back(tmp_path: Path, catalog: Catalog) -> None:
    text = "x\"\n,y;\n\n'z"
    (line,) = lines(
        tmp_path,
        catalog,
        made_record(
            [made_entry(subject={"weights": text})], recipe=f"made/{text}+changed", overrides={"a": text, "b": 1}
        ),
    )
    assert line["recipe"] == f"made/{text}"
    assert line["changes"] == f"a={text};b=1"
    assert line["subject"] == f"weights={text}"


def test_what_is_not_known_is_empty(tmp_path: Path, catalog: Catalog) -> None:
    entries = [made_entry("count", better=None), made_entry("is", better=True, std_error=0.25)]
    count, inception = lines(tmp_path, catalog, made_record(entries, environment={"device": "cuda"}))
    for key in ("error", "error_of", "rank", "higher_is_better", "printed", "printed_id", "verdict"):
        assert pandas.isna(count[key]), key
    assert (inception["higher_is_better"], inception["error"], inception["error_of"]) == (True, 0.25, "sampling")
    assert pandas.isna(inception["rank"])
    assert count["device"] == "GPU"


def test_numbers_that_a_row_lacks_are_no_lines_and_tables_are_numbered(tmp_path: Path, catalog: Catalog) -> None:
    fd, other = made_entry(value=2.0), made_entry("kid", 1.0)
    apart = made_entry(protocol={"extractor": "b"})
    found = lines(
        tmp_path,
        catalog,
        made_record([fd, other], recipe="made/both"),
        made_record([other], recipe="made/one"),
        made_record([apart], recipe="made/apart"),
        made_record([apart], recipe="made/apart", fraction=0.25, scale="tiny"),
        made_record([], recipe="made/lost", exit_state="diverged"),
    )
    assert [(line["table"], line["recipe"], line["metric"], line["scale"], line["fraction"]) for line in found] == [
        (1, "made/both", "fd", "paper", 1.0),
        (1, "made/both", "kid", "paper", 1.0),
        (1, "made/one", "kid", "paper", 1.0),
        (2, "made/apart", "fd", "paper", 1.0),
        (3, "made/apart", "fd", "tiny", 0.25),
    ]
    assert {line["protocol_id"] for line in found} == {"fd[toy]", "kid[toy]", "fd[b]"}


def test_whole_numbers_are_written_whole_and_verdicts_in_words(tmp_path: Path, catalog: Catalog) -> None:
    second = made_entry("fid", 3.5, protocol={"extractor": "second"})
    made = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10", "scale": "tiny"}
    records = [made_record([made_entry("fid", 3.5, protocol=PRINTED_FID), second], seed=n, **made) for n in (0, 1)]
    records += [made_record([second], recipe="made/alone", dataset="cifar10", scale="tiny")]
    for number, record in enumerate(records):
        save(record, tmp_path / str(number) / "results.json")
    (dataset,) = [d for d in gather([tmp_path], catalog).datasets if d.tables]
    frame = pandas.read_csv(io.StringIO(csv_text(dataset)), dtype=str, keep_default_na=False)
    assert list(frame["metric"]) == ["fid", "fid", "fid"]
    assert set(frame["rank"]) == {"1", ""}
    assert set(frame["parameters"]) == {"12"}
    assert set(frame["images_seen"]) == {"640"}
    assert set(frame["verdict"]) == {"NOT COMPARABLE", ""}


def test_no_tables_are_a_head_without_lines(tmp_path: Path, catalog: Catalog) -> None:
    assert lines(tmp_path, catalog, made_record([], exit_state="diverged")) == []


def test_a_run_with_a_fold_says_which(tmp_path: Path, catalog: Catalog) -> None:
    records = [made_record([made_entry(value=n)], fold=f"{n}/3", seed=s) for n, s in ((1, 0), (1, 4), (3, 0))]
    (line,) = lines(tmp_path, catalog, *records)
    assert (line["seeds"], line["error_of"]) == ("0@1/3 4@1/3 0@3/3", "seeds and folds")
    assert "--fold 1/3 --seed 0; " in line["command"]
