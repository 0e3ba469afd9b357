"""Partitions of images: features that know an image by its views (Eq. 4), then partitions of their graph (Eq. 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Batch, Context, Problem, SettingsError, Stage, Stream, adam
from harness.data import TrainingData
from harness_pgmgan.clustering import labels_of, partition_loss, prior_of
from harness_pgmgan.config import PgmganSettings
from harness_pgmgan.contrastive import info_nce
from harness_pgmgan.neighbours import drawn_neighbours, neighbour_lists
from harness_pgmgan.operator_norm import settle_norms
from harness_pgmgan.partitioner import ContrastiveHead, Encoder, Partitioner
from harness_pgmgan.together import set_up_together
from harness_pgmgan.views import VIEWS

#: images that pass through the partitioner at once outside of training
BLOCK = 500

#: images whose partitions are counted for the prior
COUNTED = 50_000


class GraphPartition:
    """The first two stages, and the partitioner that they leave behind.

    :raises SettingsError: for data that are no images, never end, or are fewer than a graph needs.
    """

    def __init__(self, settings: PgmganSettings, problem: Problem, ctx: Context) -> None:
        if problem.kind != "images" or problem.n_train is None:
            raise SettingsError(
                f"partitioning=graph partitions images, and data set '{problem.dataset}' holds points",
                "use --set partitioning=kmeans",
            )
        self.settings = settings
        self.ctx = ctx
        chosen = settings.partition
        encoder = Encoder(
            problem.shape, width=chosen.width, groups=chosen.groups, blocks=chosen.blocks, hidden=chosen.hidden
        )
        self.partitioner = ctx.place(Partitioner(encoder, settings.partitions))
        set_up_together(self.partitioner, ctx.mean)
        self.contrast = ctx.place(ContrastiveHead(chosen.hidden))
        taught = [*self.partitioner.encoder.parameters(), *self.contrast.parameters()]
        pretext = settings.pretext
        self.sgd = torch.optim.SGD(taught, pretext.lr, pretext.momentum, weight_decay=pretext.weight_decay)
        self.adam = adam(self.partitioner.parameters(), chosen.adam)
        self.items = min(problem.n_train, chosen.items or problem.n_train)
        if self.items <= chosen.neighbours:
            raise SettingsError(
                f"a graph of {self.items} images cannot give each of them {chosen.neighbours} neighbours",
                "use --set partition.neighbours=N or more data",
            )
        #: each image of the graph and its nearest others
        self.neighbours = torch.zeros(self.items, chosen.neighbours + 1, dtype=torch.int64, device=ctx.device)
        #: all training images, known once the second stage begins, which itself sees those of the graph
        self.whole: TrainingData
        #: share of each partition in the training data
        self.prior = torch.full((settings.partitions,), 1.0 / settings.partitions, device=ctx.device)

    # -- what the method hands on ------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """Pretext and partitioner; only the latter where it is taken from another run."""
        settings = self.settings
        pretext = Stage(
            "pretext",
            settings.pretext.steps,
            self.pretext_step,
            begin=self.begin,
            finish=self.find_neighbours,
            products=("partitioner.encoder", "neighbours"),
            samples=False,
            source=settings.pretext_from,
        )
        partition = Stage(
            "partition",
            settings.partition.steps,
            self.partition_step,
            begin=self.begin,
            finish=self.count,
            data=self.in_graph,
            products=("partitioner", "prior"),
            samples=False,
            source=settings.partition_from,
        )
        return [partition] if settings.partition_from else [pretext, partition]

    def state(self) -> Mapping[str, Any]:
        """Networks and optimisers of both stages, and what they found."""
        return {
            "partitioner": self.partitioner,
            "contrastive_head": self.contrast,
            "pretext_sgd": self.sgd,
            "partition_adam": self.adam,
            "neighbours": self.neighbours,
            "prior": self.prior,
        }

    def partitions(self, real: Batch) -> Tensor:
        """The partition of each image of a batch, int64 [N]."""
        return labels_of(self.partitioner(real.images))

    # -- the pretext task --------------------------------------------------------------------------

    def begin(self) -> None:
        """The partitioner trains."""
        self.partitioner.train().requires_grad_(True)

    def pretext_step(self, stream: Stream) -> None:
        """Two views of each image are to find each other."""
        pretext = self.settings.pretext
        for group in self.sgd.param_groups:
            group["lr"] = cosine(pretext.lr, pretext.lr * pretext.final_share, self.ctx.step / pretext.steps)
        images = stream.next(pretext.batch_size).images
        view = VIEWS[pretext.views]
        both = torch.cat([view(images, self.ctx), view(images, self.ctx)])
        a, b = self.contrast(self.partitioner.encoder(both)).chunk(2)
        with self.ctx.full_precision():
            loss = info_nce(self.ctx.gather(a.float()), self.ctx.gather(b.float()), pretext.temperature)  # Eq. (4)
        self.ctx.minimize(pretext=({"contrastive": loss}, self.sgd))

    @torch.no_grad()
    def find_neighbours(self, data: TrainingData) -> None:
        """The graph on the images' contrastive features."""
        settle_norms(self.partitioner.eval())
        embedded = [self.contrast(self.partitioner.encoder(images)) for images in blocks(data, self.items)]
        with self.ctx.full_precision():
            self.neighbours.copy_(neighbour_lists(torch.cat(embedded).float(), self.settings.partition.neighbours))

    # -- the partitioner ---------------------------------------------------------------------------

    def in_graph(self, data: TrainingData) -> TrainingData:
        """The images that have neighbours."""
        self.whole = data
        return data.subset(torch.arange(self.items))

    def partition_step(self, stream: Stream) -> None:
        """An image and one of its neighbours are to lie in one partition, and partitions are to be of one size."""
        chosen = self.settings.partition
        batch = stream.next(chosen.batch_size)
        near = stream.data.at(drawn_neighbours(self.neighbours, batch.index, self.ctx))
        view = VIEWS[chosen.views]
        both = torch.cat([view(batch.images, self.ctx), view(near.images, self.ctx)])
        logits, near_logits = self.partitioner(both).chunk(2)
        with self.ctx.full_precision():
            logits, near_logits = (self.ctx.gather(rows.float()) for rows in (logits, near_logits))  # mean over all
            terms = partition_loss(logits, near_logits, chosen.sample_weight, chosen.mean_weight)  # Eq. (5)
        self.ctx.minimize(partition=(terms, self.adam))

    @torch.no_grad()
    def count(self, _: TrainingData) -> None:
        """pi, the share of each partition in the data, by a partitioner whose caps hold."""
        settle_norms(self.partitioner.eval())
        labels = torch.cat([labels_of(self.partitioner(images)) for images in blocks(self.whole, COUNTED)])
        self.prior.copy_(prior_of(labels, self.settings.partitions))


def cosine(start: float, end: float, done: float) -> float:
    """From `start` to `end` along half a cosine; `done` from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def blocks(data: TrainingData, items: int) -> Iterator[Tensor]:
    """The first images of the data, float [BLOCK or fewer, C, H, W]."""
    for index in torch.arange(min(items, len(data))).split(BLOCK):
        yield data.at(index).images
