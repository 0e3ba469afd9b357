"""A generator and a discriminator that play against each other: what every adversarial method holds, and no more."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from harness.contracts.context import AdversarialLoss, Context
from harness.contracts.networks import Critique, Discriminator, Generator
from harness.contracts.settings import AdversarialSettings
from harness.layers.adapters import backbone_parameters
from harness.training.averaging import Average
from harness.training.optimisers import LazyPenalty, adam

G = TypeVar("G", bound=Generator)


class Pair(Generic[G]):
    """Two networks, an Adam for each, an average of the generator, and how the discriminator is shown images.

    A method holds one; it has no loop, no formula and no `minimize`, which are the method's own::

        loss = ctx.loss(settings.loss)
        networks = backbone.generator(conditions=k), backbone.discriminator(**loss.head(k))
        self.pair = Pair(settings, ctx, loss, *networks, conditions=k)

    :param loss: whose ``head`` the discriminator was built with.
    :param conditions: what both networks are told one of; 0 for nothing.
    :param pack: images that the discriminator sees at once, stacked along the channels.
    """

    def __init__(
        self,
        settings: AdversarialSettings,
        ctx: Context,
        loss: AdversarialLoss,
        generator: G,
        discriminator: Discriminator,
        *,
        conditions: int = 0,
        pack: int = 1,
    ) -> None:
        self.ctx = ctx
        self.conditions = conditions
        self.generator = ctx.place(generator)
        self.discriminator = ctx.adversary(discriminator, pack)
        self.generator_adam = adam(self.generator.parameters(), settings.generator_adam)
        # what a method put at the discriminator's places is not stepped with it
        self.discriminator_adam = adam(backbone_parameters(self.discriminator), settings.discriminator_adam)
        self.average = Average(self.generator, settings.ema.decay, settings.ema.start)
        self.loss = loss
        self._penalty = LazyPenalty(settings.penalty, ctx)
        self._joint = settings.passes == "joint"
        self._told = loss.head(conditions)["conditions"] > 0

    def state(self) -> dict[str, Any]:
        """Networks, optimisers and average, for a method's own state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_adam": self.generator_adam,
            "discriminator_adam": self.discriminator_adam,
            "average": self.average,
        }

    def train(self) -> None:
        """Both networks train."""
        self.generator.train()
        self.discriminator.train()

    # -- images ------------------------------------------------------------------------------------

    def told(self, n: int, labels: Tensor | None) -> Tensor | None:
        """Conditions of the fakes of a discriminator's step beside real images with these labels, int64 [n], or None.

        The same ones where the loss holds each fake against a real image, or a penalty may interpolate between the two,
        which are then of one class; else drawn.
        """
        return labels if self._penalty.chosen else self.asked(n, labels)

    def asked(self, n: int, labels: Tensor | None) -> Tensor | None:
        """Conditions of the fakes of a generator's step, int64 [n], or None: as :meth:`told`, but no penalty is due."""
        return labels if self.loss.paired else self.ctx.conditions(n, self.conditions)

    def latents(self, n: int) -> Tensor:
        """Standard normal latents [n, latent_dim]."""
        return self.ctx.latents(n, self.generator.latent_dim)

    @torch.no_grad()
    def fakes(self, n: int, told: Tensor | None) -> Tensor:
        """Images [n, ...] for a step of the discriminator, without gradient."""
        images: Tensor = self.generator(self.latents(n), told)
        return images

    # -- what the discriminator says ---------------------------------------------------------------

    def judge(self, images: Tensor, told: Tensor | None) -> Critique:
        """What the discriminator says of images; it is told their conditions where it was built to be."""
        critique: Critique = self.discriminator(images, told) if self._told else self.discriminator(images)
        return critique

    def judge_both(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, told: Tensor | None
    ) -> tuple[list[Critique], Tensor, Tensor]:
        """One pass over as many real as fake images together, or two, as the setting `passes` says.

        :returns: the critique of each pass, and the logits of the real and of the fake images.
        """
        if self._joint:
            both = torch.cat([labels, told]) if labels is not None and told is not None else None
            with self.ctx.joined(2):
                critique = self.judge(torch.cat([real, fake]), both)
            of_real, of_fake = critique.score[: len(real)], critique.score[len(real) :]
            return [critique], of_real, of_fake
        first, second = self.judge(real, labels), self.judge(fake, told)
        return [first, second], first.score, second.score

    @torch.no_grad()
    def beside(self, real: Tensor, labels: Tensor | None) -> Tensor | None:
        """Logits of real images for the generator's loss, without gradient; None where the loss wants none."""
        return self.judge(real, labels).score if self.loss.paired else None

    def penalty(self, real: Tensor, fake: Tensor, labels: Tensor | None, step: int) -> dict[str, Tensor]:
        """``{"penalty": ...}``, weighted, where one is named and due at discriminator step `step`; else nothing."""
        return self._penalty.terms(
            lambda images: self.loss.score(self.judge(images, labels).score, labels), real, fake, step
        )
