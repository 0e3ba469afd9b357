"""Stand-ins whose networks play against each other do what they stand for; that they train is tested with all methods.

Each shape of method that is still to come has one (tests/support/stand_ins).
"""

from __future__ import annotations

import math
from copy import deepcopy
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from short_trainings import BATCH, Make, noted, ready, real_images, trained
from stand_ins.anchors import log_density
from stand_ins.atlas_backbone import AtlasSettings, build, pack, pyramid, unpack
from torch import Tensor
from with_stand_ins import STAND_INS

from harness.builtin.augmentations.diffaugment import translation
from harness.cli import main
from harness.evaluation.sampling.blocks import collected, generated_blocks
from harness.plugins import ENTRY_POINT_GROUP
from harness.randomness import Seeds

N = BATCH

# -- styles, mixed, with noise between the layers -------------------------------------------------


def test_styled_samples_are_the_generator_s_with_noise_of_their_own_numbers(make: Make) -> None:
    training = make("styled/stand_in")
    sampler = trained(training)
    generator = training.method.pair.average.module
    with torch.no_grad():
        generator.rgb.weight.mul_(10)  # so that there is something to clamp
    seeds = Seeds(3, range(4, 9))
    latents, told = seeds.normal("latent", 6), seeds.integers("condition", 10)
    with torch.no_grad():
        images = generator(latents, told, lambda place, shape: seeds.normal(f"noise {place}", *shape[1:]))
    assert images.abs().max() > 1
    drawn = sampler.sample(seeds)
    assert drawn.images.equal(images.clamp(-1, 1))
    assert drawn.conditions.equal(told)


def test_styled_samples_do_not_hang_on_the_block(make: Make) -> None:
    sampler = trained(make("styled/stand_in"))
    five, ten = (collected(generated_blocks(sampler, seed=3, count=20, block=block)) for block in (5, 10))
    torch.testing.assert_close(five.images, ten.images, rtol=0, atol=1e-5)
    assert five.images[:5].std(0).max() > 1e-3


def test_styled_takes_lazy_steps_of_its_own_and_mixes_styles(make: Make) -> None:
    training = make("styled/stand_in")
    steps: list[set[str]] = []
    minimize = training.ctx.minimize

    def counted(*, reach_all: bool = False, **pairs: Any) -> None:
        steps.extend(set(terms) for terms, _ in pairs.values())
        minimize(reach_all=reach_all, **pairs)

    training.ctx.minimize = counted  # type: ignore[method-assign]
    training.run(resume=False)
    lazy = [{"adversarial"}, {"penalty"}, {"adversarial"}, {"path_length"}]
    assert steps == [*lazy, {"adversarial"}, {"adversarial"}, *lazy]  # every second step


def test_styles_are_mixed_in_training(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    training = make("styled/stand_in")
    generator = training.method.pair.generator
    mixed: list[bool] = []
    synthesise = generator.synthesise

    def and_look(styles: Tensor, noise: Any = None) -> Tensor:
        mixed.append(bool((styles != styles[:, :1]).any()))
        images: Tensor = synthesise(styles, noise)
        return images

    monkeypatch.setattr(generator, "synthesise", and_look)
    training.run(resume=False)
    assert len(mixed) == 10  # two a step, and two for each pair of lazy steps
    assert sum(mixed) > 5


# -- an encoder head, and latents scaled by what it finds -------------------------------------------


def test_the_second_moment_is_that_of_the_whole_batch(make: Make) -> None:
    training = make("encoder/stand_in")
    method: Any = training.method
    stream = ready(training)
    generator, before = deepcopy(method.pair.generator), deepcopy(method.pair.discriminator)
    training.stages[0].step(stream)
    ready(training)  # the same draws once more
    with torch.no_grad():  # the scales are 1 in the first step
        found = before(generator(training.ctx.latents(N, 6))).heads["latent"]
        again = method.pair.discriminator(generator(training.ctx.latents(N, 6))).heads["latent"]
    expected = 0.75 + 0.25 * (found.square().mean(0) + again.square().mean(0)) / 2
    torch.testing.assert_close(method.v, expected)
    assert (method.v - 0.75).abs().min() > 1e-6


def test_the_encoder_rebuilds_and_scores(make: Make) -> None:
    training = make("encoder/stand_in")
    sampler, method = trained(training), training.method
    images, v = real_images(training, N), method.v
    with torch.no_grad():
        z = method.encoder.module(images).heads["latent"]
        rebuilt = method.pair.average.module(z * (6 * v / v.sum()).sqrt())
        found, scores = sampler.reconstruct(images), sampler.outlier_scores(images)
        fed = sampler.sample(Seeds(0, range(3)))
        made = method.pair.average.module(fed.latents * sampler.latent_scale())
    assert found.images.equal(rebuilt)
    assert found.latents.equal(z)
    nll = -torch.distributions.Normal(torch.zeros(6).double(), v.double().sqrt()).log_prob(z.double()).sum(1)
    torch.testing.assert_close(scores["nll"], nll)
    by_hand = [((a - b) ** 2).mean() for a, b in zip(rebuilt, images, strict=True)]
    torch.testing.assert_close(scores["reconstruction"], torch.stack(by_hand))
    assert float(sampler.latent_scale().square().mean()) == pytest.approx(1)
    assert fed.images.equal(made.clamp(-1, 1))


# -- a prior learned through soft conditions ---------------------------------------------------------


def test_the_generator_s_loss_reaches_the_prior(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    training = make("learned-prior/stand_in")
    method, ctx = training.method, training.ctx
    ready(training)
    for draw in ("normal", "uniform"):
        in_single = getattr(ctx, draw)
        monkeypatch.setattr(ctx, draw, lambda *shape, own=in_single: own(*shape).double())
    for network in (method.pair.generator, method.pair.discriminator, method.prior):
        network.double()
    (logits,) = method.prior

    def loss() -> Tensor:
        training._seed(training.stages[0], 0)
        found: Tensor = method.generator_loss(N)
        return found

    (found,) = torch.autograd.grad(loss(), logits)
    expected = torch.zeros_like(found)
    step = 1e-6
    with torch.no_grad():
        for k in range(len(logits)):
            for sign in (1, -1):
                logits[k] += sign * step
                expected[k] += sign * loss() / (2 * step)
                logits[k] -= sign * step
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)
    assert expected.abs().max() > 1e-4


def test_samples_follow_the_learned_prior(make: Make) -> None:
    training = make("learned-prior/stand_in")
    before = [logits.clone() for logits in training.method.prior]
    training.run(resume=False)
    assert not training.method.prior[0].equal(before[0])
    with torch.no_grad():
        training.method.prior[0].copy_(torch.tensor([0.6, 0.3, 0.1, 1e-9]).log())
    conditions = training.method.trained().sample(Seeds(0, range(2000))).conditions
    assert conditions.bincount(minlength=4).div(2000).tolist() == pytest.approx([0.6, 0.3, 0.1, 0], abs=0.04)


# -- several labels at once ----------------------------------------------------------------------------


def test_labels_come_as_often_as_the_codebook_s_prior_says(make: Make) -> None:
    training = make("codebook/stand_in")
    method: Any = training.method
    prior = torch.tensor([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]])
    method.prior.copy_(prior)
    ready(training)
    sampled = method.trained().sample(Seeds(0, range(2000))).conditions
    for labels in (sampled, method.drawn(2000)):
        assert labels.shape == (2000, 2)
        often = torch.stack([labels[:, label].bincount(minlength=3) for label in range(2)]) / 2000
        torch.testing.assert_close(often, prior, rtol=0, atol=0.04)
        both = (labels == torch.tensor([0, 1])).all(1).float().mean()  # they are drawn independently
        assert float(both) == pytest.approx(0.35, abs=0.04)


def test_the_codebook_s_loss_is_that_of_rows_with_a_one_for_each_label(make: Make) -> None:
    training = make("codebook/stand_in")
    method: Any = training.method
    losses, stream = noted(training), ready(training)
    before, generator = deepcopy(method.pair.discriminator), deepcopy(method.pair.generator)
    training.stages[0].step(stream)
    real = ready(training).next().images
    rows = {}
    with torch.no_grad():
        logits = before(real).score  # [N, L K]
        labels = logits.view(N, 2, 3).argmax(2)
        told = uniform_labels(training.ctx.uniform(N, 2, 1))
        for name, numbers in (("labels", labels), ("told", told)):
            rows[name] = torch.zeros(N, 6)
            for row, pair in zip(rows[name], numbers.tolist(), strict=True):
                row[pair[0]] = row[3 + pair[1]] = 1.0
        fake = generator(training.ctx.latents(N, 6), rows["told"])
        of_real, of_fake = (logits * rows["labels"]).sum(1), (before(fake).score * rows["told"]).sum(1)
        expected = F.softplus(-of_real).mean() + F.softplus(of_fake).mean()
    torch.testing.assert_close(losses["discriminator"]["adversarial"].detach(), expected)
    often = rows["labels"].mean(0).view(2, 3)
    torch.testing.assert_close(method.prior, 0.75 / 3 + 0.25 * often)


def uniform_labels(u: Tensor) -> Tensor:
    """Labels of a uniform prior of three values."""
    return (u.squeeze(2) * 3).long()


# -- anchors from all devices ----------------------------------------------------------------------------


def test_densities_over_anchors_are_those_of_a_double_loop() -> None:
    drawn = torch.Generator().manual_seed(0)
    anchors, width = torch.randn(7, 4, generator=drawn), 0.5
    queries = torch.randn(3, 4, generator=drawn)

    def by_hand(query: Tensor, left_out: int | None) -> float:
        kept = [a for number, a in enumerate(anchors) if number != left_out]
        return math.log(sum(math.exp(-float((query - a).square().sum()) / (2 * width**2)) for a in kept) / len(kept))

    assert log_density(queries, anchors, width).tolist() == pytest.approx([by_hand(q, None) for q in queries], rel=1e-4)
    own = log_density(anchors[2:5], anchors, width, own=2)  # the rows of one device among all
    assert own.tolist() == pytest.approx([by_hand(anchors[i], i) for i in (2, 3, 4)], rel=1e-4)


def test_the_loss_over_anchors_and_its_gradient_are_those_of_a_double_loop(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = make("anchors/stand_in")
    method: Any = training.method
    losses, stream = noted(training), ready(training)
    gradients: list[Any] = []
    monkeypatch.setattr(training.runtime, "average", lambda found, _: gradients.append(found) or found)
    before, generator = deepcopy(method.pair.discriminator), deepcopy(method.pair.generator)
    training.stages[0].step(stream)
    real = ready(training).next().images
    with torch.no_grad():
        fake = generator(training.ctx.latents(N, 4))
    of_real, of_fake = (before(images).heads["kernel"] for images in (real, fake))

    def density(query: Tensor, anchors: list[Tensor]) -> Tensor:
        return torch.stack([(-(query - a).square().sum() / (2 * 0.5**2)).exp() for a in anchors]).mean().log()

    terms = []
    for i in range(N):
        other_reals, other_fakes = ([a[j] for j in range(N) if j != i] for a in (of_real, of_fake))
        of_real_image = density(of_real[i], other_reals) - density(of_real[i], list(of_fake))
        of_fake_image = density(of_fake[i], list(of_real)) - density(of_fake[i], other_fakes)
        terms.append(F.softplus(-of_real_image) + F.softplus(of_fake_image))
    expected = torch.stack(terms).mean()
    torch.testing.assert_close(losses["discriminator"]["adversarial"], expected)
    by_hand = torch.autograd.grad(expected, list(before.parameters()))
    torch.testing.assert_close(gradients[0], by_hand, rtol=1e-4, atol=1e-6)


# -- a batch of both, and a constant of the other network's step ---------------------------------------


def test_the_generator_is_drawn_to_features_from_before_the_discriminator_s_step(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = make("half-and-half/stand_in")
    method: Any = training.method
    losses, stream = noted(training), ready(training)
    before, generator = deepcopy(method.pair.discriminator), deepcopy(method.pair.generator)
    seen: list[int] = []
    method.pair.discriminator.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    training.stages[0].step(stream)
    assert seen == [N, N // 2]  # half real and half fake in one pass; then the generator's fakes
    assert stream.position == N // 2
    ctx, real = training.ctx, ready(training).next(N // 2).images
    with torch.no_grad():
        generator(ctx.latents(N // 2, 6), None, ctx.noise)
        fake = generator(ctx.latents(N // 2, 6), None, ctx.noise)
        of_fake = method.pair.discriminator(fake).feature
        centre, later = before(real).feature.mean(0), method.pair.discriminator(real).feature.mean(0)
        expected, of_later = ((of_fake - c).square().sum(1).mean() for c in (centre, later))
    found = losses["generator"]["centre"].detach()
    torch.testing.assert_close(found, expected)
    assert (found - of_later).abs() > 1e-4 * found


# -- an augmentation of the method's own -----------------------------------------------------------------


def test_nothing_differs_where_the_policy_does_nothing(make: Make) -> None:
    training = make("consistency/stand_in", consistency={"name": "diffaugment", "policy": []})
    losses, stream = noted(training), ready(training)
    training.stages[0].step(stream)
    # one joint pass beside one of the real images alone: equal but for rounding
    assert float(losses["discriminator"]["consistency"].detach()) == pytest.approx(0, abs=1e-10)


def test_the_difference_is_that_of_the_images_moved(make: Make) -> None:
    training = make("consistency/stand_in", consistency={"name": "diffaugment", "policy": ["translation"]})
    method, ctx = training.method, training.ctx
    losses, stream = noted(training), ready(training)
    before, generator = deepcopy(method.pair.discriminator), deepcopy(method.pair.generator)
    training.stages[0].step(stream)
    real = ready(training).next().images
    with torch.no_grad():
        generator(ctx.latents(N, 6), None, ctx.noise)  # what is drawn first
        rows, columns = ctx.integers(3, N) - 1, ctx.integers(3, N) - 1
        moved = translation(real, rows, columns)
        expected = 10 * (before(real).score - before(moved).score).square().mean()
    torch.testing.assert_close(losses["discriminator"]["consistency"].detach(), expected)
    assert expected > 1e-6


# -- all resolutions at once ------------------------------------------------------------------------------


def test_an_atlas_holds_its_levels() -> None:
    levels = pyramid(torch.randn(2, 3, 8, 8))
    atlas = pack(levels)
    assert [level.shape[2] for level in levels] == [8, 4, 2]
    assert atlas.shape == (2, 3, 8, 12)
    assert all(a.equal(b) for a, b in zip(unpack(atlas), levels, strict=True))


def test_the_image_is_the_largest_level_of_the_atlas() -> None:
    backbone = build(AtlasSettings(), (1, 8, 8))
    generator, discriminator, z = backbone.generator(), backbone.discriminator(), torch.randn(5, 6)
    atlas, image = generator.train()(z), generator.eval()(z)
    assert image.shape == (5, 1, 8, 8)
    assert unpack(atlas)[0].equal(image)
    as_made = discriminator.as_made(image)
    torch.testing.assert_close(discriminator(image).score, discriminator(as_made).score)
    assert as_made.shape == atlas.shape


@pytest.mark.parametrize("passes", ["separate", "joint"])
def test_r1_is_of_the_whole_atlas(make: Make, passes: str) -> None:
    training = make(f"atlas/{passes}")
    method: Any = training.method
    losses, stream = noted(training), ready(training)
    before = deepcopy(method.pair.discriminator)
    seen: list[tuple[int, ...]] = []
    method.pair.discriminator.register_forward_hook(lambda _, given, __: seen.append(tuple(given[0].shape)))
    training.stages[0].step(stream)
    rows = [2 * N] if passes == "joint" else [N, N]
    assert seen == [(n, 1, 8, 12) for n in (*rows, N, N)]  # the logits, r1, and the generator's step
    atlas = pack(pyramid(ready(training).next().images)).requires_grad_()
    (gradient,) = torch.autograd.grad(before(atlas).score.sum(), atlas)
    expected = gradient.square().flatten(1).sum(1).mean()
    torch.testing.assert_close(losses["discriminator"]["penalty"].detach(), expected)
    assert gradient[..., 8:].abs().max() > 0


def test_an_atlas_cannot_be_augmented(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    points = [*entry_points(group=ENTRY_POINT_GROUP), STAND_INS]
    monkeypatch.setattr("harness.plugins.entry_points", lambda group: points)
    words = ["train", "--plugin", "atlas", "--dataset", "digits", "--scale", "tiny", "--out", str(tmp_path / "run")]
    assert main([*words, "--device", "cpu", "--set", "augmentation=diffaugment"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: augmentation: this backbone's discriminator sees images of several resolutions")
