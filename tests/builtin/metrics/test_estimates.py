from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from harness.builtin.metrics.estimates import mean_of, share_of, standard_error
from harness.evaluation import Value


def redrawn(estimate: Callable[[Tensor], Value], law: Callable[[torch.Generator], Tensor]) -> tuple[float, float]:
    """How far the estimate of fresh draws spreads, and its mean standard error."""
    found = [estimate(law(torch.Generator().manual_seed(seed))) for seed in range(1000)]
    values, errors = (torch.tensor([getattr(each, name) for each in found]) for name in ("value", "std_error"))
    return float(values.std()), float(errors.mean())


@pytest.mark.parametrize("chance", [0.1, 0.5])
@pytest.mark.parametrize("percent", [False, True])
def test_the_error_of_a_share_is_its_spread_over_draws(chance: float, percent: bool) -> None:
    spread, error = redrawn(
        lambda members: share_of(members, percent=percent), lambda draw: torch.rand(200, generator=draw) < chance
    )
    assert error == pytest.approx(spread, rel=0.07)
    known = (chance * (1 - chance) / 200) ** 0.5
    assert spread == pytest.approx(100 * known if percent else known, rel=0.07)


def test_the_error_of_a_mean_is_its_spread_over_draws() -> None:
    spread, error = redrawn(mean_of, lambda draw: torch.rand(50, generator=draw).log().neg())
    assert error == pytest.approx(spread, rel=0.07)
    assert spread == pytest.approx(1 / 50**0.5, rel=0.07)


def test_values_are_shares_and_means() -> None:
    members = torch.tensor([True, True, True, False])
    assert share_of(members).value == 0.75
    assert share_of(members, percent=True).value == 75.0
    assert mean_of(torch.tensor([1.0, 2.0, 6.0])).value == 3.0
    assert share_of(members).std_error_of == mean_of(torch.zeros(2)).std_error_of == "sampling"
    assert mean_of(torch.zeros(2), "splits").std_error_of == "splits"


def test_one_draw_has_a_mean_without_an_error() -> None:
    assert mean_of(torch.tensor([3.0])) == Value(3.0)
    assert standard_error(torch.tensor([3.0])) is None


def test_digits_are_kept_in_float64() -> None:
    draws = torch.tensor([2.0**24, 1.0, 1.0, 1.0])
    assert mean_of(draws).value == (2.0**24 + 3.0) / 4.0
