"""Sampling from one generator: numbered draws, conditions, and the latent space."""

from __future__ import annotations

import pytest
import torch

from harness import GeneratorSampler, Seeds
from harness.contracts.capabilities import CAPABILITIES, Trained, conditions_of, told_labels
from harness.contracts.networks import Generator, Noise
from harness.errors import EvaluationError
from harness.samplers.generator_sampler import clamped, keyed_noise


class Shift(Generator):
    """Adds ten times the condition to a multiple of the latent, so that both can be read off the result."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_dim = 3
        self.places = ()
        self.scale = torch.nn.Parameter(torch.tensor(0.01))

    def forward(
        self, latent: torch.Tensor, condition: torch.Tensor | None = None, noise: Noise | None = None
    ) -> torch.Tensor:
        shift = 0.0 if condition is None else 10.0 * condition[:, None]
        return self.scale * latent + shift


class Sum(Shift):
    """Adds ten times the sum of several labels."""

    def forward(
        self, latent: torch.Tensor, condition: torch.Tensor | None = None, noise: Noise | None = None
    ) -> torch.Tensor:
        assert condition is not None
        return self.scale * latent + 10.0 * condition.sum(1, keepdim=True)


class Noisy(Generator):
    """Images of two channels of 2 x 2 pixels, which are the noise of two places."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.latent_dim, self.places = 3, ()
        self.scale = torch.nn.Parameter(torch.tensor(scale))

    def forward(
        self, latent: torch.Tensor, condition: torch.Tensor | None = None, noise: Noise | None = None
    ) -> torch.Tensor:
        assert noise is not None
        return self.scale * torch.stack([noise(place, (len(latent), 2, 2)) for place in ("one", "two")], 1)


def test_can_sample_and_has_a_latent_space() -> None:
    sampler = GeneratorSampler(Shift(), 4)
    assert isinstance(sampler, Trained)
    assert isinstance(sampler, CAPABILITIES["sample"])
    assert isinstance(sampler, CAPABILITIES["latents"])
    assert sampler.subject == {"weights": "ema"}
    assert list(sampler.networks) == ["generator"]


def test_sample_i_depends_on_its_number_alone() -> None:
    sampler = GeneratorSampler(Shift(), 4)
    whole, part = sampler.sample(Seeds(0, range(50))), sampler.sample(Seeds(0, [7, 31]))
    assert torch.equal(part.images, whole.images[[7, 31]])
    assert torch.equal(part.latents, whole.latents[[7, 31]])
    assert part.conditions is not None
    assert whole.conditions is not None
    assert torch.equal(part.conditions, whole.conditions[[7, 31]])
    assert not torch.equal(sampler.sample(Seeds(1, [7, 31])).latents, part.latents)


def test_the_generator_is_told_what_is_reported() -> None:
    samples = GeneratorSampler(Shift(), 4).sample(Seeds(0, range(100)))
    assert samples.conditions is not None
    assert set(samples.conditions.tolist()) == {0, 1, 2, 3}
    torch.testing.assert_close(samples.images, 0.01 * samples.latents + 10.0 * samples.conditions[:, None])
    assert not samples.images.requires_grad


def test_given_conditions_are_used_and_leave_latents_as_they_are() -> None:
    sampler, seeds = GeneratorSampler(Shift(), 4), Seeds(0, range(5))
    told = torch.tensor([3, 3, 0, 1, 2])
    given = sampler.sample(seeds, told)
    assert given.conditions is not None
    assert torch.equal(given.conditions, told)
    assert torch.equal(given.latents, sampler.sample(seeds).latents)


def test_without_conditions_nothing_is_told() -> None:
    samples = GeneratorSampler(Shift()).sample(Seeds(0, range(5)))
    assert samples.conditions is None
    torch.testing.assert_close(samples.images, 0.01 * samples.latents)


@pytest.mark.parametrize(
    ("n_conditions", "conditions", "complaint"),
    [
        (0, [1, 1], "is told none"),
        (4, [1], "2 conditions are needed"),
        (4, [1, 4], "condition 4 is outside 0..3"),
        (4, [-1, 0], "condition -1 is outside 0..3"),
    ],
)
def test_conditions_that_cannot_be_are_refused(n_conditions: int, conditions: list[int], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        GeneratorSampler(Shift(), n_conditions).sample(Seeds(0, range(2)), torch.tensor(conditions))


def test_chosen_latents_give_the_same_images_for_the_same_noise_seed() -> None:
    sampler = GeneratorSampler(Shift(), 4)
    latents = sampler.latents(Seeds(0, range(40)))
    first = sampler.generate(latents, 5)
    assert torch.equal(first, sampler.generate(latents, 5))
    assert not torch.equal(first, sampler.generate(latents, 6))
    # a small step in latent space keeps the condition, which a path length relies on
    torch.testing.assert_close(sampler.generate(latents + 1.0, 5) - first, torch.full_like(first, 0.01))


def test_conditions_are_labels_only_where_the_method_says_so() -> None:
    told, other = (GeneratorSampler(Shift(), 4, told_labels=said) for said in (True, False))
    told_nothing = GeneratorSampler(Shift(), told_labels=True)
    assert [told_labels(each) for each in (told, other, told_nothing, object())] == [True, False, False, False]


def test_conditions_follow_the_prior_as_it_is_when_they_are_drawn() -> None:
    prior = torch.tensor([0.0, 3.0, 0.0, 1.0])
    sampler, seeds = GeneratorSampler(Shift(), 4, prior=prior), Seeds(0, range(4000))
    drawn = sampler.sample(seeds).conditions
    assert drawn is not None
    counts = drawn.bincount(minlength=4)
    assert counts[[0, 2]].tolist() == [0, 0]
    assert abs(counts[1].item() - 3000) < 4 * (4000 * 0.75 * 0.25) ** 0.5  # four standard deviations
    part = sampler.sample(Seeds(0, [17, 2500])).conditions
    assert part is not None
    assert torch.equal(part, drawn[[17, 2500]])
    assert not torch.equal(sampler.generate(sampler.latents(seeds), 5), sampler.generate(sampler.latents(seeds), 6))
    prior.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0]))
    assert sampler.sample(seeds).conditions.unique().tolist() == [2]


def test_a_prior_leaves_latents_and_given_conditions_as_they_are() -> None:
    plain, weighted = GeneratorSampler(Shift(), 2), GeneratorSampler(Shift(), 2, prior=torch.tensor([1.0, 0.0]))
    seeds, told = Seeds(0, range(5)), torch.tensor([1, 1, 0, 1, 0])
    assert torch.equal(plain.sample(seeds, told).images, weighted.sample(seeds, told).images)


def test_several_labels_reach_the_generator_and_the_samples() -> None:
    sampler = GeneratorSampler(
        Sum(), 4, n_labels=2, prior=torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 1.0]]), told_labels=True
    )
    samples = sampler.sample(Seeds(0, range(5)))
    assert samples.conditions is not None
    assert samples.conditions.tolist() == [[1, 3]] * 5
    torch.testing.assert_close(samples.images, 0.01 * samples.latents + 10.0 * (1 + 3))
    assert conditions_of(sampler) == 0  # one number does not say what to tell
    assert not sampler.told_labels


def test_noise_hangs_on_the_sample_and_the_place_whatever_the_block() -> None:
    sampler = GeneratorSampler(Noisy())
    whole = sampler.sample(Seeds(0, range(10))).images
    parts = torch.cat([sampler.sample(Seeds(0, range(start, start + 5))).images for start in (0, 5)])
    assert torch.equal(whole, parts)
    first, second = whole[:, 0], whole[:, 1]
    assert not torch.equal(first, second)  # two places
    assert not torch.equal(sampler.sample(Seeds(1, range(10))).images, whole)
    # what the generator adds is exactly what these draws are
    expected = torch.stack([Seeds(0, range(10)).normal(f"noise {place}", 2, 2) for place in ("one", "two")], 1)
    assert torch.equal(whole, expected.clamp(-1, 1))
    with pytest.raises(ValueError, match="for 10 samples"):
        keyed_noise(Seeds(0, range(10)), torch.device("cpu"))("one", (5, 2))


def test_images_are_clamped_where_they_are_sampled_and_not_where_they_are_generated() -> None:
    sampler = GeneratorSampler(Noisy(scale=5.0))
    seeds = Seeds(3, range(8))
    latents = sampler.latents(seeds)
    generated = sampler.generate(latents, 3)
    assert generated.abs().max() > 1
    assert torch.equal(generated, sampler.generate(latents, 3))
    assert torch.equal(sampler.sample(seeds).images, generated.clamp(-1, 1))
    points = torch.tensor([[5.0, -7.0]])
    assert torch.equal(clamped(points), points)


def test_a_prior_of_another_number_of_conditions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"prior of \(4,\) conditions"):
        GeneratorSampler(Shift(), 4, prior=torch.ones(3))
