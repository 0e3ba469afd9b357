"""The smallest GAN: two networks, two optimisers, one step."""

import torch

from harness import GeneratorSampler, MethodSettings, Stage


class ToySettings(MethodSettings):
    lr: float = 1e-3


class Toy:
    def __init__(self, settings, problem, ctx):
        self.settings, self.ctx, self.loss = settings, ctx, ctx.loss("nsgan")
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.generator = ctx.place(backbone.generator())
        self.discriminator = ctx.place(backbone.discriminator())
        self.generator_adam = torch.optim.Adam(self.generator.parameters(), settings.lr, (0.5, 0.99))
        self.discriminator_adam = torch.optim.Adam(self.discriminator.parameters(), settings.lr, (0.5, 0.99))

    def stages(self):
        return [Stage("gan", self.settings.steps, self.step)]

    def state(self):
        names = ("generator", "discriminator", "generator_adam", "discriminator_adam")
        return {name: getattr(self, name) for name in names}

    def trained(self):
        return GeneratorSampler(self.generator, subject={"weights": "raw"})

    def step(self, stream):
        real = stream.next().images
        fake = self.generator(self.ctx.latents(len(real), self.generator.latent_dim))
        real_logits, fake_logits = self.discriminator(real).score, self.discriminator(fake.detach()).score
        self.ctx.minimize(discriminator=(self.loss.discriminator(real_logits, fake_logits), self.discriminator_adam))
        self.ctx.minimize(generator=(self.loss.generator(self.discriminator(fake).score), self.generator_adam))
