"""How the numbers of a record were measured: under which settings and where, evaluation by evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.evaluation.protocols.metric_entry import MetricEntry


def evaluations_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings and environment of each evaluation; one that is not listed is that of the run's own end."""
    listed: list[dict[str, Any]] = record["evaluations"]
    return listed or [{"settings": own_evaluation(record), "environment": record["environment"]}]


def own_evaluation(record: Mapping[str, Any]) -> dict[str, Any]:
    """The evaluation settings that the run was started with."""
    settings = record["settings"].get("evaluation")
    return settings if isinstance(settings, dict) else {}


def put_before(
    this: Mapping[str, Any],
    entries: Sequence[MetricEntry],
    old: Sequence[Mapping[str, Any]],
    kept: Sequence[MetricEntry],
) -> tuple[list[Mapping[str, Any]], list[MetricEntry]]:
    """A new evaluation and its entries before the old ones; of those, only what is still named by an entry.

    :param kept: entries that name their evaluation by its place in `old`.
    :returns: all evaluations, and all entries, which name theirs by its place in them.
    """
    used = sorted({entry.evaluation for entry in kept})
    place = {number: new for new, number in enumerate(used, 1)}
    moved = [entry.model_copy(update={"evaluation": place[entry.evaluation]}) for entry in kept]
    return [this, *(old[number] for number in used)], [*entries, *moved]
