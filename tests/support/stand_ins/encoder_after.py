"""A GAN, and then an encoder trained on images of its averaged generator, which stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from harness_baselines.method import Gan
from torch import Tensor, nn

from harness import Context, GeneratorSampler, Problem, Stage, Stream, adam
from harness.contracts import Discriminator, Reconstructions
from stand_ins.config import EncoderAfterSettings


class Rebuilder(GeneratorSampler):
    """Samples, and rebuilds images."""

    encoder: Discriminator

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "encoder": self.encoder}

    def reconstruct(self, images: Tensor) -> Reconstructions:
        z = self.encoder(images).heads["latent"]
        return Reconstructions(self.generate(z, 0), z)


class EncoderAfter(Gan):
    """The plain GAN, with one stage more."""

    def __init__(self, settings: EncoderAfterSettings, problem: Problem, ctx: Context) -> None:
        super().__init__(settings, problem, ctx)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.encoder = ctx.place(backbone.discriminator(outputs=0, heads={"latent": backbone.latent_dim}))
        self.encoder_adam = adam(self.encoder.parameters(), settings.encoder.adam)

    def stages(self) -> list[Stage]:
        return [*super().stages(), Stage("encoder", self.settings.encoder.steps, self.encode, begin=self.encoder.train)]

    def state(self) -> Mapping[str, Any]:
        return {**super().state(), "encoder": self.encoder, "encoder_adam": self.encoder_adam}

    def trained(self) -> Rebuilder:
        sampler = Rebuilder.averaged(self.pair.generator, self.pair.average)
        sampler.encoder = self.encoder
        return sampler

    def encode(self, stream: Stream) -> None:
        """One step of the encoder; no batch is drawn."""
        z = self.pair.latents(self.ctx.share(self.settings.batch_size))
        with torch.no_grad():
            images = self.pair.average.module(z, None, self.ctx.noise)
        error = (self.encoder(images).heads["latent"] - z).square().mean()
        self.ctx.minimize(encoder=(error, self.encoder_adam))
