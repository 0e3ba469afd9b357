"""Samples lie in the partition that they were told, as often as the generator can; what is measured says how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from harness import Seeds
from harness.contracts.capabilities import all_variants
from harness.evaluation.sampling.blocks import generated_blocks
from harness.training.loop import Training

Train = Callable[..., Training]


@pytest.fixture(scope="module")
def ring(train: Train) -> Training:
    """Its generator is little trained, so that a part of the first draws is rejected."""
    return train("ring2d", rejection="both", redraws=3, steps=200)


def drawn(trained: Any, n: int = 200) -> Any:
    (block,) = generated_blocks(trained, seed=0, count=n, block=n)
    return block


def test_with_and_without_redraws_are_two_subjects_of_one_generator(ring: Training) -> None:
    trained = ring.method.trained()
    subjects = [one.subject for one in all_variants(trained)]  # type: ignore[attr-defined]
    assert subjects == [{"weights": "raw", "rejection": "on"}, {"weights": "raw", "rejection": "off"}]
    assert [hasattr(one, "assign") for one in all_variants(trained)] == [True, False]


@pytest.mark.parametrize(("rejection", "subjects"), [("on", ["on"]), ("off", ["off"])])
def test_one_of_them_where_one_is_asked_for(prepare: Train, rejection: str, subjects: list[str]) -> None:
    trained: Any = prepare("ring2d", rejection=rejection, redraws=4).method.trained()
    assert trained.rounds == (4 if rejection == "on" else 0)
    assert [one.subject["rejection"] for one in all_variants(trained)] == subjects


def test_redraws_change_rejected_samples_alone_and_never_a_partition(ring: Training) -> None:
    on, off = (drawn(one) for one in all_variants(ring.method.trained()))
    assert torch.equal(on.conditions, off.conditions)
    partition = ring.method.partition  # type: ignore[attr-defined]
    with torch.no_grad():
        first, last = (partition.partitioner.eval()(s.images).argmax(1) == s.conditions for s in (off, on))
    assert 0 < first.sum() < len(first)
    assert last.sum() > first.sum()
    same = (on.images == off.images).all(1)
    assert torch.equal(same, first | (on.latents == off.latents).all(1))
    assert bool(same[first].all())
    assert not bool(same[~first].any())


def test_partitions_are_drawn_from_pi(ring: Training) -> None:
    trained: Any = ring.method.trained()
    trained.prior.copy_(torch.tensor([0.5, 0.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0]))
    told = drawn(trained, 4000).conditions
    shares = torch.bincount(told, minlength=8) / 4000
    assert shares[[1, 4, 5, 6, 7]].sum() == 0
    torch.testing.assert_close(shares[[0, 2, 3]], torch.tensor([0.5, 0.25, 0.25]), atol=0.03, rtol=0)


@pytest.mark.parametrize("batch_norm", ["eval", "train", "standing"])
def test_the_partitioner_is_asked_in_eval_mode_and_left_as_it_was(train: Train, batch_norm: Any) -> None:
    method: Any = train("digits").method
    network = method.partitioner.train()
    modes = []
    hook = network.register_forward_hook(lambda module, *_: modes.append(module.encoder.norm.training))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    list(generated_blocks(method.trained(), seed=0, count=20, block=10, batch_norm=batch_norm))
    hook.remove()
    assert modes
    assert not any(modes)
    assert network.training
    assert network.encoder.norm.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_given_partitions_are_kept(ring: Training) -> None:
    told = torch.tensor([3, 3, 5, 0])
    assert torch.equal(ring.method.trained().sample(Seeds(0, range(4)), told).conditions, told)  # type: ignore[attr-defined]


def test_acceptance_is_counted_of_first_draws(ring: Training) -> None:
    trained: Any = ring.method.trained()
    trained.generator.eval()
    told, met = trained.first_draws(Seeds(0, range(200)))
    plain = drawn(all_variants(trained)[1])
    assert torch.equal(told, plain.conditions)
    assert torch.equal(met, trained.assign(plain.images) == told)
