"""What is printed of a record: a line for each number, told from others like it, and where everything is."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_records import made_entry, made_record

from harness.cli.results import print_metrics, print_record
from harness.training.run_folder import RunFolder


def test_each_number_has_a_line_with_its_error_direction_and_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics(
        [
            made_entry("fd", 12.34567, std_error=0.5, better=False),
            made_entry("precision", 0.25, better=True),
            made_entry("modes", 8.0, better=None),
        ]
    )
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "metric     value    ± se        protocol",
        "---------  -------  ------  --  --------------",
        "fd         12.35    0.5     ↓   fd[toy]",
        "precision  0.25             ↑   precision[toy]",
        "modes      8                    modes[toy]",
    ]


def names_printed(capsys: pytest.CaptureFixture[str], *subjects: dict[str, str]) -> list[str]:
    print_metrics([made_entry("fd", subject=subject) for subject in subjects])
    return [line.partition("  ")[0] for line in capsys.readouterr().out.splitlines()[2:]]


def test_what_all_numbers_are_about_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    both = {"weights": "ema", "checkpoint": "last"}
    assert names_printed(capsys, both, both) == ["fd", "fd"]
    assert names_printed(capsys, both, {"weights": "ema", "checkpoint": "best"}) == [
        "fd (checkpoint last)",
        "fd (checkpoint best)",
    ]
    assert names_printed(capsys, both, {}) == ["fd (weights ema, checkpoint last)", "fd"]


def test_a_score_goes_by_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    scores = [{"checkpoint": "last", "score": name} for name in ("distance", "density")]
    assert names_printed(capsys, *scores) == ["fd (distance)", "fd (density)"]


def test_a_remark_stands_once_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics([made_entry("fd", remark="few"), made_entry("fd", remark="few"), made_entry("kid", remark="few")])
    assert capsys.readouterr().out.splitlines()[5:] == ["fd: few", "kid: few"]


def test_no_numbers_make_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics([])
    assert capsys.readouterr().out == ""


def test_a_record_ends_with_its_cost_its_file_and_its_newest_picture(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    record = made_record(cost={"steps": 1200, "images_seen": 76800, "training_seconds": 36.4})
    lines = ["1200 steps, 76,800 real images, 36 s of training", f"record   {tmp_path / 'results.json'}"]
    print_record(record, folder)
    assert capsys.readouterr().out.splitlines()[3:] == lines
    folder.samples.mkdir()
    for name in ("step-00000200.png", "step-00001200.png", "step-00000900.png", "zebra.png"):
        (folder.samples / name).touch()
    print_record(record, folder)
    assert capsys.readouterr().out.splitlines()[3:] == [*lines, f"samples  {folder.samples / 'step-00001200.png'}"]
