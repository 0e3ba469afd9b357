"""Train and test cut anew as a fold says, before anything else looks at them; and put together again."""

from __future__ import annotations

import numpy as np

from harness.contracts.data import Split
from harness.data.folds import TEST, TRAIN, Fold, check_enough
from harness.data.joining import joined
from harness.errors import SettingsError


def cut(train: Split, test: Split, fold: Fold, dataset: str) -> dict[str, Split]:
    """Both splits as a fold has them, by name, in stored order.

    :raises SettingsError: where there are fewer items than parts, or a class would be left without a training item.
    :raises DataError: where the two cannot be joined.
    """
    check_enough(len(train) + len(test), dataset, fold)
    whole = joined({TRAIN: train, TEST: test})
    start, stop = fold.held_out(len(whole))
    index = np.arange(len(whole))
    kept, held = whole.subset(np.delete(index, np.s_[start:stop])), whole.subset(index[start:stop])
    if whole.labels is not None and kept.labels is not None:
        lost = np.setdiff1d(whole.labels, kept.labels)
        if len(lost):
            raise SettingsError(
                f"fold {fold} of data set '{dataset}' would leave class '{whole.classes[lost[0]]}' without a training "
                "item: folds are cut in stored order, and all of them lie in this one",
                "choose other folds, or store the items in another order",
            )
    return {TRAIN: kept, TEST: held}


def uncut(train: Split, test: Split, fold: Fold) -> tuple[Split, ...]:
    """The parts of the whole that :func:`cut` cut, in stored order and without a copy."""
    start, _ = fold.held_out(len(train) + len(test))
    return train.rows(0, start), test, train.rows(start, len(train))
