"""Blocks of any size become batches of one size with nothing lost; a long pass says now and then how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from harness.evaluation.sampling.batches import Progress, batches


def blocks_of(sizes: Sequence[int]) -> list[Tensor]:
    """Blocks of so many images, numbered through from 1."""
    numbers = torch.arange(1, sum(sizes) + 1, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    return list(numbers.split(list(sizes)))


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 10))
def test_every_image_comes_once_in_order_and_zeros_fill_the_last_batch(sizes: list[int], size: int) -> None:
    count = sum(sizes)
    found = list(batches(blocks_of(sizes), size))
    assert [start for start, _, _ in found] == list(range(0, count, size))
    assert [held for _, _, held in found] == [min(size, count - start) for start, _, _ in found]
    assert all(batch.shape == (size, 1, 2, 2) and batch.dtype == torch.uint8 for _, batch, _ in found)
    flat = torch.cat([batch for _, batch, _ in found])[:, 0, 0, 0].tolist() if found else []
    assert flat == [*range(1, count + 1), *[0] * (-count % size)]


def test_a_batch_lies_in_plain_memory_order_however_its_block_did() -> None:
    block = torch.rand(5, 3, 4, 4).to(memory_format=torch.channels_last)
    (start, batch, held), *rest = batches([block], 8)
    assert (start, held, rest) == (0, 5, [])
    assert batch.is_contiguous()
    assert torch.equal(batch[:5], block)


def test_a_batch_is_handed_on_before_the_next_block_is_made() -> None:
    made = []

    def blocks() -> Iterator[Tensor]:
        for number in range(3):
            made.append(number)
            yield torch.zeros(4, 1)

    passing = batches(blocks(), 4)
    for number in range(3):
        next(passing)
        assert made == list(range(number + 1))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands at its only number."""
    now = [1000.0]
    monkeypatch.setattr("harness.evaluation.sampling.batches.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_progress_is_said_after_ten_seconds_and_then_once_a_minute(clock: list[float]) -> None:
    said: list[str] = []
    progress = Progress(said.append, "features of 5,000 images")
    for second in range(0, 141, 5):
        clock[0] = 1000.0 + second
        progress.at(second * 20)
    assert said == [f"features of 5,000 images: {done} done, 20.0 a second" for done in ("200", "1,400", "2,600")]


def test_work_that_is_done_soon_says_nothing(clock: list[float]) -> None:
    said: list[str] = []
    progress = Progress(said.append, "work")
    clock[0] += 9.9
    progress.at(10**6)
    assert said == []
