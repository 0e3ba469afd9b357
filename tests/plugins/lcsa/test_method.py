"""The method as a whole: which step moves what, equality with the plain GAN, resumption."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness import Seeds, SettingsError
from harness.layers.adapters import adapter_parameters, backbone_parameters

Make = Callable[..., Any]


def snapshot(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]


def moved(before: list[Tensor], after: Iterable[nn.Parameter]) -> list[bool]:
    return [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]


def networks(method: Any) -> dict[str, list[nn.Parameter]]:
    return {
        "generator": list(method.pair.generator.parameters()),
        "discriminator": list(backbone_parameters(method.pair.discriminator)),
        "dictionaries": list(adapter_parameters(method.pair.discriminator)),
    }


def changed_by(method: Any, action: Callable[[], Any]) -> dict[str, list[bool]]:
    before = {name: snapshot(parameters) for name, parameters in networks(method).items()}
    action()
    return {name: moved(before[name], parameters) for name, parameters in networks(method).items()}


# -- building --------------------------------------------------------------------------------------


def test_only_dictionaries_are_added_one_an_equipped_block(make: Make) -> None:
    with_lcsa, plain = make().method, make(plugin="gan").method
    added = sum(p.numel() for p in with_lcsa.pair.discriminator.parameters()) - sum(
        p.numel() for p in plain.pair.discriminator.parameters()
    )
    widths = [place.width for place in plain.pair.discriminator.places if place.kind == "block"]
    assert added == 24 * sum(widths)
    assert sum(p.numel() for p in with_lcsa.pair.generator.parameters()) == sum(
        p.numel() for p in plain.pair.generator.parameters()
    )


def test_blocks_can_be_chosen(make: Make) -> None:
    method = make(blocks=[1, 3]).method
    assert list(method.blocks) == ["block1", "block3"]
    assert len(list(adapter_parameters(method.pair.discriminator))) == 2


def test_a_block_that_the_backbone_lacks_is_refused(make: Make) -> None:
    with pytest.raises(SettingsError, match=r"no discriminator block 7; choose blocks from 1, 2, 3"):
        make(blocks=[1, 7])


def test_each_parameter_has_one_optimiser(make: Make) -> None:
    method = make().method
    optimisers = (method.pair.generator_adam, method.pair.discriminator_adam, method.dictionary_adam)
    owned = [id(p) for adam in optimisers for group in adam.param_groups for p in group["params"]]
    every = [id(p) for network in (method.pair.generator, method.pair.discriminator) for p in network.parameters()]
    assert sorted(owned) == sorted(every)


def test_weight_decay_spares_the_dictionaries(make: Make) -> None:
    method = make(discriminator_adam={"weight_decay": 0.1}).method
    assert method.pair.discriminator_adam.param_groups[0]["weight_decay"] == 0.1
    assert method.dictionary_adam.param_groups[0]["weight_decay"] == 0


# -- which step moves what -------------------------------------------------------------------------


def test_no_gradient_of_the_discriminators_loss_reaches_a_dictionary(make: Make) -> None:
    running = make(controller={"mode": "fixed", "beta0": 0.5, "delta_gamma": 2.0})
    method = running.method
    critique = method.pair.discriminator(running.stream.next().images, torch.zeros(8, dtype=torch.int64))
    total = critique.score.sum() + sum(coding.proximity for coding in critique.notes.values())
    dictionaries = list(adapter_parameters(method.pair.discriminator))
    assert torch.autograd.grad(total, dictionaries, allow_unused=True) == (None,) * len(dictionaries)


def test_the_discriminators_step_moves_it_and_the_dictionaries_but_not_the_generator(make: Make) -> None:
    running = make()
    changed = changed_by(running.method, lambda: running.method.discriminator_step(running.stream.next(), 0))
    assert not any(changed["generator"])
    assert all(changed["discriminator"])
    assert all(changed["dictionaries"])


def test_dictionaries_move_in_their_own_step_only(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    running = make()
    method = running.method
    critiques = []
    monkeypatch.setattr(method, "dictionary_step", critiques.append)
    changed = changed_by(method, lambda: method.discriminator_step(running.stream.next(), 0))
    assert all(changed["discriminator"])
    assert not any(changed["dictionaries"])
    monkeypatch.undo()
    changed = changed_by(method, lambda: method.dictionary_step(critiques[0]))
    assert all(changed["dictionaries"])
    assert not any(changed["generator"] + changed["discriminator"])


def test_the_generators_step_moves_the_generator_alone(make: Make) -> None:
    running = make()
    method = running.method
    changed = changed_by(method, lambda: method.generator_step(running.stream.next()))
    assert all(changed["generator"])
    assert not any(changed["discriminator"] + changed["dictionaries"])


def test_the_generators_step_may_move_dictionaries_where_asked(make: Make) -> None:
    running = make(dictionary={"in_generator_step": True})
    method = running.method
    changed = changed_by(method, lambda: method.generator_step(running.stream.next()))
    assert all(changed["dictionaries"])
    assert not any(changed["discriminator"])


def test_dictionary_learning_shrinks_the_reconstruction_error(make: Make) -> None:
    method = make(coder={"sigma": 0.05}, dictionary={"lr": 1e-2}).method
    torch.manual_seed(0)
    images, labels = torch.rand(32, 1, 8, 8) * 2 - 1, torch.zeros(32, dtype=torch.int64)
    errors = []
    for _ in range(40):
        critique = method.pair.discriminator(images, labels)
        errors.append(sum(coding.proximity.item() for coding in critique.notes.values()))
        method.dictionary_step(critique.notes)
    assert errors[-1] < 0.5 * errors[0]
    assert sum(later < earlier for earlier, later in pairwise(errors)) > 35


def test_mixing_is_active_in_the_generators_step(make: Make) -> None:
    def after_a_step(beta: float) -> list[Tensor]:
        running = make(controller={"mode": "fixed", "beta0": beta})
        torch.manual_seed(1)
        running.method.generator_step(running.stream.next())
        return snapshot(running.method.pair.generator.parameters())

    assert any(not torch.equal(a, b) for a, b in zip(after_a_step(0.0), after_a_step(0.9), strict=True))


@pytest.mark.parametrize(("cadence", "times"), [("generator", 1), ("discriminator", 2)])
def test_the_controller_moves_at_its_cadence(make: Make, cadence: str, times: int) -> None:
    running = make(controller={"cadence": cadence, "beta0": 0.5, "delta_beta": 0.01, "eta": -1.0})
    running.steps(0, 3)
    torch.testing.assert_close(running.method.controller.beta, torch.tensor(0.5 + 3 * times * 0.01))


def test_the_average_takes_in_the_generator_after_its_step(make: Make) -> None:
    running = make()
    before = snapshot(running.method.pair.generator.parameters())
    running.steps(0, 1)
    for old, new, average in zip(
        before, running.method.pair.generator.parameters(), running.method.pair.average.module.parameters(), strict=True
    ):
        torch.testing.assert_close(average, 0.5 * (old + new))


# -- against the plain GAN -------------------------------------------------------------------------


def test_beta_0_and_gamma_0_train_the_plain_gan_to_the_bit(make: Make) -> None:
    plain, lcsa = make(plugin="gan", seed=1), make(controller={"mode": "fixed", "beta0": 0.0, "delta_gamma": 0.0})
    lcsa.method.pair.generator.load_state_dict(plain.method.pair.generator.state_dict())
    absent = lcsa.method.pair.discriminator.load_state_dict(plain.method.pair.discriminator.state_dict(), strict=False)
    assert not absent.unexpected_keys
    plain.steps(0, 3)
    lcsa.steps(0, 3)
    ours, theirs = networks(lcsa.method), networks(plain.method)
    assert not any(moved(snapshot(theirs["generator"]), ours["generator"]))
    assert not any(moved(snapshot(theirs["discriminator"]), ours["discriminator"]))


def test_a_positive_beta_does_not_train_the_plain_gan(make: Make) -> None:
    plain, lcsa = make(plugin="gan", seed=1), make(controller={"mode": "fixed", "beta0": 0.4, "delta_gamma": 0.0})
    lcsa.method.pair.generator.load_state_dict(plain.method.pair.generator.state_dict())
    lcsa.method.pair.discriminator.load_state_dict(plain.method.pair.discriminator.state_dict(), strict=False)
    plain.steps(0, 2)
    lcsa.steps(0, 2)
    assert any(moved(snapshot(plain.method.pair.generator.parameters()), lcsa.method.pair.generator.parameters()))


# -- losses ----------------------------------------------------------------------------------------


def logged(running: Any, last: int = 1) -> dict[str, float]:
    running.steps(0, last)
    values: dict[str, float] = running.ctx.meters.drain()
    return values


def test_the_proximity_term_is_gamma_times_the_sum_over_blocks(make: Make) -> None:
    values = logged(make(d_steps=1, controller={"mode": "fixed", "beta0": 0.4, "delta_gamma": 2.0}))
    total = sum(values[f"block{index}/proximity"] for index in (1, 2, 3))
    assert total > 0
    assert values["discriminator/proximity"] == pytest.approx(0.8 * total, rel=1e-5)
    assert "generator/proximity" not in values


def test_the_proximity_term_may_join_the_generators_loss(make: Make) -> None:
    fixed = {"mode": "fixed", "beta0": 0.4, "delta_gamma": 2.0}
    assert logged(make(controller=fixed, proximity={"in_generator_loss": True}))["generator/proximity"] > 0


def test_logs_the_controller_always_and_how_atoms_are_used_at_log_lines(make: Make) -> None:
    values = logged(make(log_every=2))
    assert {"beta", "gamma", "r", "block1/proximity", "block3/proximity"} <= set(values)
    assert "block1/perplexity" not in values
    values = logged(make(log_every=2), last=2)
    assert 1 <= values["block1/perplexity"] <= 6
    assert 0 <= values["block1/dead_atoms"] <= 1 - 6 / 24


@pytest.mark.parametrize("penalty", ["r1", "r2", "gp"])
def test_a_gradient_penalty_differentiates_the_coder_twice(make: Make, penalty: str) -> None:
    running = make(penalty={"name": penalty, "weight": 5.0}, controller={"mode": "fixed", "beta0": 0.5})
    assert logged(running)["discriminator/penalty"] > 0
    assert all(parameter.isfinite().all() for parameter in running.method.pair.discriminator.parameters())


# -- variants, sampling, resumption ----------------------------------------------------------------


def test_trains_without_labels(make: Make) -> None:
    running = make(conditional=False)
    running.steps(0, 1)
    samples = running.method.trained().sample(Seeds(0, range(3)))
    assert samples.conditions is None
    assert samples.images.shape == (3, 1, 8, 8)


def test_trains_on_points(make: Make) -> None:
    running = make(dataset="ring2d", small={"coder": {"atoms": 24, "neighbours": 6}, "batch_size": 8}, backbone="mlp")
    running.steps(0, 1)
    assert running.method.trained().sample(Seeds(0, range(3))).images.shape == (3, 2)


def test_samples_from_the_average_unless_averaging_is_off(make: Make) -> None:
    averaged, raw = make().method, make(ema={"decay": 0.0}).method
    assert averaged.trained().generator is averaged.pair.average.module
    assert averaged.trained().subject == {"weights": "ema"}
    assert raw.trained().generator is raw.pair.generator
    assert raw.trained().subject == {"weights": "raw"}
    samples = averaged.trained().sample(Seeds(0, range(4)))
    assert samples.images.abs().max() <= 1
    assert samples.conditions is not None


def stored(method: Any) -> dict[str, Any]:
    buffer = io.BytesIO()
    torch.save({name: value.state_dict() for name, value in method.state().items()}, buffer)
    buffer.seek(0)
    loaded: dict[str, Any] = torch.load(buffer, weights_only=True)
    return loaded


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, Tensor) else a == b


@pytest.mark.parametrize("in_generator_step", [False, True])
def test_goes_on_to_the_bit_from_its_state_in_a_method_built_with_other_weights(
    make: Make, in_generator_step: bool
) -> None:
    settings = {"dictionary": {"in_generator_step": in_generator_step}, "controller": {"beta0": 0.3}}
    first, second = make(**settings), make(seed=1, **settings)
    first.steps(0, 2)
    for name, state in stored(first.method).items():
        second.method.state()[name].load_state_dict(state)
    second.stream.load_state_dict(first.stream.state_dict())
    first.steps(2, 4)
    second.steps(2, 4)
    assert same(stored(first.method), stored(second.method))
    ours, theirs = (running.method.trained().sample(Seeds(0, range(4))) for running in (first, second))
    assert torch.equal(ours.images, theirs.images)
