"""The share of first draws that lie in the partition they were told: how they are counted, drawn and named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from harness_pgmgan.acceptance import Acceptance, Drawing, FirstDraws, acceptance
from torch import Tensor, nn

from harness import GeneratorSampler, Seeds
from harness.catalog import Catalog
from harness.evaluation import Bench


class Every:
    """Sample i is told partition i mod 3, and the first draws of every fourth are accepted."""

    def __init__(self) -> None:
        self.networks = {"norm": nn.BatchNorm1d(2).train()}
        self.asked: list[tuple[int, list[int], bool]] = []

    def first_draws(self, seeds: Seeds) -> tuple[Tensor, Tensor]:
        numbers = torch.from_numpy(seeds.indices)
        self.asked.append((seeds.run_seed, numbers.tolist(), self.networks["norm"].training))
        return numbers % 3, numbers % 4 == 0


def bench(catalog: Catalog, trained: Any) -> Bench:
    return Bench(trained, None, catalog, 7, "cpu")  # type: ignore[arg-type]


def test_the_share_and_its_error_have_closed_forms() -> None:
    value = acceptance(draws=(torch.tensor([0, 0, 2, 2]), torch.tensor([True, False, True, True])))["acceptance_pct"]
    assert value.value == 75.0
    assert value.std_error == pytest.approx(100 * (0.75 * 0.25 / 4) ** 0.5)
    assert value.details == {"lowest_of_a_partition": 50.0, "partitions": 2.0}


@pytest.mark.parametrize(("met", "share"), [(True, 100.0), (False, 0.0)])
def test_where_all_draws_agree_there_is_no_error(met: bool, share: float) -> None:
    value = acceptance(draws=(torch.tensor([5, 1, 5]), torch.full((3,), met)))["acceptance_pct"]
    assert (value.value, value.std_error) == (share, 0.0)
    assert value.details == {"lowest_of_a_partition": share, "partitions": 2.0}


@pytest.mark.parametrize("count", [1, 8, 10])
def test_draws_are_made_in_whole_blocks_in_eval_mode_and_cut_to_the_count(catalog: Catalog, count: int) -> None:
    trained = Every()
    told, met = bench(catalog, trained).get(FirstDraws(count, 4))
    assert told.tolist() == [number % 3 for number in range(count)]
    assert met.tolist() == [number % 4 == 0 for number in range(count)]
    blocks = [list(range(start, start + 4)) for start in range(0, count, 4)]
    assert trained.asked == [(7, numbers, False) for numbers in blocks]
    assert trained.networks["norm"].training  # as it was before


def test_the_protocol_names_all_that_fixes_the_number() -> None:
    settings = SimpleNamespace(samples=300, block=50)
    (measurement,) = Acceptance().measurements(SimpleNamespace(settings=settings))  # type: ignore[arg-type]
    assert measurement.counts() == {"draws": 300}
    protocol = measurement.protocols["acceptance_pct"]
    assert protocol.id == "acceptance_pct[block50,bn-eval]"
    assert protocol.record() == {
        "metric": "acceptance_pct",
        "generated_count": 300,
        "block": 50,
        "batch_norm": "eval",
    }


def test_a_generator_without_a_partitioner_has_no_first_draws() -> None:
    assert isinstance(Every(), Drawing)
    assert not isinstance(GeneratorSampler(nn.Identity(), 3), Drawing)  # type: ignore[arg-type]
