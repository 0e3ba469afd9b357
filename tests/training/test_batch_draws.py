"""Draws for the rows of a batch: what one device draws for all of it, several draw for their parts of it."""

from __future__ import annotations

import pytest
import torch
from opening import CPU
from torch import Tensor

from harness.training.batch_draws import BatchDraws


def drawn(rank: int, world: int, n: int) -> tuple[Tensor, ...]:
    torch.manual_seed(3)
    draws = BatchDraws(CPU, rank, world)
    return draws.uniform(n, 2), draws.normal(n), draws.integers(7, n, 2, 3)


@pytest.mark.parametrize("world", [2, 3])
def test_devices_hold_the_rows_of_the_whole_batch_in_order(world: int) -> None:
    whole = drawn(0, 1, 6)
    parts = [drawn(rank, world, 6 // world) for rank in range(world)]
    assert all(torch.equal(torch.cat(rows), all_) for *rows, all_ in zip(*parts, whole, strict=True))


def test_draws_are_of_their_law_and_shape() -> None:
    uniform, normal, integers = drawn(0, 1, 6)
    assert (uniform.shape, normal.shape, integers.shape) == ((6, 2), (6,), (6, 2, 3))
    assert integers.dtype == torch.int64
    many = BatchDraws(CPU)
    assert 0 <= many.uniform(10_000).min() < 0.01
    assert abs(many.uniform(10_000).mean() - 0.5) < 0.02
    assert abs(many.normal(10_000).std() - 1) < 0.03
    assert set(many.integers(3, 1000).tolist()) == {0, 1, 2}


def joint(rank: int, world: int, n: int) -> tuple[Tensor, Tensor]:
    """Numbers for n real and n fake images of one device, and for n images after these."""
    torch.manual_seed(3)
    draws = BatchDraws(CPU, rank, world)
    with draws.joined(2):
        found = draws.uniform(2 * n, 3)
    return found, draws.uniform(n)


def test_each_of_the_parts_of_a_joined_batch_is_divided_by_itself() -> None:
    (whole, after), *devices = joint(0, 1, 6), joint(0, 2, 3), joint(1, 2, 3)
    (real, fake), ours = whole.chunk(2), [found.chunk(2) for found, _ in devices]
    assert torch.equal(torch.cat([own_real for own_real, _ in ours]), real)
    assert torch.equal(torch.cat([own_fake for _, own_fake in ours]), fake)
    assert torch.equal(torch.cat([own_after for _, own_after in devices]), after)


def test_a_batch_that_is_not_made_of_equal_parts_is_refused() -> None:
    draws = BatchDraws(CPU)
    with pytest.raises(ValueError, match="3 rows are not made of 2 equal parts"), draws.joined(2):
        draws.normal(3)


def test_an_order_is_the_same_on_all_devices() -> None:
    found = []
    for rank in range(2):
        torch.manual_seed(5)
        found.append(BatchDraws(CPU, rank, 2).order(20))
    assert found[0] == found[1] != list(range(20))
    assert sorted(found[0]) == list(range(20))
