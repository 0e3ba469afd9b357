"""Partitions of points: a network is taught the clusters that k-means finds, as in the authors' toy code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from harness import Batch, Context, Problem, SettingsError, Stage, Stream
from harness.data import LawData, TrainingData
from harness.randomness import derived_seed
from harness_pgmgan.clustering import labels_of, prior_of
from harness_pgmgan.config import PgmganSettings
from harness_pgmgan.operator_norm import settle_norms
from harness_pgmgan.point_partitioner import point_partitioner
from harness_pgmgan.together import set_up_together

#: points whose partitions are counted for the prior
COUNTED = 50_000

#: iterations of k-means, at most
ITERATIONS = 3000


class KMeansPartition:
    """The first stage, and the partitioner that it leaves behind.

    :raises SettingsError: for images.
    """

    def __init__(self, settings: PgmganSettings, problem: Problem, ctx: Context) -> None:
        if problem.kind != "points":
            raise SettingsError(
                f"partitioning=kmeans partitions points, and data set '{problem.dataset}' holds images",
                "use --set partitioning=graph",
            )
        if settings.points.points < settings.partitions:
            raise SettingsError(
                f"{settings.points.points} points cannot make {settings.partitions} partitions",
                f"--set points.points={10 * settings.partitions}",
            )
        self.settings = settings
        self.ctx = ctx
        self.partitioner = ctx.place(point_partitioner(settings.points.network, problem.shape[0], settings.partitions))
        set_up_together(self.partitioner, ctx.mean)
        self.adagrad = torch.optim.Adagrad(self.partitioner.parameters(), settings.points.lr)
        #: all training points, known once the stage begins; the stage itself sees those that are clustered
        self.whole: TrainingData | LawData
        #: share of each partition in the training data
        self.prior = torch.full((settings.partitions,), 1.0 / settings.partitions, device=ctx.device)

    def stages(self) -> list[Stage]:
        """One."""
        return [
            Stage(
                "partition",
                self.settings.points.steps,
                self.step,
                begin=self.begin,
                finish=self.count,
                data=self.clustered,
                products=("partitioner", "prior"),
                samples=False,
                source=self.settings.partition_from,
            )
        ]

    def state(self) -> Mapping[str, Any]:
        """The network, its optimiser, and pi."""
        return {"partitioner": self.partitioner, "partition_adagrad": self.adagrad, "prior": self.prior}

    def partitions(self, real: Batch) -> Tensor:
        """The partition of each point of a batch, int64 [N]."""
        return labels_of(self.partitioner(real.images))

    def begin(self) -> None:
        """The network trains."""
        self.partitioner.train().requires_grad_(True)

    def clustered(self, data: TrainingData | LawData) -> TrainingData:
        """The first points of the data, each with its cluster for a label."""
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        self.whole = data

        points = first_points(data, self.settings.points.points)
        means = KMeans(
            self.settings.partitions,
            n_init=self.settings.points.restarts,
            max_iter=ITERATIONS,
            random_state=derived_seed(self.ctx.seed, "k-means", bits=32),
        )
        with threadpool_limits(1):  # its threads add in any order, and a resumed run is to find the same clusters
            found = means.fit_predict(points.cpu().numpy())
        labels = torch.from_numpy(found).long().to(points.device)
        return TrainingData(points, labels, self.settings.partitions, points.device)

    def step(self, stream: Stream) -> None:
        """Cross-entropy on the clusters."""
        batch = stream.next(self.settings.points.batch_size)
        assert batch.labels is not None  # the stage's data are clustered
        loss = F.cross_entropy(self.partitioner(batch.images), batch.labels)
        self.ctx.minimize(partition=({"cross_entropy": loss}, self.adagrad))

    @torch.no_grad()
    def count(self, _: TrainingData) -> None:
        """pi, the share of each partition in the data, by a partitioner whose caps hold."""
        settle_norms(self.partitioner.eval())
        labels = labels_of(self.partitioner(first_points(self.whole, COUNTED)))
        self.prior.copy_(prior_of(labels, self.settings.partitions))


def first_points(data: TrainingData | LawData, n: int) -> Tensor:
    """The first `n` points, or all there are, float [n, D]."""
    return data.at(torch.arange(n if isinstance(data, LawData) else min(n, len(data)))).images
