from __future__ import annotations

import pytest

from harness.builtin.metrics.neighbours_settings import NeighboursSettings


def test_each_k_is_named_once() -> None:
    assert NeighboursSettings(precision_recall_k=(10, 3)).precision_recall_k == (10, 3)
    for ks in ((3, 5, 3), (), (0,)):
        with pytest.raises(ValueError, match="precision_recall_k"):
            NeighboursSettings(precision_recall_k=ks)
