"""A stage without steps that chooses the better half of each class, on which a plain GAN is then trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from harness_baselines.config import GanSettings
from harness_baselines.method import Gan
from torch import Tensor

from harness import Context, Problem, SettingsError, Stage, Stream
from harness.data import TrainingData

BLOCK = 500


def scores(data: TrainingData) -> Tensor:
    """How near each item lies to the mean of its class, [N]; higher is better."""
    flat = torch.cat([data.at(index).images.flatten(1) for index in torch.arange(len(data)).split(BLOCK)])
    means = torch.stack([flat[data.labels == k].mean(0) for k in range(data.n_classes)])
    return -(flat - means[data.labels]).square().sum(1)


class Selection(Gan):
    """The plain GAN, with one stage before it."""

    def __init__(self, settings: GanSettings, problem: Problem, ctx: Context) -> None:
        if problem.n_train is None or not problem.n_classes:
            raise SettingsError("selection: there are no labelled items to choose from")
        super().__init__(settings, problem, ctx)
        self.chosen = torch.ones(problem.n_train, dtype=torch.bool, device=ctx.device)

    def stages(self) -> list[Stage]:
        first = Stage("selection", 0, self.nothing, finish=self.select, products=("chosen",), samples=False)
        return [first, *(replace(stage, data=self.of_chosen) for stage in super().stages())]

    def state(self) -> Mapping[str, Any]:
        return {**super().state(), "chosen": self.chosen}

    def nothing(self, stream: Stream) -> None:
        """There are no steps."""

    def select(self, data: TrainingData) -> None:
        score = scores(data)
        self.chosen.fill_(False)
        for k in range(data.n_classes):
            own = (data.labels == k).nonzero().squeeze(1)
            best = score[own].argsort(descending=True, stable=True)[: (len(own) + 1) // 2]
            self.chosen[own[best]] = True

    def of_chosen(self, data: TrainingData) -> TrainingData:
        return data.subset(self.chosen.nonzero().squeeze(1))
