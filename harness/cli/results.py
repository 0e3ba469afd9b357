"""Prints the record of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.training.run_folder import RunFolder


def print_record(record: dict[str, Any], folder: RunFolder, as_json: bool) -> None:
    """The metrics as a table and where everything is, or the whole record as JSON."""
    if as_json:
        print(json.dumps(record, indent=2, allow_nan=False))
        return
    from tabulate import tabulate

    if record["metrics"]:
        rows = [
            (entry["metric"], _number(entry["value"]), _number(entry["std_error"]), _arrow(entry), entry["protocol_id"])
            for entry in record["metrics"]
        ]
        print(tabulate(rows, headers=("metric", "value", "± se", "", "protocol"), disable_numparse=True))
        for entry in record["metrics"]:
            if entry.get("remark"):
                print(f"{entry['metric']}: {entry['remark']}")
    cost = record["cost"]
    print(f"{cost['steps']} steps, {cost['images_seen']:,} real images, {cost['training_seconds']:.0f} s of training")
    print(f"record   {folder.results}")
    grids = sorted(folder.samples.glob("step-*.png"))
    if grids:
        print(f"samples  {grids[-1]}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _arrow(entry: dict[str, Any]) -> str:
    better = entry["higher_is_better"]
    return "" if better is None else "↑" if better else "↓"
