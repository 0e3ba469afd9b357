"""Sampling from a generator with styles: both its latent spaces, under the same noise and conditions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from styled_backbone import StyledSettings, build

from harness import Average, GeneratorSampler, Seeds, StyledSampler, sampler_of
from harness.contracts.capabilities import CAPABILITIES
from harness.samplers.generator_sampler import keyed_noise

SHAPE = (1, 8, 8)


@pytest.fixture(params=[0, 3], ids=["unconditional", "conditional"])
def sampler(request: pytest.FixtureRequest) -> StyledSampler:
    torch.manual_seed(0)
    generator: Any = build(StyledSettings(), SHAPE).generator(conditions=request.param)
    made = sampler_of(generator, Average(generator, 0.0), request.param, told_labels=True)
    assert isinstance(made, StyledSampler)
    return made


def test_it_can_all_that_a_styled_generator_can(sampler: StyledSampler) -> None:
    for capability in ("sample", "latents", "styles", "layers"):
        assert isinstance(sampler, CAPABILITIES[capability])
    assert sampler.subject == {"weights": "raw"}


def test_a_sample_equals_a_direct_call_with_its_latent_condition_and_noise(sampler: StyledSampler) -> None:
    seeds = Seeds(5, range(6))
    samples = sampler.sample(seeds)
    with torch.no_grad():
        direct = sampler.generator(samples.latents, samples.conditions, keyed_noise(seeds, torch.device("cpu")))
    assert torch.equal(samples.images, direct.clamp(-1, 1))


def test_images_of_styles_are_those_of_the_latents_that_they_came_from(sampler: StyledSampler) -> None:
    latents = sampler.latents(Seeds(0, range(7)))
    styles = sampler.styles(latents, 11)
    torch.testing.assert_close(sampler.generate_from_styles(styles, 11), sampler.generate(latents, 11))
    assert not torch.equal(sampler.generate_from_styles(styles, 12), sampler.generate(latents, 11))
    assert torch.equal(sampler.layers(latents, 11)["styles"], styles)
    if sampler.n_conditions:  # conditions are those of the noise seed
        assert not torch.equal(sampler.styles(latents, 12), styles)


def test_a_plain_generator_has_a_plain_sampler() -> None:
    from harness.builtin.models.mlp.backbone import build as plain
    from harness.builtin.models.mlp.mlp_settings import MlpSettings

    generator = plain(MlpSettings(), (2,)).generator()
    made = sampler_of(generator, Average(generator, 0.5))
    assert type(made) is GeneratorSampler
    assert not isinstance(made, CAPABILITIES["styles"])
