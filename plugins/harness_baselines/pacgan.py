"""PacGAN: the discriminator judges m images at once (Lin, Khetan, Fanti and Oh, NeurIPS 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from harness import Context, GeneratorSampler, Problem, SettingsError, Stage, Stream, sampler_of
from harness_baselines.config import PacGanSettings
from harness_baselines.rival import rival_pair, step_discriminator, step_generator


class PacGan:
    """The method of one run.

    :raises SettingsError: where a batch cannot be divided into packs.
    """

    def __init__(self, settings: PacGanSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.pack = settings.pack
        world = ctx.world
        if settings.batch_size % (self.pack * world):
            shared = f" on each of {world} devices" if world > 1 else ""
            whole = self.pack * world
            raise SettingsError(
                f"a batch of {settings.batch_size} cannot be divided into packs of {self.pack}{shared}",
                f"--set batch_size={whole * (settings.batch_size // whole + 1)}",
            )
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.pair = rival_pair(settings, ctx, backbone, backbone.generator(), pack=self.pack)

    def stages(self) -> list[Stage]:
        """One: the GAN."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        """Networks, optimisers and average."""
        return self.pair.state()

    def trained(self) -> GeneratorSampler:
        """The generator, image by image."""
        return sampler_of(self.pair.generator, self.pair.average)

    def step(self, stream: Stream) -> None:
        """One step of each network: packs are groups within the real batch, and groups within the fake batch."""
        pair, real = self.pair, self.packed(stream.next().images)
        n = len(real) * self.pack
        fake = self.packed(pair.fakes(n, None))
        _, real_logits, fake_logits = pair.judge_both(real, fake, None, None)
        step_discriminator(pair, real_logits, fake_logits, **pair.penalty(real, fake, None, self.ctx.step))
        pair.regularise_discriminator(real, None, self.ctx.step, lambda: self.packed(pair.fakes(n, None)))
        fake_logits = pair.judge(self.packed(pair.made(pair.latents(n), None)), None).score
        step_generator(pair, fake_logits, real=pair.beside(real, None))

    def packed(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] to packs [N / m, m C, H, W]."""
        return packed(images, self.pack)


def packed(images: Tensor, m: int) -> Tensor:
    """D(x_1, ..., x_m), Lin et al., section 2: m images after each other become one with m times the channels.

    :param images: [N, C, H, W] or points [N, D], N a multiple of m.
    :returns: [N / m, m C, H, W] or [N / m, m D].
    """
    return images.reshape(len(images) // m, m * images.shape[1], *images.shape[2:])
