"""A generator and a discriminator that play against each other: what every adversarial method holds, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from harness.contracts.context import AdversarialLoss, Context
from harness.contracts.networks import Critique, Discriminator, Generator, StyledGenerator
from harness.contracts.settings import AdversarialSettings
from harness.errors import SettingsError
from harness.layers.adapters import backbone_parameters
from harness.training.averaging import Average
from harness.training.mixed_styles import mixed_styles
from harness.training.optimisers import LazyPenalty, adam
from harness.training.path_length import PathLength

G = TypeVar("G", bound=Generator)


class Pair(Generic[G]):
    """Two networks, an Adam for each, an average of the generator, and how the discriminator is shown images.

    A method holds one; it has no loop and no formula, and takes no step but those of lazy regularisation::

        loss = ctx.loss(settings.loss)
        networks = backbone.generator(conditions=k), backbone.discriminator(**loss.head(k))
        self.pair = Pair(settings, ctx, loss, *networks, conditions=k)

    :param loss: whose ``head`` the discriminator was built with.
    :param conditions: what both networks are told one of; 0 for nothing.
    :param pack: images that the discriminator sees at once, stacked along the channels.
    :raises SettingsError: for path length regularisation of a generator without styles.
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
        self._penalty = LazyPenalty(settings.penalty, ctx)
        self._path_length = PathLength(settings.path_length, ctx)
        if self._path_length.chosen and not isinstance(generator, StyledGenerator):
            raise SettingsError(
                f"path_length: backbone '{settings.backbone.name}' makes no styles, which it is about",
                "leave path_length out, or choose a backbone with styles",
            )
        lazy = settings.path_length.every if self._path_length.chosen else None
        self.generator_adam = adam(self.generator.parameters(), settings.generator_adam, lazy=lazy)
        # what a method put at the discriminator's places is not stepped with it
        owned = backbone_parameters(self.discriminator)
        self.discriminator_adam = adam(owned, settings.discriminator_adam, lazy=self._penalty.lazy)
        self.average = Average(self.generator, settings.ema.decay, settings.ema.start)
        self.loss = loss
        self._joint = settings.passes == "joint"
        self._told = loss.head(conditions)["conditions"] > 0

    def state(self) -> dict[str, Any]:
        """Networks, optimisers, average and what path lengths have been, for a method's own state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_adam": self.generator_adam,
            "discriminator_adam": self.discriminator_adam,
            "average": self.average,
            **({"path_length": self._path_length} if self._path_length.chosen else {}),
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

    def made(self, latents: Tensor, told: Tensor | None) -> Tensor:
        """What the generator makes of latents [n, latent_dim] and conditions, with gradient.

        Noise inside it is the context's, drawn for the whole batch; so are styles that it is to mix.
        """
        generator: Generator = self.generator
        images: Tensor
        if isinstance(generator, StyledGenerator) and generator.style_mixing:
            images = generator.synthesise(mixed_styles(generator, latents, told, self.ctx), self.ctx.noise)
        else:
            images = generator(latents, told, self.ctx.noise)
        return images

    @torch.no_grad()
    def fakes(self, n: int, told: Tensor | None) -> Tensor:
        """Images [n, ...] for a step of the discriminator, without gradient."""
        return self.made(self.latents(n), told)

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
        real = self.discriminator.as_made(real)
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
        return self.judge(self.discriminator.as_made(real), labels).score if self.loss.paired else None

    def penalty(self, real: Tensor, fake: Tensor, labels: Tensor | None, step: int) -> dict[str, Tensor]:
        """``{"penalty": ...}``, weighted, where one is named and due at discriminator step `step`; else nothing."""
        return self._penalty.terms(self._critic(labels), self.discriminator.as_made(real), fake, step)

    def _critic(self, labels: Tensor | None) -> Callable[[Tensor], Tensor]:
        return lambda images: self.loss.score(self.judge(images, labels).score, labels)

    # -- lazy regularisation, behind the step of either network --------------------------------------

    def regularise_discriminator(
        self, real: Tensor, labels: Tensor | None, step: int, fake: Callable[[], Tensor] | None = None
    ) -> None:
        """A step of the discriminator on the penalty alone, where it has steps of its own and one is due.

        :param labels: of the real images; told to the fakes too.
        :param fake: makes fresh fakes like `real`, where they are not simply those of :meth:`fakes`.
        """
        if not self._penalty.due(step, own_step=True):
            return
        for rows, told in self.ctx.parts(real, labels):
            made = self.fakes(len(rows), told) if fake is None else fake()
            shown = self.discriminator.as_made(rows)
            terms = {"penalty": self._penalty.term(self._critic(told), shown, made)}
            self.ctx.minimize(discriminator=(terms, self.discriminator_adam), reach_all=True)

    def regularise_generator(self, n: int, told: Tensor | None) -> None:
        """A step of the generator on path lengths alone, where the settings weigh them and one is due.

        :param n: images of a batch on this device.
        :param told: a condition for each, of which a part serves; those of the real images, say.
        """
        generator: Generator = self.generator
        if not (self._path_length.due(self.ctx.step) and isinstance(generator, StyledGenerator)):
            return
        rows = self._path_length.rows(n)
        if told is not None:  # spread over the batch, so that it comes to the same conditions on several devices
            told = told[:: len(told) // rows][:rows]
        term = self._path_length.term(generator, self.latents(rows), told)
        self.ctx.minimize(generator=({"path_length": term}, self.generator_adam), reach_all=True)
