"""A step of each network as all rivals take it: adversarial terms, an average of the generator, nothing else."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from harness import Context, Pair
from harness.contracts import Backbone, Generator
from harness_baselines.config import RivalSettings


def rival_pair(
    settings: RivalSettings,
    ctx: Context,
    backbone: Backbone,
    generator: Generator,
    *,
    conditions: int = 0,
    pack: int = 1,
    heads: dict[str, int] | None = None,
) -> Pair[Any]:
    """A generator beside the backbone's discriminator, both told one of `conditions`."""
    loss = ctx.loss(settings.loss)
    discriminator = backbone.discriminator(**loss.head(conditions), heads=heads, pack=pack)
    return Pair(settings, ctx, loss, generator, discriminator, conditions=conditions, pack=pack)


def step_discriminator(pair: Pair[Any], real: Tensor, fake: Tensor, told: Tensor | None = None, **more: Tensor) -> None:
    """One step of the discriminator.

    :param real, fake: logits, one an image or one a pack (or as many as the loss asks for).
    :param told: conditions of both.
    :param more: further terms of its loss, scalars.
    """
    terms = {"adversarial": pair.loss.discriminator(real, fake, told, told), **more}
    pair.ctx.minimize(discriminator=(terms, pair.discriminator_adam))
    pair.ctx.log(real_logit=pair.loss.score(real, told).mean(), fake_logit=pair.loss.score(fake, told).mean())


def step_generator(
    pair: Pair[Any], fake: Tensor, told: Tensor | None = None, real: Tensor | None = None, **more: Tensor
) -> None:
    """One step of the generator, and one of its average; `fake` are logits, `more` further terms.

    :param real: logits of real images, where the loss is paired.
    """
    terms = {"adversarial": pair.loss.generator(fake, told, real), **more}
    pair.ctx.minimize(generator=(terms, pair.generator_adam))
    pair.regularise_generator(len(fake), told)
    pair.average.update(pair.generator, pair.ctx.step)


def conditional_step(pair: Pair[Any], real: Tensor, told: Tensor) -> None:
    """One step of each network, real and fake images under the same conditions.

    :param real: images [N, C, H, W] in [-1, 1], or points [N, D].
    :param told: the condition of each, int64 [N]; fakes get the same, so that conditions come as often as in the data.
    """
    n = len(real)
    fake = pair.fakes(n, told)
    _, real_logits, fake_logits = pair.judge_both(real, fake, told, told)
    step_discriminator(pair, real_logits, fake_logits, told, **pair.penalty(real, fake, told, pair.ctx.step))
    pair.regularise_discriminator(real, told, pair.ctx.step)
    fake_logits = pair.judge(pair.made(pair.latents(n), told), told).score
    step_generator(pair, fake_logits, told, pair.beside(real, told))
