"""Prints the record of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cli.printing import table

if TYPE_CHECKING:
    from harness.training.run_folder import RunFolder


def print_record(record: dict[str, Any], folder: RunFolder) -> None:
    """The metrics as a table, and where everything is."""
    if record["metrics"]:
        rows = [
            (entry["metric"], _number(entry["value"]), _number(entry["std_error"]), _arrow(entry), entry["protocol_id"])
            for entry in record["metrics"]
        ]
        print(table(("metric", "value", "± se", "", "protocol"), rows))
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
