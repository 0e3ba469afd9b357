"""Losses with one logit a class, against their sums written out and against torch's cross-entropies."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from harness.builtin.losses.by_class import (
    omni_discriminator,
    omni_generator,
    omni_outputs,
    omni_score,
    selected_discriminator,
    selected_generator,
    selected_outputs,
    selected_score,
)

CLASSES = 3
LABELS, TOLD = torch.tensor([0, 2, 1, 1]), torch.tensor([2, 2, 0, 1])


def logits(outputs: int, seed: int) -> torch.Tensor:
    return torch.randn(4, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 3


def omni_by_hand(rows: torch.Tensor, positives: list[set[int]]) -> float:
    """The unified loss of every image, sum by sum."""
    total = 0.0
    for row, has in zip(rows.tolist(), positives, strict=True):
        total += math.log(1 + sum(math.exp(s) for i, s in enumerate(row) if i not in has))
        total += math.log(1 + sum(math.exp(-s) for i, s in enumerate(row) if i in has))
    return total / len(rows)


def test_omni_wants_the_class_and_real_of_real_images_and_fake_alone_of_fakes() -> None:
    real, fake = logits(omni_outputs(CLASSES), 1), logits(omni_outputs(CLASSES), 2)
    expected = omni_by_hand(real, [{int(y), 3} for y in LABELS]) + omni_by_hand(fake, [{4}] * 4)
    assert float(omni_discriminator(real, fake, LABELS, TOLD)) == pytest.approx(expected, rel=1e-12)
    expected = omni_by_hand(fake, [{int(c), 3} for c in TOLD])
    assert float(omni_generator(fake, TOLD)) == pytest.approx(expected, rel=1e-12)


def test_omni_without_classes_is_two_logits_each_with_a_logistic_loss() -> None:
    real, fake = logits(omni_outputs(0), 1), logits(omni_outputs(0), 2)
    assert real.shape == (4, 2)
    expected = F.binary_cross_entropy_with_logits(real, torch.tensor([1.0, 0.0]).double().expand(4, 2))
    expected = 2 * (expected + F.binary_cross_entropy_with_logits(fake, torch.tensor([0.0, 1.0]).double().expand(4, 2)))
    torch.testing.assert_close(omni_discriminator(real, fake, None, None), expected)
    torch.testing.assert_close(omni_score(real, None), real[:, 0])


def test_omni_does_not_overflow() -> None:
    rows = torch.tensor([[1e4, -1e4, 1e4, -1e4, 1e4]])
    loss = omni_generator(rows.requires_grad_(), torch.tensor([1]))
    assert float(loss.detach()) == pytest.approx(2e4 + math.log(3 * 2))
    assert torch.autograd.grad(loss, rows)[0].isfinite().all()


@pytest.mark.parametrize("conditions", [LABELS, TOLD])
def test_the_selected_logit_is_of_the_images_own_class(conditions: torch.Tensor) -> None:
    rows = logits(selected_outputs(CLASSES), 3)
    expected = torch.stack([row[c] for row, c in zip(rows, conditions, strict=True)])
    assert torch.equal(selected_score(rows, conditions), expected)


def test_the_selected_logit_has_a_logistic_loss() -> None:
    real, fake = logits(CLASSES, 1), logits(CLASSES, 2)
    of_real, of_fake = selected_score(real, LABELS), selected_score(fake, TOLD)
    bce, ones, zeros = F.binary_cross_entropy_with_logits, torch.ones(4).double(), torch.zeros(4).double()
    expected = bce(of_real, ones) + bce(of_fake, zeros)
    torch.testing.assert_close(selected_discriminator(real, fake, LABELS, TOLD), expected)
    torch.testing.assert_close(selected_generator(fake, TOLD), bce(of_fake, ones))


def test_no_logit_can_be_selected_without_a_class() -> None:
    with pytest.raises(ValueError, match="without the class"):
        selected_score(logits(CLASSES, 1), None)


SEVERAL = torch.tensor([[0, 1], [1, 0], [0, 0], [1, 1]])  # two labels of two classes each: four logits


def test_several_labels_are_had_at_once() -> None:
    rows = logits(6, 3)
    has = torch.stack([F.one_hot(SEVERAL[:, 0], 2), F.one_hot(SEVERAL[:, 1], 2)], 1).flatten(1).double()
    torch.testing.assert_close(selected_score(rows[:, :4], SEVERAL), (rows[:, :4] * has).sum(1))
    torch.testing.assert_close(selected_score(rows[:, :4], has), (rows[:, :4] * has).sum(1))
    torch.testing.assert_close(omni_generator(rows, SEVERAL), omni_generator(rows, has))
    positive = torch.cat([has, torch.tensor([[1.0, 0.0]]).expand(4, 2)], 1).bool()
    by_hand = [
        math.log1p(float(row[~p].exp().sum())) + math.log1p(float((-row[p]).exp().sum()))
        for row, p in zip(rows.detach(), positive, strict=True)
    ]
    assert float(omni_generator(rows, SEVERAL)) == pytest.approx(sum(by_hand) / 4)
