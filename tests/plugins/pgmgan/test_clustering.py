"""Eq. (5) against a slow loop and in its limits; labels and the prior."""

from __future__ import annotations

import math

import pytest
import torch
from harness_pgmgan.clustering import entropy, labels_of, partition_loss, prior_of
from torch import Tensor

N, K, ALPHA, BETA = 9, 4, 0.3, 2.0


def draw(seed: int = 0) -> tuple[Tensor, Tensor]:
    a, b = torch.randn(2, N, K, generator=torch.Generator().manual_seed(seed)) * 2
    return a, b


def sure(labels: Tensor, k: int = K, height: float = 200.0) -> Tensor:
    return torch.nn.functional.one_hot(labels, k) * height


def slow_entropy(law: list[float]) -> float:
    return -sum(p * math.log(p) for p in law)


def test_equals_a_loop_over_the_samples() -> None:
    anchors, neighbours = draw()
    p, q = anchors.double().softmax(1).tolist(), neighbours.double().softmax(1).tolist()
    agreement = -sum(math.log(sum(x * y for x, y in zip(u, v, strict=True))) for u, v in zip(p, q, strict=True)) / N
    confidence = ALPHA * sum(slow_entropy(u) for u in p) / N
    balance = -BETA * slow_entropy([sum(u[c] for u in p) / N for c in range(K)])
    terms = partition_loss(anchors, neighbours, ALPHA, BETA)
    assert list(terms) == ["agreement", "confidence", "balance"]
    found = [float(value) for value in terms.values()]
    assert found == pytest.approx([agreement, confidence, balance], rel=1e-5)


def test_sure_balanced_and_agreed_is_as_good_as_it_gets() -> None:
    logits = sure(torch.arange(4 * K) % K)
    terms = partition_loss(logits, logits, ALPHA, BETA)
    assert float(terms["agreement"]) == pytest.approx(0.0, abs=1e-6)
    assert float(terms["confidence"]) == pytest.approx(0.0, abs=1e-6)
    assert float(terms["balance"]) == pytest.approx(-BETA * math.log(K), rel=1e-6)


def test_undecided_pays_for_agreement_and_confidence_but_not_for_balance() -> None:
    logits = torch.zeros(N, K)
    terms = partition_loss(logits, logits, ALPHA, BETA)
    assert float(terms["agreement"]) == pytest.approx(math.log(K), rel=1e-6)
    assert float(terms["confidence"]) == pytest.approx(ALPHA * math.log(K), rel=1e-6)
    assert float(terms["balance"]) == pytest.approx(-BETA * math.log(K), rel=1e-6)


def test_all_in_one_partition_earns_no_balance() -> None:
    logits = sure(torch.zeros(N, dtype=torch.int64))
    terms = partition_loss(logits, logits, ALPHA, BETA)
    assert [float(value) for value in terms.values()] == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)


def test_a_batch_smaller_than_the_number_of_partitions_bounds_the_balance() -> None:
    logits = sure(torch.arange(5), k=50)
    assert float(partition_loss(logits, logits)["balance"]) == pytest.approx(-5.0 * math.log(5), rel=1e-6)


def test_sure_disagreement_is_finite_and_has_a_gradient() -> None:
    anchors = sure(torch.zeros(N, dtype=torch.int64)).requires_grad_()
    terms = partition_loss(anchors, sure(torch.ones(N, dtype=torch.int64)))
    agreement = float(terms["agreement"].detach())
    assert agreement == pytest.approx(200.0 - math.log(2), rel=1e-5)  # a product of float32 softmaxes would be 0
    (slope,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), anchors)
    assert torch.isfinite(slope).all()
    assert (slope.norm(dim=1) > 1e-3).all()


def test_half_precision_logits_are_lifted_to_float32() -> None:
    anchors, neighbours = draw()
    lifted = partition_loss(anchors.bfloat16(), neighbours.bfloat16())
    expected = partition_loss(anchors.bfloat16().float(), neighbours.bfloat16().float())
    assert all(value.dtype == torch.float32 and torch.equal(value, expected[name]) for name, value in lifted.items())


def test_the_weights_stand_on_the_terms_that_they_name() -> None:
    anchors, neighbours = draw()
    one, other = partition_loss(anchors, neighbours, 1.0, 1.0), partition_loss(anchors, neighbours, 3.0, 7.0)
    ratios = [float(other[name] / one[name]) for name in one]
    assert ratios == pytest.approx([1.0, 3.0, 7.0], rel=1e-6)


def test_entropy_of_known_laws() -> None:
    laws = torch.tensor([[0.25] * 4, [0.5, 0.5, 1e-30, 1e-30]])
    torch.testing.assert_close(entropy(laws.log()), torch.tensor([math.log(4), math.log(2)]))


def test_labels_are_the_largest_logits_and_the_prior_is_their_histogram() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, -1.0, 0.0], [0.0, 1.0, 0.5]])
    labels = labels_of(logits)
    assert labels.tolist() == [1, 0, 1]
    prior = prior_of(labels, 5)
    assert prior.dtype == torch.float64
    torch.testing.assert_close(prior, torch.tensor([1 / 3, 2 / 3, 0.0, 0.0, 0.0], dtype=torch.float64))
