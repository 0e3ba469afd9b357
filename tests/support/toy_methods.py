"""A plugin for tests: a small method with every shape that the training loop must carry.

Two stages (a clustering whose labels are a product, then a GAN conditioned on them), a plain tensor as state, batch
norm, dropout, weight averaging, two optimisers, and a controller.
"""

from __future__ import annotations

import torch
from torch import nn

from harness import Average, MethodSettings, MethodSpec, Recipe, Samples, Scale, Stage, hookimpl


class ToySettings(MethodSettings):
    """Settings of the toy."""

    cluster_steps: int = 6
    lr: float = 1e-2
    cluster_from: str | None = None
    explode_at: int = -1


class Controller:
    """A number that training moves."""

    def __init__(self) -> None:
        self.value = 0.0

    def state_dict(self) -> dict[str, float]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.value = state["value"]


class Trained:
    """Samples from the averaged generator."""

    def __init__(self, generator: nn.Module, k: int) -> None:
        self.networks = {"generator": generator}
        self.subject = {"weights": "ema"}
        self.k = k

    def sample(self, seeds, conditions=None):
        latents = seeds.normal("latent", 4)
        if conditions is None:
            conditions = seeds.integers("condition", self.k)
        onehot = nn.functional.one_hot(conditions, self.k).float()
        return Samples(self.networks["generator"](torch.cat([latents, onehot], 1)), conditions, latents)


class Toy:
    """k-means by gradient, then a GAN told the cluster."""

    K = 3

    def __init__(self, settings: ToySettings, problem, ctx) -> None:
        self.settings, self.ctx = settings, ctx
        (dim,) = problem.shape
        self.centres = ctx.place(nn.ParameterList([torch.randn(self.K, dim)]))
        self.labels = torch.zeros(problem.n_train, dtype=torch.int64, device=ctx.device)
        self.generator = ctx.place(
            nn.Sequential(nn.Linear(4 + self.K, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, dim))
        )
        self.discriminator = ctx.place(nn.Sequential(nn.Linear(dim + self.K, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)))
        self.average = Average(self.generator, 0.9, start=2)
        self.controller = Controller()
        self.loss = ctx.loss("hinge")
        if ctx.device.type != "meta":
            self.c_adam = torch.optim.Adam(self.centres.parameters(), settings.lr)
            self.g_adam = torch.optim.Adam(self.generator.parameters(), settings.lr, betas=(0.0, 0.9))
            self.d_adam = torch.optim.Adam(self.discriminator.parameters(), settings.lr, betas=(0.0, 0.9))

    def stages(self):
        s = self.settings
        return [
            Stage(
                "cluster",
                s.cluster_steps,
                self.cluster,
                finish=self.label,
                products=("centres", "labels"),
                samples=False,
                source=s.cluster_from,
            ),
            Stage("gan", s.steps, self.step, begin=self.begin, data=lambda d: d.relabelled(self.labels, self.K)),
        ]

    def state(self):
        return {
            "centres": self.centres,
            "labels": self.labels,
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.average,
            "controller": self.controller,
            "c_adam": self.c_adam,
            "g_adam": self.g_adam,
            "d_adam": self.d_adam,
        }

    def trained(self):
        return Trained(self.average.module, self.K)

    def cluster(self, stream) -> None:
        x = stream.next().images
        nearest = ((x[:, None] - self.centres[0]) ** 2).sum(-1).min(1).values
        self.ctx.minimize(centres=(nearest.mean(), self.c_adam))

    def label(self, data) -> None:
        with torch.no_grad():
            self.labels.copy_(((data.values[:, None] - self.centres[0]) ** 2).sum(-1).argmin(1))

    def begin(self) -> None:
        self.generator.train()
        self.discriminator.train()

    def step(self, stream) -> None:
        real = stream.next()
        y = nn.functional.one_hot(real.labels, self.K).float()
        z = torch.randn(len(y), 4, device=self.ctx.device)
        with torch.no_grad():
            fake = self.generator(torch.cat([z, y], 1))
        judged = self.discriminator
        d_loss = self.loss.discriminator(
            judged(torch.cat([real.images, y], 1))[:, 0], judged(torch.cat([fake, y], 1))[:, 0]
        )
        if self.ctx.step == self.settings.explode_at:
            d_loss = d_loss * float("nan")
        self.ctx.minimize(discriminator=({"adversarial": d_loss}, self.d_adam))
        fake = self.generator(torch.cat([z, y], 1))
        self.ctx.minimize(
            generator=({"adversarial": self.loss.generator(judged(torch.cat([fake, y], 1))[:, 0])}, self.g_adam)
        )
        self.average.update(self.generator, self.ctx.step)
        self.controller.value += 0.5
        self.ctx.log(controller=self.controller.value)


@hookimpl
def harness_register_methods(register) -> None:
    register(
        MethodSpec(
            name="toy",
            summary="for tests",
            settings="toy_methods:ToySettings",
            method="toy_methods:Toy",
            kinds=("points",),
            recipes=(
                Recipe(
                    id="toy/plain",
                    method="toy",
                    summary="for tests",
                    settings={
                        "backbone": "mlp",
                        "steps": 20,
                        "batch_size": 32,
                        "log_every": 4,
                        "checkpoint_every": 5,
                        "sample_every": 0,
                        "evaluation": {"samples": 200, "block": 50},
                    },
                    scales={"tiny": Scale(settings={"steps": 8})},
                ),
            ),
        )
    )
