from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Samples
from harness.errors import EvaluationError
from harness.evaluation.sampling.blocks import STANDING_BLOCKS, generated_blocks, sampling_mode
from harness.randomness import Seeds

Toy = Callable[..., Any]


def images(trained: Any, count: int, block: int, batch_norm: Any = "eval", seed: int = 1) -> Tensor:
    parts = generated_blocks(trained, seed=seed, count=count, block=block, batch_norm=batch_norm)
    return torch.cat([part.images for part in parts])


@pytest.mark.parametrize("batch_norm", ["eval", "train", "standing"])
def test_the_same_request_gives_the_same_bytes(toy: Toy, batch_norm: str) -> None:
    sampler = toy((1, 8, 8))
    assert torch.equal(images(sampler, 50, 16, batch_norm), images(sampler, 50, 16, batch_norm))


@pytest.mark.parametrize("batch_norm", ["eval", "train", "standing"])
def test_a_smaller_count_is_a_prefix(toy: Toy, batch_norm: str) -> None:
    sampler = toy((1, 8, 8))
    assert torch.equal(images(sampler, 21, 16, batch_norm), images(sampler, 50, 16, batch_norm)[:21])


def test_other_block_sizes_agree_in_eval_mode(toy: Toy) -> None:
    sampler = toy((1, 8, 8))
    whole = images(sampler, 40, 40)
    for block in (1, 7, 64):
        assert torch.allclose(images(sampler, 40, block), whole, rtol=0, atol=1e-5)


def test_a_convolutional_backbone_agrees_at_other_block_sizes(catalog: Any) -> None:
    from harness.samplers.generator_sampler import GeneratorSampler

    settings = catalog.load_spec("model", "biggan", "settings")(width=4)
    backbone = catalog.load_spec("model", "biggan", "build")(settings, (1, 8, 8))
    torch.manual_seed(0)
    sampler = GeneratorSampler(backbone.generator())
    assert torch.allclose(images(sampler, 12, 12), images(sampler, 12, 5), rtol=0, atol=1e-5)


def test_every_call_is_of_exactly_one_block(toy: Toy) -> None:
    sampler = toy((1, 8, 8))
    assert len(images(sampler, 50, 16)) == 50
    assert sampler.sizes == [16, 16, 16, 16]


def test_other_run_seeds_give_other_samples(toy: Toy) -> None:
    sampler = toy((1, 8, 8))
    assert not torch.equal(images(sampler, 4, 4, seed=1), images(sampler, 4, 4, seed=2))


def test_eval_mode_uses_the_running_statistics(toy: Toy) -> None:
    sampler = toy((2,))
    latents = Seeds(1, range(4)).normal("latent", 8)
    expected = sampler.net.eval()(latents)
    assert torch.allclose(images(sampler.__class__((2,)), 4, 4), expected, atol=1e-6)


def test_train_mode_normalises_by_the_block_and_leaves_dropout_off(toy: Toy) -> None:
    sampler = toy((2,))
    latents = Seeds(1, range(16)).normal("latent", 8)
    hidden = sampler.net[0](latents)
    normed = (hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + 1e-5).sqrt()
    assert torch.allclose(images(sampler, 16, 16, "train"), sampler.net[3](normed), atol=1e-5)


def test_standing_statistics_are_the_plain_average_over_their_own_blocks(toy: Toy) -> None:
    sampler = toy((2,))
    with sampling_mode(sampler, seed=1, block=32, batch_norm="standing"):
        standing = sampler.net[1].running_mean.clone(), sampler.net[1].running_var.clone()
        assert not sampler.net[1].training
    assert sampler.sizes == [32] * (1 + STANDING_BLOCKS)  # one finds out what sampling runs
    assert 1 not in sampler.runs  # none of the samples that are measured has a part in it
    # the law of the hidden units is known: normal latents through a linear map
    weight, bias = sampler.net[0].weight, sampler.net[0].bias
    assert torch.allclose(standing[0], bias, atol=0.2)
    assert torch.allclose(standing[1], weight.square().sum(1), rtol=0.4)
    assert not torch.allclose(standing[1], torch.full((32,), 0.5), rtol=0.05)


@pytest.mark.parametrize("batch_norm", ["train", "standing"])
def test_a_network_that_sampling_does_not_run_keeps_its_own_statistics(toy: Toy, batch_norm: str) -> None:
    sampler = toy((2,))
    encoder = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    encoder[1].running_mean.fill_(7.0)
    networks = {"generator": sampler.net, "encoder": encoder}
    both = type("Both", (), {"networks": networks, "sample": sampler.sample, "subject": {}})()
    with sampling_mode(both, seed=1, block=32, batch_norm=batch_norm):
        assert (encoder[1].running_mean == 7.0).all()
        assert not encoder[1].training
        assert sampler.net[1].training == (batch_norm == "train")


@pytest.mark.parametrize("batch_norm", ["eval", "train", "standing"])
def test_networks_are_as_before_afterwards(toy: Toy, batch_norm: str) -> None:
    sampler = toy((1, 8, 8))
    sampler.net.train()
    before = {name: value.clone() for name, value in sampler.net.state_dict().items()}
    state = torch.get_rng_state()
    images(sampler, 20, 8, batch_norm)
    assert all(torch.equal(value, before[name]) for name, value in sampler.net.state_dict().items())
    assert all(module.training for module in sampler.net.modules())
    assert sampler.net[1].momentum == 0.1
    assert torch.equal(torch.get_rng_state(), state)


def test_closing_early_puts_the_networks_back(toy: Toy) -> None:
    sampler = toy((1, 8, 8))
    sampler.net.train()
    blocks = generated_blocks(sampler, seed=1, count=100, block=8)
    next(blocks)
    assert not sampler.net.training
    blocks.close()
    assert sampler.net.training


def test_a_generator_that_draws_from_the_global_generator_is_repeatable(toy: Toy) -> None:
    class Careless:
        networks: ClassVar[dict[str, nn.Module]] = {}

        def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
            return Samples(torch.rand(len(seeds), 2), None, torch.zeros(len(seeds), 1))

    torch.manual_seed(3)
    first = images(Careless(), 6, 4)
    torch.manual_seed(4)
    assert torch.equal(images(Careless(), 6, 4), first)
    assert not torch.equal(first[:2], first[4:])


def test_samples_carry_no_gradient(toy: Toy) -> None:
    assert not images(toy((2,)), 4, 4).requires_grad


def test_values_that_are_not_finite_are_refused_with_their_numbers(toy: Toy) -> None:
    sampler = toy((2,))
    with torch.no_grad():
        sampler.net[3].bias.fill_(float("nan"))
    with pytest.raises(EvaluationError, match="NaN or infinite values in samples 0 to 7"):
        images(sampler, 8, 8)


def test_a_method_that_returns_too_few_samples_is_refused() -> None:
    class Short:
        networks: ClassVar[dict[str, nn.Module]] = {}

        def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
            return Samples(torch.zeros(3, 2), None, torch.zeros(3, 1))

    with pytest.raises(EvaluationError, match="asked for 4 samples and returned 3"):
        images(Short(), 4, 4)
