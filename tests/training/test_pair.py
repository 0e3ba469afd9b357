"""A pair of networks: what is told to whom, in how many passes, what the penalty penalises and what is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from styled_backbone import StyledSettings, build
from torch import Tensor

from harness import AdversarialSettings, Pair, SettingsError
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


# -- lazy regularisation ---------------------------------------------------------------------------


def moved(network: torch.nn.Module, before: list[Tensor]) -> list[bool]:
    return [not torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True)]


def test_a_penalty_of_its_own_is_a_step_on_it_alone_with_corrected_rates(make: Make) -> None:
    adam = {"lr": 0.1, "betas": (0.5, 0.9)}
    pair = make(penalty={"name": "r1", "weight": 0.7, "every": 3, "own_step": True}, discriminator_adam=adam)
    (group,) = pair.discriminator_adam.param_groups
    assert group["lr"] == pytest.approx(0.1 * 3 / 4)
    assert group["betas"] == pytest.approx((0.5**0.75, 0.9**0.75))
    assert pair.penalty(REAL, REAL, LABELS, step=3) == {}
    before = [p.detach().clone() for p in pair.discriminator.parameters()]
    pair.regularise_discriminator(REAL, LABELS, step=4)
    assert not any(moved(pair.discriminator, before))
    seen: list[dict[str, Tensor]] = []
    minimize = pair.ctx.minimize
    pair.ctx.minimize = lambda **given: (seen.append(given["discriminator"][0]), minimize(**given))  # type: ignore[method-assign,func-returns-value]
    pair.regularise_discriminator(REAL, LABELS, step=3)
    expected = 3 * 0.7 * penalties.r1(lambda x: pair.discriminator(x, LABELS).score, REAL, REAL, pair.ctx)
    assert set(seen[0]) == {"penalty"}
    assert any(moved(pair.discriminator, before))
    # parameters that it does not reach are stepped too: what Adam remembers of them fades
    assert all("step" in pair.discriminator_adam.state[p] for p in pair.discriminator.parameters())
    with torch.no_grad():
        for parameter, value in zip(pair.discriminator.parameters(), before, strict=True):
            parameter.copy_(value)
    expected = 3 * 0.7 * penalties.r1(lambda x: pair.discriminator(x, LABELS).score, REAL, REAL, pair.ctx)
    torch.testing.assert_close(seen[0]["penalty"], expected)


def styled(catalog: Catalog, **settings: Any) -> Pair[Any]:
    ctx = RunContext(catalog, Runtime(torch.device("cpu")), 0)
    backbone = build(StyledSettings(style_mixing=settings.pop("style_mixing", 0.0)), (1, 8, 8))
    loss = ctx.loss("nsgan")
    networks = backbone.generator(conditions=K), backbone.discriminator(**loss.head(K))
    return Pair(AdversarialSettings.model_validate(settings), ctx, loss, *networks, conditions=K)


def test_path_lengths_are_a_step_of_the_generator_and_their_mean_is_saved(catalog: Catalog) -> None:
    pair = styled(catalog, path_length={"weight": 2, "every": 4}, generator_adam={"lr": 0.1})
    assert pair.generator_adam.param_groups[0]["lr"] == pytest.approx(0.1 * 4 / 5)
    assert "path_length" in pair.state()
    before = [p.detach().clone() for p in pair.generator.parameters()]
    pair.ctx.step = 3
    pair.regularise_generator(N, LABELS)
    assert not any(moved(pair.generator, before))
    pair.ctx.step = 4
    pair.regularise_generator(N, LABELS)
    assert any(moved(pair.generator, before))
    assert float(pair.state()["path_length"].mean) > 0
    assert "path_length" not in styled(catalog).state()


def test_path_lengths_of_a_generator_without_styles_are_refused(make: Make) -> None:
    with pytest.raises(SettingsError, match="path_length: backbone 'mlp' makes no styles"):
        make(path_length={"weight": 2})


def test_noise_and_mixed_styles_of_a_step_are_drawn_through_the_context(catalog: Catalog) -> None:
    pair = styled(catalog, style_mixing=1.0)
    places: list[str] = []
    noise = pair.ctx.noise
    pair.ctx.noise = lambda place, shape: (places.append(place), noise(place, shape))[1]  # type: ignore[method-assign,func-returns-value]
    z = pair.latents(N)
    torch.manual_seed(0)
    mixed = pair.made(z, LABELS)
    assert places == ["block1", "block2", "block3"]
    pair.generator.style_mixing = 0.0
    torch.manual_seed(0)
    assert not torch.allclose(pair.made(z, LABELS), mixed)
