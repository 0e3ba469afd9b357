"""LCSA-GAN: a GAN whose discriminator sees its own features partly through dictionaries that it learns on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness import (
    AdamSettings,
    Batch,
    Context,
    Critique,
    GeneratorSampler,
    Pair,
    Place,
    Problem,
    SettingsError,
    Stage,
    Stream,
    adam,
    sampler_of,
)
from harness.layers import Adapters, adapter_parameters
from harness_lcsa.block import Coding, LCSABlock, joined
from harness_lcsa.config import LCSASettings
from harness_lcsa.controller import Controller, mean_sign


class LCSAGan:
    """The method of one run: generator, discriminator with dictionaries, three Adams, and the controller."""

    def __init__(self, settings: LCSASettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.conditions = k = problem.n_classes if settings.conditional else 0
        self.controller = Controller(settings.controller, ctx.device)

        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        generator = backbone.generator(conditions=k)
        discriminator = backbone.discriminator(**self.loss.head(k), adapters=self.dictionary_at)
        self.pair = Pair(settings, ctx, self.loss, generator, discriminator, conditions=k)
        self.blocks = blocks_of(self.pair.discriminator)
        self._check_blocks()
        # the dictionaries have an optimiser of their own: no weight decay, no part in the discriminator's step
        learning = settings.dictionary
        chosen = AdamSettings(lr=learning.lr, betas=learning.betas, eps=learning.eps)
        self.dictionary_adam = adam(adapter_parameters(self.pair.discriminator), chosen)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """One: the GAN."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        """Networks (the dictionaries are in the discriminator), optimisers, average and controller."""
        own = {"dictionary_adam": self.dictionary_adam, "controller": self.controller}
        return {**self.pair.state(), **own}

    def trained(self) -> GeneratorSampler:
        """The generator, averaged unless averaging is off; sampling needs nothing of LCSA's."""
        return sampler_of(self.pair.generator, self.pair.average, self.conditions, told_labels=True)

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """n_D steps of the discriminator and its dictionaries, then the controller, the generator and its average."""
        cadence = self.settings.controller.cadence
        for number in range(self.settings.d_steps):
            batch = stream.next()
            codings = self.discriminator_step(batch, self.ctx.step * self.settings.d_steps + number)
            if cadence == "discriminator":
                self.controller.adapt()
        if cadence == "generator":
            self.controller.adapt()
        self.generator_step(batch)
        self.pair.average.update(self.pair.generator, self.ctx.step)
        self.report(codings)

    def discriminator_step(self, batch: Batch, step: int) -> Mapping[str, Coding]:
        """One step of the discriminator, then one of the dictionaries with the same features and codes."""
        pair, real, n = self.pair, batch.images, len(batch.images)
        labels = batch.labels if self.conditions else None
        told = pair.told(n, labels)
        fake = pair.fakes(n, told)

        # the dictionaries learn the manifold of real and fake images together, whether in one pass or two
        critiques, real_logits, fake_logits = pair.judge_both(real, fake, labels, told)
        codings = self.codings(critiques)
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits, labels, told),
            "proximity": self.controller.gamma * proximity(codings),  # Eq. (4)
            **pair.penalty(real, fake, labels, step),
        }
        self.ctx.minimize(discriminator=(terms, pair.discriminator_adam))
        pair.regularise_discriminator(real, labels, step)

        self.dictionary_step(codings)
        self.controller.observe(self.ctx.mean(mean_sign(self.loss.score(real_logits, labels))))
        return codings

    def dictionary_step(self, codings: Mapping[str, Coding]) -> None:
        """M <- Adam(M, gradient of |X - M a|^2), with the X and a of the pass just made (Alg. 6)."""
        for name, block in self.blocks.items():
            with self.ctx.full_precision():
                gradient = codings[name].dictionary_gradient()
            block.dictionary.grad = self.ctx.mean(gradient)
        self.dictionary_adam.step()
        self.dictionary_adam.zero_grad()

    def generator_step(self, batch: Batch) -> None:
        """One step of the generator through the mixing discriminator, whose dictionaries rest."""
        pair, n = self.pair, len(batch.images)
        labels = batch.labels if self.conditions else None
        told = pair.asked(n, labels)
        critique = pair.judge(pair.made(pair.latents(n), told), told)
        real_logits = pair.beside(batch.images, labels)
        codings = self.codings([critique])
        terms = {"adversarial": self.loss.generator(critique.score, told, real_logits)}
        if self.settings.proximity.in_generator_loss:
            terms["proximity"] = self.controller.gamma * proximity(codings)
        self.ctx.minimize(generator=(terms, pair.generator_adam))
        pair.regularise_generator(n, labels)
        if self.settings.dictionary.in_generator_step:
            self.dictionary_step(codings)

    def codings(self, critiques: Sequence[Critique]) -> Mapping[str, Coding]:
        """What the blocks noted, by place; of two passes as if they had been one."""
        mean = self.settings.proximity.reduction == "mean"
        return {name: joined([critique.notes[name] for critique in critiques], mean) for name in self.blocks}

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
        known = [place.index for place in self.pair.discriminator.places if place.kind == "block"]
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


def proximity(codings: Mapping[str, Coding]) -> Tensor:
    """Sum over blocks of |X - h(X)|^2, each by its reduction."""
    return torch.stack([coding.proximity for coding in codings.values()]).sum()
