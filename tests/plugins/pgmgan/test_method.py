"""The guided mixture: what a step draws, which networks it moves, and what the guide adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from harness_pgmgan.guide import guide
from torch import Tensor, nn

from harness.data import Stream
from harness.training.loop import Training

Train = Callable[..., Training]


@pytest.fixture(scope="module")
def ring(train: Train) -> Training:
    return train("ring2d")


def ready(training: Training) -> tuple[Any, Stream]:
    """The method in its last stage, and a stream of the data."""
    method = training.method
    method.begin()
    method.ctx.step = 0
    return method, Stream(training.data, training.settings.batch_size, (0, "gan"))


def terms_of(method: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, float], list[Tensor]]]:
    """Notes every loss that is minimised from now on: whose it is, its terms, and the parameters that it moved."""
    seen: list[tuple[str, dict[str, float], list[Tensor]]] = []
    minimize = type(method.ctx).minimize

    def noting(ctx: Any, **pairs: Any) -> None:
        ((name, (terms, optimizer)),) = pairs.items()
        owned = [p for group in optimizer.param_groups for p in group["params"]]
        seen.append((name, {key: float(value) for key, value in terms.items()}, owned))
        minimize(ctx, **pairs)

    monkeypatch.setattr(type(method.ctx), "minimize", noting)
    return seen


def told(network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor]]:
    """Notes what a network is called with."""
    calls: list[tuple[Tensor, Tensor]] = []
    forward = network.forward

    def noting(x: Tensor, condition: Tensor, *noise: Any) -> Any:
        calls.append((x.detach().clone(), condition.clone()))
        return forward(x, condition, *noise)

    monkeypatch.setattr(network, "forward", noting)
    return calls


def test_real_images_and_fakes_of_a_step_are_told_the_same_partitions(
    ring: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, stream = ready(ring)
    monkeypatch.setattr(method, "settings", method.settings.model_copy(update={"d_steps": 3}))
    generated, criticised = told(method.pair.generator, monkeypatch), told(method.pair.discriminator, monkeypatch)
    method.step(stream)
    n = ring.settings.batch_size
    assert [len(z) for z, _ in generated] == [n] * 4
    assert [len(x) for x, _ in criticised] == [2 * n] * 3 + [n]
    for (_, y), (both, conditions) in zip(generated, criticised[:3], strict=False):
        assert torch.equal(conditions, torch.cat([y, y]))
        assert torch.equal(y, method.partitioner(both[:n]).argmax(1))  # of the real half
    # the generator's step takes latents and partitions of the last discriminator step, and earlier ones are others
    assert torch.equal(generated[3][0], generated[2][0])
    assert torch.equal(generated[3][1], generated[2][1])
    assert not torch.equal(generated[1][0], generated[2][0])


def test_the_guide_is_weighed_and_added_to_the_generators_loss_alone(
    ring: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, _ = ready(ring)
    changed = method.settings.guide.model_copy(update={"weight": 3.0, "over": 10})
    monkeypatch.setattr(method, "settings", method.settings.model_copy(update={"guide": changed}))
    seen = terms_of(method, monkeypatch)
    z = torch.randn(40, method.pair.generator.latent_dim)
    y = torch.arange(40) % method.k
    for step, weight in ((0, 3.0), (5, 1.5), (10, 1e-4), (99, 1e-4)):
        method.ctx.step = step
        with torch.no_grad():
            logits = method.partitioner(method.pair.generator(z, y))
        method.generator_step(torch.zeros(40, 2), z, y)
        name, terms, owned = seen.pop()
        assert name == "generator"
        assert terms["guide"] == pytest.approx(weight * float(guide(logits, y).mean()), rel=1e-4)
        assert {id(p) for p in owned} == {id(p) for p in method.pair.generator.parameters()}
    method.discriminator_step(torch.zeros(4, 2), z[:4], y[:4], 0)
    assert seen.pop()[1].keys() == {"adversarial"}


def test_the_partitioner_stands_still(ring: Training) -> None:
    method, stream = ready(ring)
    before = {name: value.clone() for name, value in method.partitioner.state_dict().items()}
    generator = [p.detach().clone() for p in method.pair.generator.parameters()]
    method.step(stream)
    assert all(torch.equal(before[name], value) for name, value in method.partitioner.state_dict().items())
    assert not any(p.requires_grad for p in method.partitioner.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(generator, method.pair.generator.parameters(), strict=True))


def test_with_weight_0_there_is_no_guide_and_nothing_asks_the_partitioner_of_fakes(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, stream = ready(train("ring2d", "mlp-unguided"))
    seen = terms_of(method, monkeypatch)
    asked = []
    forward = method.partitioner.forward
    monkeypatch.setattr(method.partitioner, "forward", lambda x: asked.append(len(x)) or forward(x))
    method.step(stream)
    assert [(name, set(terms)) for name, terms, _ in seen] == [
        ("discriminator", {"adversarial"}),
        ("generator", {"adversarial"}),
    ]
    assert asked == [stream.batch_size]


def test_noise_below_a_128th_is_added_to_real_images(train: Train) -> None:
    training = train("digits", dequantise=True)
    method, stream = ready(training)
    noisy, _ = method.real(stream)
    clean = Stream(training.data, training.settings.batch_size, (0, "gan")).next().images
    difference = noisy - clean
    assert 0 <= float(difference.min()) < float(difference.max()) < 1 / 128
    assert len(difference.unique()) > difference.numel() / 2


def test_two_devices_see_the_halves_of_the_images_that_one_sees(prepare: Train, monkeypatch: pytest.MonkeyPatch):
    training = prepare("digits", dequantise=True)
    method, _ = ready(training)

    def seen(rank: int, world: int) -> Tensor:
        monkeypatch.setattr(method.ctx, "rank", rank)
        monkeypatch.setattr(method.ctx, "world", world)
        torch.manual_seed(3)
        stream = Stream(training.data, training.settings.batch_size, (0, "gan"), rank=rank, world=world)
        return method.real(stream)[0]

    assert torch.equal(torch.cat([seen(0, 2), seen(1, 2)]), seen(0, 1))
