"""Splits that can be held against labels: of several, or of those that make up one, only some may have them."""

from __future__ import annotations

from harness.data import parts_of
from harness.evaluation import Inapplicable, MetricContext


def labelled_splits(context: MetricContext) -> list[str]:
    """The real splits in use whose images have labels, in order.

    :raises Inapplicable: where none has.
    """
    asked = context.splits()
    candidates = [part for split in asked for part in ([split] if context.has_labels(split) else parts_of(split))]
    found = [split for split in dict.fromkeys(candidates) if context.has_labels(split)]
    if not found:
        raise Inapplicable(f"data set '{context.dataset.name}' has no labels in {' or '.join(asked)}")
    return found
