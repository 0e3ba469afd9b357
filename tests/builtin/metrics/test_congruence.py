from __future__ import annotations

import pytest
import torch

from harness.builtin.metrics.congruence import BLOCK, congruence


@pytest.mark.parametrize("size", [0, 1, 5, BLOCK, BLOCK + 1, 3 * BLOCK - 7])
def test_the_lower_triangle_is_that_of_both_products(size: int) -> None:
    draws = torch.Generator().manual_seed(0)
    lower = torch.randn(size, size, generator=draws, dtype=torch.float64).tril()
    rows = torch.randn(size, size, generator=draws, dtype=torch.float64)
    symmetric = rows @ rows.T
    assert torch.allclose(congruence(lower, symmetric).tril(), (lower.T @ symmetric @ lower).tril(), rtol=1e-10)
