from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from watched import watch

from harness.catalog import Catalog
from harness.contracts.capabilities import Samples
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Conditions, Features, GeneratedSet
from harness.randomness import Seeds

Toy = Callable[..., Any]

SAMPLES = GeneratedSet(300, block=100)


class Told:
    """A sampler that is told one of seven conditions.

    :ivar sizes: seeds of each call.
    """

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler
        self.networks = sampler.networks
        self.n_conditions = 7
        self.sizes = sampler.sizes

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        return self.sampler.sample(seeds)._replace(conditions=seeds.integers("condition", 7))


@pytest.fixture
def bench(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> Bench:
    made = Bench(Told(toy((1, 8, 8))), digits, catalog, seed=3, device="cpu")
    watch(made, "pixels")
    return made


def expected(count: int) -> Tensor:
    return Seeds(3, range(count)).integers("condition", 7)


@pytest.mark.parametrize("first", ["features", "conditions"])
def test_one_sampling_pass_serves_features_and_conditions(bench: Bench, first: str) -> None:
    features, told = Features(SAMPLES, "pixels"), Conditions(SAMPLES)
    bench.expect([features, told])
    for request in (features, told) if first == "features" else (told, features):
        bench.get(request)  # type: ignore[type-var]
    assert bench.trained.sizes == [100, 100, 100]
    assert torch.equal(bench.get(told), expected(300))


@pytest.mark.parametrize("first", ["features", "conditions"])
def test_fewer_conditions_come_along_with_more_features(bench: Bench, first: str) -> None:
    features, told = Features(SAMPLES, "pixels"), Conditions(SAMPLES.resized(130))
    bench.expect([features, told])
    for request in (features, told) if first == "features" else (told, features):
        bench.get(request)  # type: ignore[type-var]
    assert torch.equal(bench.get(told), expected(130))
    assert bench.trained.sizes == [100, 100, 100]


def test_more_conditions_than_features_are_all_there(bench: Bench) -> None:
    features, told = Features(SAMPLES.resized(130), "pixels"), Conditions(SAMPLES)
    bench.expect([told, features])
    assert torch.equal(bench.get(told), expected(300))
    assert len(bench.get(features)) == 130
    assert torch.equal(bench.get(told), expected(300))
    assert bench.trained.sizes == [100] * 5


def test_conditions_alone_are_sampled_for(bench: Bench) -> None:
    assert torch.equal(bench.get(Conditions(SAMPLES)), expected(300))
    assert torch.equal(bench.get(Conditions(SAMPLES.resized(20))), expected(20))
    assert bench.trained.sizes == [100, 100, 100]


def test_conditions_of_samples_that_are_stored_are_taken_from_them(bench: Bench) -> None:
    bench.expect([SAMPLES, Conditions(SAMPLES)])
    made = bench.get(SAMPLES)
    assert torch.equal(bench.get(Conditions(SAMPLES)), made.conditions)  # type: ignore[arg-type]
    assert torch.equal(bench.get(Conditions(SAMPLES)), expected(300))
    assert bench.trained.sizes == [100, 100, 100]


@pytest.mark.parametrize("along", [False, True])
def test_a_method_that_is_told_nothing_has_no_conditions(bench: Bench, toy: Toy, along: bool) -> None:
    other = Bench(toy((1, 8, 8)), bench.dataset, bench.catalog, 3, "cpu")
    watch(other, "pixels")
    other.expect([Conditions(SAMPLES)] + ([Features(SAMPLES, "pixels")] if along else []))  # type: ignore[list-item]
    with pytest.raises(EvaluationError, match="the method is told no conditions"):
        other.get(Conditions(SAMPLES))
