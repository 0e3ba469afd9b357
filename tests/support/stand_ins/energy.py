"""A classifier that scores outliers by the energy of its logits, of features that are clipped, and assigns classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Context, Problem, SettingsError, Stage, Stream, adam
from harness.contracts import Discriminator
from stand_ins.config import EnergySettings


class Scorer:
    """Scores outliers, and assigns classes.

    :ivar clip: largest value of a feature that is left, [].
    """

    subject: Mapping[str, str] = {"weights": "raw"}
    calibrated_on = "test"

    def __init__(self, encoder: Discriminator, linear: nn.Linear, quantile: float) -> None:
        self.encoder, self.linear, self.quantile = encoder, linear, quantile
        self.clip = torch.tensor(torch.inf)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"encoder": self.encoder, "linear": self.linear}

    def calibrate(self, blocks: Iterable[Tensor]) -> None:
        """Blocks of images [B, C, H, W], or images one by one."""
        features = [self.encoder(block.view(-1, *block.shape[-3:])).feature for block in blocks]
        self.clip = torch.cat(features).quantile(self.quantile)

    def logits(self, images: Tensor) -> Tensor:
        feature = self.encoder(images).feature
        return self.linear(feature.clamp(max=self.clip.to(feature.device)))

    def outlier_scores(self, images: Tensor) -> Mapping[str, Tensor]:
        return {"energy": -self.logits(images).logsumexp(1)}

    def assign(self, images: Tensor) -> Tensor:
        return self.logits(images).argmax(1)


class Energy:
    """The method of one run."""

    def __init__(self, settings: EnergySettings, problem: Problem, ctx: Context) -> None:
        if not problem.n_classes:
            raise SettingsError("energy: there are no classes to tell apart")
        self.settings, self.ctx = settings, ctx
        self.encoder = ctx.place(ctx.backbone(settings.backbone, problem.shape).discriminator(outputs=0))
        self.linear = ctx.place(nn.Linear(self.encoder.feature_dim, problem.n_classes))
        self.adam = adam([*self.encoder.parameters(), *self.linear.parameters()], settings.adam)

    def stages(self) -> list[Stage]:
        return [Stage("classifier", self.settings.steps, self.step, begin=self.encoder.train)]

    def state(self) -> Mapping[str, Any]:
        return {"encoder": self.encoder, "linear": self.linear, "adam": self.adam}

    def trained(self) -> Scorer:
        return Scorer(self.encoder, self.linear, self.settings.quantile)

    def step(self, stream: Stream) -> None:
        batch = stream.next()
        logits = self.linear(self.encoder(batch.images).feature)
        self.ctx.minimize(classifier=(F.cross_entropy(logits, batch.labels), self.adam))
