"""The law of what samples are told: numbers, several labels, weights of all conditions."""

from __future__ import annotations

import pytest
import torch

from harness.errors import EvaluationError
from harness.randomness import Seeds
from harness.samplers.condition_law import ConditionLaw, by_inverse


@pytest.mark.parametrize(("uniform", "expected"), [(0.0, 1), (0.2499, 1), (0.25, 3), (0.9999999, 3), (1 - 2**-24, 3)])
def test_the_inverse_of_the_distribution_function(uniform: float, expected: int) -> None:
    weights = torch.tensor([0.0, 0.5, 0.0, 1.5, 0.0])
    assert by_inverse(weights, torch.tensor([uniform])).tolist() == [expected]


def test_each_label_follows_its_own_row_of_the_prior_and_hangs_on_the_sample_s_number() -> None:
    prior = torch.tensor([[0.2, 0.8, 0.0], [0.0, 0.5, 0.5]])
    drawn = ConditionLaw(3, 2, prior).draw(Seeds(0, range(4000)))
    assert drawn is not None
    assert drawn.shape == (4000, 2)
    frequencies = torch.stack([drawn[:, label].bincount(minlength=3) / 4000 for label in (0, 1)])
    torch.testing.assert_close(frequencies, prior, atol=0.032, rtol=0)  # four standard deviations
    assert torch.equal(frequencies == 0, prior == 0)
    together = (drawn[:, 0] * 2 + (drawn[:, 1] == 2)).bincount(minlength=4) / 4000
    torch.testing.assert_close(together, torch.tensor([0.1, 0.1, 0.4, 0.4]), atol=0.032, rtol=0)  # independent
    part = ConditionLaw(3, 2, prior).draw(Seeds(0, [17, 2500]))
    assert part is not None
    assert torch.equal(part, drawn[[17, 2500]])


def test_several_labels_are_uniform_without_a_prior() -> None:
    drawn = ConditionLaw(4, 3).draw(Seeds(1, range(2000)))
    assert drawn is not None
    for label in range(3):
        assert (drawn[:, label].bincount(minlength=4) - 500).abs().max() < 4 * (2000 * 0.25 * 0.75) ** 0.5


def test_nothing_is_drawn_where_nothing_is_told() -> None:
    assert ConditionLaw(0).draw(Seeds(0, range(3))) is None


@pytest.mark.parametrize("asked", [torch.tensor([[0, 1], [2, 2]]), torch.rand(2, 6)], ids=["labels", "weights"])
def test_several_labels_may_be_asked_for_as_numbers_or_weights(asked: torch.Tensor) -> None:
    assert ConditionLaw(3, 2).checked(asked, 2) is asked


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (torch.tensor([0, 1]), r"shape \(2, 2\), not \(2,\)"),
        (torch.tensor([[0, 1], [2, 3]]), "condition 3 is outside 0..2"),
        (torch.rand(2, 3), r"shape \(2, 6\), not \(2, 3\)"),
    ],
)
def test_what_a_sample_cannot_be_told_is_refused(asked: torch.Tensor, complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        ConditionLaw(3, 2).checked(asked, 2)


@pytest.mark.parametrize(("n_labels", "prior"), [(1, torch.ones(3)), (2, torch.ones(4)), (2, torch.ones(3, 4))])
def test_a_prior_of_another_shape_is_refused(n_labels: int, prior: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="prior of"):
        ConditionLaw(4, n_labels, prior)
