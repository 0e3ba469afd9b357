"""What a method reports is evidence: float64 copies, or one line that names the number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Reported
from harness.evaluation.evidence.reported_numbers import reported_by


class Reporting:
    """Reports what it is given; draws and leaves traces on the way."""

    subject: Mapping[str, str] = {}

    def __init__(self, **numbers: Any) -> None:
        self.numbers = numbers
        self.norm = nn.BatchNorm1d(3)
        self.networks = {"net": self.norm}

    def reported(self) -> Mapping[str, Any]:
        assert not self.norm.training
        assert not torch.is_grad_enabled()
        torch.rand(3)
        self.norm.num_batches_tracked += 1
        return self.numbers


@pytest.fixture
def bench_of(digits: LoadedDataset, catalog: Catalog) -> Any:
    return lambda trained: Bench(trained, digits, catalog, 0, "cpu")


@pytest.mark.parametrize(
    ("given", "shape"),
    [(0.25, ()), (3, ()), (torch.ones(4), (4,)), (torch.ones(2, 5, dtype=torch.bfloat16), (2, 5)), (np.ones(3), (3,))],
)
def test_numbers_of_any_shape_become_float64(bench_of: Any, given: Any, shape: tuple[int, ...]) -> None:
    found = bench_of(Reporting(other=float("nan"), number=given)).get(Reported("number"))
    assert (found.dtype, tuple(found.shape), found.device.type) == (torch.float64, shape, "cpu")
    assert torch.equal(found, torch.as_tensor(given).double())


def test_training_on_does_not_change_what_was_reported(bench_of: Any) -> None:
    prior = nn.Parameter(torch.ones(4, dtype=torch.float64))
    found = bench_of(Reporting(prior=prior)).get(Reported("prior"))
    with torch.no_grad():
        prior.mul_(2)
    assert found.tolist() == [1.0] * 4
    assert not found.requires_grad


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (float("nan"), "reported 'prior' is NaN or infinite in 1 of 1 numbers"),
        (torch.tensor([1.0, float("inf"), float("nan")]), "reported 'prior' is NaN or infinite in 2 of 3 numbers"),
        ("high", "reported 'prior' is a str, not a number or a tensor"),
        (None, "reported 'prior' is a NoneType, not a number or a tensor"),
        (torch.ones(2, dtype=torch.complex64), "reported 'prior' is complex; report real numbers"),
    ],
)
def test_what_is_no_finite_number_is_refused_by_its_name(bench_of: Any, given: Any, said: str) -> None:
    with pytest.raises(EvaluationError) as no:
        bench_of(Reporting(prior=given)).get(Reported("prior"))
    assert str(no.value) == said


def test_a_name_that_went_is_refused(bench_of: Any) -> None:
    with pytest.raises(EvaluationError, match="reported 'prior' when it was planned, and does not any more"):
        bench_of(Reporting(gap=1.0)).get(Reported("prior"))


def test_a_method_that_is_asked_is_as_it_was(bench_of: Any) -> None:
    trained = Reporting(prior=1.0)
    state = torch.get_rng_state()
    assert dict(reported_by(bench_of(trained))) == {"prior": 1.0}
    assert torch.equal(torch.get_rng_state(), state)
    assert trained.norm.training
    assert int(trained.norm.num_batches_tracked) == 0


def test_what_calibration_fixes_is_reported_after_it(bench_of: Any) -> None:
    class WithThreshold(Reporting):
        def calibrate(self, blocks: Iterable[Tensor]) -> None:
            self.numbers["threshold"] = float(sum(len(block) for block in blocks))

    assert float(bench_of(WithThreshold(threshold=0.0)).get(Reported("threshold"))) == 1437.0
