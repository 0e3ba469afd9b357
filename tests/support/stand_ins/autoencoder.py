"""Two networks, one loss, one optimiser; nothing is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from harness import Context, Problem, Stage, Stream, adam
from harness.contracts import Discriminator, Generator, Reconstructions
from stand_ins.config import SupervisedSettings


class Rebuilder:
    """Rebuilds images."""

    subject: Mapping[str, str] = {"weights": "raw"}

    def __init__(self, encoder: Discriminator, decoder: Generator) -> None:
        self.encoder, self.decoder = encoder, decoder

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"encoder": self.encoder, "decoder": self.decoder}

    def reconstruct(self, images: Tensor) -> Reconstructions:
        z = self.encoder(images).heads["latent"]
        return Reconstructions(self.decoder(z), z)


class Autoencoder:
    """The method of one run."""

    def __init__(self, settings: SupervisedSettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.encoder = ctx.place(backbone.discriminator(outputs=0, heads={"latent": backbone.latent_dim}))
        self.decoder = ctx.place(backbone.generator())
        self.adam = adam([*self.encoder.parameters(), *self.decoder.parameters()], settings.adam)

    def stages(self) -> list[Stage]:
        return [Stage("autoencoder", self.settings.steps, self.step, begin=self.begin)]

    def state(self) -> Mapping[str, Any]:
        return {"encoder": self.encoder, "decoder": self.decoder, "adam": self.adam}

    def trained(self) -> Rebuilder:
        return Rebuilder(self.encoder, self.decoder)

    def begin(self) -> None:
        self.encoder.train()
        self.decoder.train()

    def step(self, stream: Stream) -> None:
        x: Tensor = stream.next().images
        loss = (self.decoder(self.encoder(x).heads["latent"]) - x).square().mean()
        self.ctx.minimize(autoencoder=(loss, self.adam))
