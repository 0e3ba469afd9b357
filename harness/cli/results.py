"""Prints the record of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cli.printing import table

if TYPE_CHECKING:
    from harness.training.run_folder import RunFolder


def print_record(record: dict[str, Any], folder: RunFolder) -> None:
    """The metrics as a table, and where everything is."""
    print_metrics(record["metrics"])
    cost = record["cost"]
    print(f"{cost['steps']} steps, {cost['images_seen']:,} real images, {cost['training_seconds']:.0f} s of training")
    print(f"record   {folder.results}")
    grids = sorted(folder.samples.glob("step-*.png"))
    if grids:
        print(f"samples  {grids[-1]}")


def print_metrics(entries: list[dict[str, Any]]) -> None:
    """Metric entries as a table, and below it what should be known of some; a number of several is told apart."""
    if not entries:
        return
    shared = set.intersection(*(set(entry["subject"].items()) for entry in entries))
    rows = [
        (
            _named(entry, shared),
            _number(entry["value"]),
            _number(entry["std_error"]),
            _arrow(entry),
            entry["protocol_id"],
        )
        for entry in entries
    ]
    print(table(("metric", "value", "± se", "", "protocol"), rows))
    for remark in dict.fromkeys(f"{entry['metric']}: {entry['remark']}" for entry in entries if entry.get("remark")):
        print(remark)


def _named(entry: dict[str, Any], shared: set[tuple[str, str]]) -> str:
    """The metric's name, with what of the method it is about where not all numbers are about that."""
    own = [value if key == "score" else f"{key} {value}" for key, value in entry["subject"].items()]
    told = [text for text, item in zip(own, entry["subject"].items(), strict=True) if item not in shared]
    return f"{entry['metric']} ({', '.join(told)})" if told else str(entry["metric"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _arrow(entry: dict[str, Any]) -> str:
    better = entry["higher_is_better"]
    return "" if better is None else "↑" if better else "↓"
