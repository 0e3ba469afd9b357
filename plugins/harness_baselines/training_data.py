"""The training data as if a generator had made them: what a metric says of the real thing, and of pure memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness import Context, Problem, Samples, Seeds, Stage, Stream
from harness.contracts import as_float
from harness.data import LawData, TrainingData
from harness_baselines.config import TrainingDataSettings

#: points that are taken of data without end
OF_A_LAW = 100_000

#: items that are copied at once
BLOCK = 5000


class Memory(nn.Module):
    """Items, kept as they are stored."""

    items: Tensor

    def __init__(self, n: int, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("items", torch.zeros(n, *shape, dtype=dtype))

    def forward(self, index: Tensor) -> Tensor:
        """Images [N, C, H, W] in [-1, 1], or points [N, D], by their place int64 [N]."""
        return as_float(self.items[index])


class Copies:
    """Samples drawn from the items, each as likely as any other, with replacement."""

    subject: Mapping[str, str] = {"samples": "training items"}

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The memory, which has no parameters."""
        return {"generator": self.memory}

    @torch.no_grad()
    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """One item per seed; its place stands for a latent."""
        items = self.memory.items
        index = seeds.integers("item", len(items)).to(items.device)
        return Samples(self.memory(index), None, index[:, None].float())


class TrainingItems:
    """The method of one run. It learns nothing: its steps do nothing, and then it looks."""

    def __init__(self, settings: TrainingDataSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        dtype = torch.uint8 if problem.kind == "images" else torch.float32
        self.memory = ctx.place(Memory(problem.n_train or OF_A_LAW, problem.shape, dtype))

    def stages(self) -> list[Stage]:
        """One."""
        return [Stage("look", self.settings.steps, self.step, finish=self.look, samples=False)]

    def state(self) -> Mapping[str, Any]:
        """The items."""
        return {"generator": self.memory}

    def trained(self) -> Copies:
        """Draws from the items."""
        return Copies(self.memory)

    def step(self, stream: Stream) -> None:
        """Nothing is to be learned."""

    @torch.no_grad()
    def look(self, data: TrainingData | LawData) -> None:
        """Copy the data."""
        if isinstance(data, TrainingData):
            self.memory.items.copy_(data.values)
            return
        for index in torch.arange(OF_A_LAW).split(BLOCK):
            self.memory.items[index] = data.at(index).images
