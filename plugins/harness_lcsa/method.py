"""LCSA-GAN: a GAN whose discriminator sees its own features partly through dictionaries that it learns on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness import (
    Average,
    Batch,
    Context,
    Critique,
    GeneratorSampler,
    LazyPenalty,
    Place,
    Problem,
    SettingsError,
    Stage,
    Stream,
    adam,
)
from harness.layers import Adapters, adapter_parameters, backbone_parameters
from harness_lcsa.block import Coding, LCSABlock
from harness_lcsa.config import LCSASettings
from harness_lcsa.controller import Controller, mean_sign


class LCSAGan:
    """The method of one run: generator, discriminator with dictionaries, three Adams, and the controller."""

    def __init__(self, settings: LCSASettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.conditions = problem.n_classes if settings.conditional else 0
        self.controller = Controller(settings.controller, ctx.device)

        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.latent_dim = backbone.latent_dim
        self.generator = ctx.place(backbone.generator(conditions=self.conditions))
        self.discriminator = ctx.place(backbone.discriminator(conditions=self.conditions, adapters=self.dictionary_at))
        self.blocks = blocks_of(self.discriminator)
        self._check_blocks()

        self.generator_adam = adam(self.generator.parameters(), settings.generator_adam)
        # the dictionaries have an optimiser of their own: no weight decay, no part in the discriminator's step
        self.discriminator_adam = adam(backbone_parameters(self.discriminator), settings.discriminator_adam)
        learning = settings.dictionary
        self.dictionary_adam = torch.optim.Adam(
            adapter_parameters(self.discriminator), lr=learning.lr, betas=learning.betas, eps=learning.eps
        )
        self.average = Average(self.generator, settings.ema.decay, settings.ema.start)
        self.loss = ctx.loss(settings.loss)
        self.penalty = LazyPenalty(settings.penalty, ctx)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """One: the GAN."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.begin)]

    def state(self) -> Mapping[str, Any]:
        """Networks (the dictionaries are in the discriminator), optimisers, average and controller."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_adam": self.generator_adam,
            "discriminator_adam": self.discriminator_adam,
            "dictionary_adam": self.dictionary_adam,
            "average": self.average,
            "controller": self.controller,
        }

    def trained(self) -> GeneratorSampler:
        """The generator, averaged unless averaging is off; sampling needs nothing of LCSA's."""
        return GeneratorSampler.averaged(self.generator, self.average, self.conditions, told_labels=True)

    def begin(self) -> None:
        """Both networks train."""
        self.generator.train()
        self.discriminator.train()

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """n_D steps of the discriminator and its dictionaries, then the controller, the generator and its average."""
        cadence = self.settings.controller.cadence
        for number in range(self.settings.d_steps):
            batch = stream.next()
            critique = self.discriminator_step(batch, self.ctx.step * self.settings.d_steps + number)
            if cadence == "discriminator":
                self.controller.adapt()
        if cadence == "generator":
            self.controller.adapt()
        self.generator_step(len(batch.images))
        self.average.update(self.generator, self.ctx.step)
        self.report(critique.notes)

    def discriminator_step(self, batch: Batch, step: int) -> Critique:
        """One step of the discriminator, then one of the dictionaries with the same features and codes."""
        real, n = batch.images, len(batch.images)
        labels = batch.labels if self.conditions else None
        # a penalty sees real and fake under one condition each, so that they may be interpolated
        told = labels if self.penalty.chosen else self.ctx.conditions(n, self.conditions)
        with torch.no_grad():
            fake = self.generator(self.ctx.latents(n, self.latent_dim), told)

        # one pass codes real and fake together: the dictionaries learn the manifold of both
        both = torch.cat([labels, told]) if labels is not None and told is not None else None
        critique = self.discriminator(torch.cat([real, fake]), both)
        real_logits, fake_logits = critique.score.split(n)
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits),
            "proximity": self.controller.gamma * proximity(critique),  # Eq. (4)
            **self.penalty.terms(lambda x: self.discriminator(x, labels).score, real, fake, step),
        }
        self.ctx.minimize(discriminator=(terms, self.discriminator_adam))

        self.dictionary_step(critique)
        self.controller.observe(self.ctx.mean(mean_sign(real_logits)))
        found: Critique = critique
        return found

    def dictionary_step(self, critique: Critique) -> None:
        """M <- Adam(M, gradient of |X - M a|^2), with the X and a of the pass just made (Alg. 6)."""
        for name, block in self.blocks.items():
            coding: Coding = critique.notes[name]
            with self.ctx.full_precision():
                gradient = coding.dictionary_gradient()
            block.dictionary.grad = self.ctx.mean(gradient)
        self.dictionary_adam.step()
        self.dictionary_adam.zero_grad()

    def generator_step(self, n: int) -> None:
        """One step of the generator through the mixing discriminator, whose dictionaries rest."""
        told = self.ctx.conditions(n, self.conditions)
        critique = self.discriminator(self.generator(self.ctx.latents(n, self.latent_dim), told), told)
        terms = {"adversarial": self.loss.generator(critique.score)}
        if self.settings.proximity.in_generator_loss:
            terms["proximity"] = self.controller.gamma * proximity(critique)
        self.ctx.minimize(generator=(terms, self.generator_adam))
        if self.settings.dictionary.in_generator_step:
            self.dictionary_step(critique)

    # -- reports -----------------------------------------------------------------------------------

    def report(self, codings: Mapping[str, Coding]) -> None:
        """Log the controller and each block; how atoms are used costs a pass over the codes, so only for a log line."""
        controller = self.controller
        self.ctx.log(beta=controller.beta, gamma=controller.gamma, r=controller.r)
        due = (self.ctx.step + 1) % self.settings.log_every == 0
        for name, coding in codings.items():
            measured = {"proximity": coding.proximity, **(coding.diagnostics() if due else {})}
            self.ctx.log(**{f"{name}/{key}": value for key, value in measured.items()})

    # -- building ----------------------------------------------------------------------------------

    def dictionary_at(self, place: Place) -> LCSABlock | None:
        """A dictionary after each block of the discriminator that the settings name."""
        chosen = self.settings.blocks
        if place.kind != "block" or (chosen is not None and place.index not in chosen):
            return None
        return LCSABlock(place.width, self.settings, self.controller, self.ctx.full_precision)

    def _check_blocks(self) -> None:
        known = [place.index for place in self.discriminator.places if place.kind == "block"]
        missing = [index for index in self.settings.blocks or () if index not in known]
        if missing:
            raise SettingsError(
                f"backbone '{self.settings.backbone.name}' has no discriminator block {missing[0]}",
                f"choose blocks from {', '.join(map(str, known))}",
            )


def blocks_of(discriminator: nn.Module) -> dict[str, LCSABlock]:
    """The blocks with dictionaries, by place."""
    children = (
        child for module in discriminator.modules() if isinstance(module, Adapters) for child in module.named_children()
    )
    return {name: block for name, block in children if isinstance(block, LCSABlock)}


def proximity(critique: Critique) -> Tensor:
    """Sum over blocks of |X - h(X)|^2, each by its reduction."""
    codings: list[Coding] = list(critique.notes.values())
    return torch.stack([coding.proximity for coding in codings]).sum()
