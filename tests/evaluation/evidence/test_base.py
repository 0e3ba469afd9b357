from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Evidence, Features, GeneratedSet, RealSet

Toy = Callable[..., Any]


@pytest.fixture
def bench(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(toy((1, 8, 8)), digits, catalog, seed=3, device="cpu")


def test_equal_requests_are_the_same_evidence(bench: Bench) -> None:
    first = bench.get(GeneratedSet(20, block=10))
    assert bench.get(GeneratedSet(20, block=10)).images is not None
    assert torch.equal(bench.get(GeneratedSet(20, block=10)).images, first.images)
    assert bench.trained.sizes == [10, 10]


def test_the_largest_count_expected_is_made_and_the_smaller_cut_from_it(bench: Bench) -> None:
    bench.expect([GeneratedSet(8, block=10), GeneratedSet(30, block=10)])
    small = bench.get(GeneratedSet(8, block=10))
    large = bench.get(GeneratedSet(30, block=10))
    assert torch.equal(small.images, large.images[:8])
    assert torch.equal(small.latents, large.latents[:8])
    assert len(bench.trained.sizes) == 3


def test_a_count_beyond_all_expected_is_made_anew(bench: Bench) -> None:
    assert len(bench.get(GeneratedSet(8, block=10)).images) == 8
    assert len(bench.get(GeneratedSet(11, block=10)).images) == 11


def test_requests_that_differ_in_more_than_the_count_are_different_evidence(bench: Bench) -> None:
    evaluated = bench.get(GeneratedSet(10, block=10))
    trained = bench.get(GeneratedSet(10, block=10, batch_norm="train"))
    assert not torch.equal(evaluated.images, trained.images)


def test_real_sets_are_prefixes_of_one_fixed_order_of_the_split(bench: Bench) -> None:
    split = bench.dataset.finite("train")
    whole = bench.get(RealSet("train", len(split)))
    part = Bench(None, bench.dataset, bench.catalog, 99, "cpu").get(RealSet("train", 100))
    assert np.array_equal(part.values, whole.values[:100])
    assert part.labels is not None
    assert len(set(part.labels.tolist())) == 10  # of every class, however the split is sorted
    rows = {row.tobytes() for row in split.values}
    assert {row.tobytes() for row in whole.values} == rows


@pytest.mark.parametrize("count", [0, 1438])
def test_a_real_set_of_an_impossible_size_is_refused(bench: Bench, count: int) -> None:
    with pytest.raises(EvaluationError, match=f"has 1437 items, not {count}"):
        RealSet("train", count).make(bench)


def test_a_generated_set_of_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(EvaluationError, match="at least 1 sample, not 0"):
        GeneratedSet(0).make(bench)


def test_a_plugin_may_bring_a_kind_of_its_own_made_from_other_evidence(bench: Bench) -> None:
    made = []

    @dataclass(frozen=True)
    class Brightness(Evidence[float]):
        of: Features

        def make(self, bench: Bench) -> float:
            made.append(self)
            return float(bench.get(self.of).mean())

    request = Brightness(Features(RealSet("test", 50), "pixels"))
    assert 0.2 < bench.get(request) < 0.5
    assert bench.get(Brightness(Features(RealSet("test", 50), "pixels"))) == bench.get(request)
    assert made == [request]


def test_blocks_are_a_generator_that_can_be_closed(bench: Bench) -> None:
    assert isinstance(GeneratedSet(4, block=2).blocks(bench), Generator)
