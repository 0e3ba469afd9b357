"""A pair of networks: what is told to whom, in how many passes, what the penalty penalises and what is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from harness import AdversarialSettings, Pair
from harness.builtin.losses import penalties
from harness.catalog import Catalog
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

K, N = 3, 6
REAL = torch.randn(N, 2, generator=torch.Generator().manual_seed(1))
LABELS, TOLD = torch.arange(N) % K, (torch.arange(N) + 1) % K

Make = Callable[..., Pair[Any]]


@pytest.fixture
def make(catalog: Catalog) -> Make:
    """Builds a pair on points that is told one of `conditions` things."""

    def build(conditions: int = K, **settings: Any) -> Pair[Any]:
        ctx = RunContext(catalog, Runtime(torch.device("cpu")), 0)
        small = {"name": "mlp", "generator_width": 8, "discriminator_width": 8, "discriminator_layers": 2}
        chosen = AdversarialSettings.model_validate({"backbone": small, **settings})
        backbone, loss = ctx.backbone(chosen.backbone, (2,)), ctx.loss(chosen.loss)
        torch.manual_seed(0)
        networks = backbone.generator(conditions=conditions), backbone.discriminator(**loss.head(conditions))
        return Pair(chosen, ctx, loss, *networks, conditions=conditions)

    return build


def test_one_joint_pass_and_two_separate_ones_come_to_the_same_logits(make: Make) -> None:
    joint, separate = make(passes="joint"), make(passes="separate")
    fake = REAL + 1
    seen: list[int] = []
    for pair in (joint, separate):
        pair.discriminator.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    critiques, *of_joint = joint.judge_both(REAL, fake, LABELS, TOLD)
    assert (len(critiques), seen) == (1, [2 * N])
    critiques, *of_separate = separate.judge_both(REAL, fake, LABELS, TOLD)
    assert (len(critiques), seen) == (2, [2 * N, N, N])
    torch.testing.assert_close(of_joint, of_separate)
    torch.testing.assert_close(
        of_separate[1], separate.discriminator(fake, TOLD).score
    )  # each image by its own condition


def test_a_discriminator_is_told_only_what_the_loss_built_it_to_be_told(make: Make) -> None:
    told, by_itself = make(loss="hinge"), make(loss="omni")
    assert not torch.equal(told.judge(REAL, LABELS).score, told.judge(REAL, TOLD).score)
    assert by_itself.judge(REAL, LABELS).score.shape == (N, K + 2)
    assert torch.equal(by_itself.judge(REAL, LABELS).score, by_itself.judge(REAL, TOLD).score)


def test_fakes_beside_real_images_are_of_their_classes_where_a_penalty_may_interpolate(make: Make) -> None:
    labels = torch.full((200,), 2)
    assert torch.equal(make(penalty="gp").told(200, labels), labels)
    drawn = make().told(200, labels)
    assert set(drawn.tolist()) == {0, 1, 2}
    assert make(conditions=0).told(200, None) is None


def test_fakes_for_the_discriminator_carry_no_gradient(make: Make) -> None:
    pair = make()
    torch.manual_seed(3)
    fakes = pair.fakes(N, TOLD)
    torch.manual_seed(3)
    assert torch.equal(fakes, pair.generator(torch.randn(N, pair.generator.latent_dim), TOLD))
    assert not fakes.requires_grad


@pytest.mark.parametrize("loss", ["nsgan", "omni"])
def test_a_penalty_is_of_the_score_that_the_loss_names_and_weighted(make: Make, loss: str) -> None:
    pair = make(loss=loss, penalty={"name": "r1", "weight": 0.7, "every": 2})
    found = pair.penalty(REAL, REAL, LABELS, step=4)

    def score(images: Tensor) -> Tensor:
        critique = pair.discriminator(images, LABELS) if loss == "nsgan" else pair.discriminator(images)
        return critique.score if loss == "nsgan" else critique.score[:, K]  # the logit of "real"

    expected = 2 * 0.7 * penalties.r1(score, REAL, REAL, pair.ctx)  # every second step, so twice as heavy
    torch.testing.assert_close(found, {"penalty": expected})
    assert pair.penalty(REAL, REAL, LABELS, step=5) == {}
    assert make().penalty(REAL, REAL, LABELS, step=0) == {}


def test_real_logits_are_there_for_the_generators_loss_only_where_it_wants_them(make: Make) -> None:
    paired = make(loss="rpgan")
    beside = paired.beside(REAL, LABELS)
    assert torch.equal(beside, paired.judge(REAL, LABELS).score)
    assert not beside.requires_grad
    assert make(loss="hinge").beside(REAL, LABELS) is None


def test_each_network_has_an_adam_of_its_own(make: Make) -> None:
    pair = make(generator_adam={"lr": 0.5}, discriminator_adam={"lr": 0.25})
    for network, optimiser, lr in (
        (pair.generator, pair.generator_adam, 0.5),
        (pair.discriminator, pair.discriminator_adam, 0.25),
    ):
        held = [p for group in optimiser.param_groups for p in group["params"]]
        assert {id(p) for p in held} == {id(p) for p in network.parameters()}
        assert {group["lr"] for group in optimiser.param_groups} == {lr}


def test_everything_that_a_pair_trains_is_saved(make: Make) -> None:
    state = make().state()
    assert list(state) == ["generator", "discriminator", "generator_adam", "discriminator_adam", "average"]
