"""A pair of networks that play against each other: whom each step moves, by what loss, and what both are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from harness_baselines.config import RivalSettings
from harness_baselines.rival import conditional_step, rival_pair, step_discriminator, step_generator
from torch import Tensor, nn

from harness import Pair
from harness.catalog import Catalog
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

K, N = 3, 8

Make = Callable[..., Pair[Any]]


@pytest.fixture
def make(catalog: Catalog) -> Make:
    """Builds a pair of small networks on points that are told one of K conditions."""

    def build(**settings: Any) -> Pair[Any]:
        ctx = RunContext(catalog, Runtime(torch.device("cpu")), 0)
        small = {"name": "mlp", "generator_width": 16, "discriminator_width": 8, "discriminator_layers": 2}
        chosen = RivalSettings.model_validate({"backbone": small, "ema": {"decay": 0.75}, **settings})
        backbone = ctx.backbone(chosen.backbone, (2,))
        torch.manual_seed(0)
        pair = rival_pair(chosen, ctx, backbone, backbone.generator(conditions=K), conditions=K)
        pair.train()
        return pair

    return build


def kept(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def moved(before: Iterable[Tensor], network: nn.Module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def logits(pair: Pair[Any]) -> tuple[Tensor, Tensor]:
    """Of some points, and of some fakes."""
    told = torch.arange(N) % K
    points = torch.randn(N, 2, generator=torch.Generator().manual_seed(1))
    fake = pair.generator(pair.latents(N), told)
    return pair.discriminator(points, told).score, pair.discriminator(fake, told).score


def test_the_discriminators_step_moves_it_alone_by_the_loss_named(make: Make) -> None:
    pair = make(loss="nsgan")
    generator, discriminator, average = (kept(n) for n in (pair.generator, pair.discriminator, pair.average.module))
    real, fake = logits(pair)
    step_discriminator(pair, real, fake)
    noted = pair.ctx.meters.drain()  # type: ignore[attr-defined]
    assert noted["discriminator/adversarial"] == pytest.approx(
        (F.softplus(-real).mean() + F.softplus(fake).mean()).item()
    )
    assert (noted["real_logit"], noted["fake_logit"]) == pytest.approx((real.mean().item(), fake.mean().item()))
    assert moved(discriminator, pair.discriminator)
    assert not moved(generator, pair.generator)
    assert not moved(average, pair.average.module)


def test_the_generators_step_moves_it_alone_and_then_its_average(make: Make) -> None:
    pair = make(loss="nsgan", ema={"decay": 0.75, "start": 0})
    generator, discriminator = kept(pair.generator), kept(pair.discriminator)
    _, fake = logits(pair)
    step_generator(pair, fake)
    noted = pair.ctx.meters.drain()  # type: ignore[attr-defined]
    assert noted["generator/adversarial"] == pytest.approx(F.softplus(-fake).mean().item())
    assert moved(generator, pair.generator)
    assert not moved(discriminator, pair.discriminator)
    pairs = zip(generator, pair.generator.parameters(), pair.average.module.parameters(), strict=True)
    for old, new, average in pairs:
        torch.testing.assert_close(average, 0.75 * old + 0.25 * new)


@pytest.mark.parametrize(("step", "copied"), [(4, True), (5, False)])
def test_before_its_start_the_average_is_a_copy(make: Make, step: int, copied: bool) -> None:
    pair = make(ema={"decay": 0.75, "start": 5})
    pair.ctx.step = step
    step_generator(pair, logits(pair)[1])
    assert moved(kept(pair.generator), pair.average.module) is not copied


def test_further_terms_join_the_loss_of_either(make: Make) -> None:
    """A term that takes the adversarial one back leaves nothing to learn."""
    pair = make()
    discriminator = kept(pair.discriminator)
    real, fake = logits(pair)
    step_discriminator(pair, real, fake, back=-pair.loss.discriminator(real, fake))
    assert not moved(discriminator, pair.discriminator)
    generator = kept(pair.generator)
    _, fake = logits(pair)
    step_generator(pair, fake, back=-pair.loss.generator(fake))
    assert not moved(generator, pair.generator)
    assert {"discriminator/back", "generator/back"} <= set(pair.ctx.meters.drain())  # type: ignore[attr-defined]


def test_a_conditional_step_tells_fakes_what_real_points_are_told_and_never_mixes_them(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, generated, judged = make(), [], []
    generator, discriminator = pair.generator.forward, pair.discriminator.forward

    def generating(latent: Tensor, told: Tensor, noise: Any) -> Tensor:
        made = generator(latent, told, noise)
        generated.append((latent, told, made))
        return made

    def judging(points: Tensor, told: Tensor) -> Any:
        judged.append((points, told))
        return discriminator(points, told)

    monkeypatch.setattr(pair.generator, "forward", generating)
    monkeypatch.setattr(pair.discriminator, "forward", judging)
    real, told = torch.randn(N, 2), torch.arange(N) % K
    before = kept(pair.generator), kept(pair.discriminator)
    conditional_step(pair, real, told)
    (latent, _, fake), (other, _, better) = generated
    assert all(torch.equal(seen, told) for *_, seen in judged)
    assert all(torch.equal(seen, told) for _, seen, _ in generated)
    assert [points is expected for (points, _), expected in zip(judged, (real, fake, better), strict=True)] == [
        True
    ] * 3
    assert not torch.equal(latent, other)
    assert (fake.requires_grad, better.requires_grad) == (False, True)
    assert moved(before[0], pair.generator)
    assert moved(before[1], pair.discriminator)


def test_each_network_has_an_optimiser_of_its_own_with_the_values_told(make: Make) -> None:
    pair = make(
        generator_adam={"lr": 3e-3, "betas": [0.25, 0.75]}, discriminator_adam={"lr": 5e-3, "betas": [0.5, 0.9]}
    )
    state = pair.state()
    for name, lr, betas in (("generator", 3e-3, (0.25, 0.75)), ("discriminator", 5e-3, (0.5, 0.9))):
        (group,) = state[f"{name}_adam"].param_groups
        assert (group["lr"], tuple(group["betas"])) == (lr, betas)
        assert {id(p) for p in group["params"]} == {id(p) for p in state[name].parameters()}
    assert state["average"] is pair.average


def test_both_train_and_the_average_does_not(make: Make) -> None:
    pair = make()
    for network in (pair.generator, pair.discriminator):
        network.eval()
    pair.train()
    modes = [network.training for network in (pair.generator, pair.discriminator, pair.average.module)]
    assert modes == [True, True, False]
