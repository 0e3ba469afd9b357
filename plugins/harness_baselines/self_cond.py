"""Self-conditioned GAN: conditions are clusters in the discriminator's own features (Liu et al., CVPR 2020, Alg. 1)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Context, Problem, SettingsError, Stage, Stream
from harness.clustering import Clustering, followed, k_means, nearest
from harness.contracts import Discriminator
from harness.data import LawData, TrainingData
from harness.randomness import derived_seed, keyed
from harness_baselines.clusterer import ClusteringSampler
from harness_baselines.config import SelfCondSettings
from harness_baselines.rival import conditional_step, rival_pair

#: images whose features are taken at once
BLOCK = 500


class SelfCond:
    """The method of one run.

    :raises SettingsError: where fewer images are clustered than there are clusters.
    """

    def __init__(self, settings: SelfCondSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.k = k = settings.clusters
        n = settings.clustered if problem.n_train is None else min(settings.clustered, problem.n_train)
        check_clusters(k, n)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.pair = rival_pair(settings, ctx, backbone, backbone.generator(conditions=k), conditions=k)
        self.told = self.pair.loss.head(k)["conditions"] > 0
        # what labels images: the discriminator as it was when it was last clustered, and the clusters found in it
        self.frozen: Discriminator = copy.deepcopy(self.pair.discriminator).requires_grad_(False).eval()
        self.centres = torch.zeros(k, self.frozen.feature_dim, device=ctx.device)
        self.labels = torch.zeros(n, dtype=torch.int64, device=ctx.device)
        self.prior = torch.full((k,), 1.0 / k, device=ctx.device)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """One: the GAN, which clusters on its way."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.begin)]

    def state(self) -> Mapping[str, Any]:
        """Networks, optimisers and average; the frozen discriminator and the clusters in its features."""
        clusters = {"frozen": self.frozen, "centres": self.centres, "labels": self.labels, "prior": self.prior}
        return {**self.pair.state(), **clusters}

    def trained(self) -> ClusteringSampler:
        """The generator, told clusters as often as they occur; and the clusters of images."""
        return ClusteringSampler(self.pair, self.prior, self.frozen, self.cluster_of)

    def begin(self) -> None:
        """Both networks train, the frozen one does not."""
        self.pair.train()
        self.frozen.eval()

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """Now and then cluster anew; then one step of each network, real images told their cluster."""
        if self.ctx.step % self.settings.recluster_every == 0:
            self.recluster(stream.data)
        real = stream.next().images
        conditional_step(self.pair, real, self.cluster_of(real))

    @torch.no_grad()
    def recluster(self, data: TrainingData | LawData) -> None:
        """Freeze the discriminator as it is, and cluster the same training images in its features.

        The first time from k-means++; later from the means of the clusters as they were, keeping their numbers.
        """
        self.frozen.load_state_dict(self.pair.discriminator.state_dict())
        index = clustered(len(self.labels), None if isinstance(data, LawData) else len(data), self.ctx.seed)
        features = torch.cat([self.features(data.at(part).images) for part in index.split(BLOCK)])
        with self.ctx.full_precision():
            if self.ctx.step == 0:
                found = k_means(features, self.k, self.settings.restarts, derived_seed(self.ctx.seed, "k-means"))
            else:
                found = followed(features, self.labels, self.k)
                self.ctx.log(relabelled=(found.labels != self.labels).float().mean())
        self.keep(found)

    def keep(self, found: Clustering) -> None:
        """Take over clusters; tensors are written in place, because others hold them."""
        self.centres.copy_(found.centres)
        self.labels.copy_(found.labels)
        self.prior.copy_(found.histogram())

    @torch.no_grad()
    def cluster_of(self, images: Tensor) -> Tensor:
        """The cluster of each image [N, ...] in the frozen discriminator's features, int64 [N]."""
        features = self.features(images)
        with self.ctx.full_precision():
            # distances are taken from the middle, where they lose least
            middle = self.centres.mean(0)
            return nearest(features - middle, self.centres - middle)[0]

    def features(self, images: Tensor) -> Tensor:
        """Images [N, ...] to what the frozen discriminator's linear head sees, float32 [N, F]."""
        # which condition it is told does not matter: conditions come in after the feature
        told = torch.zeros(len(images), dtype=torch.int64, device=images.device) if self.told else None
        with self.ctx.full_precision():
            feature: Tensor = self.frozen(images, told).feature
            return feature.flatten(1).float()


def check_clusters(k: int, n: int) -> None:
    """Refuse more clusters than images.

    :raises SettingsError: naming both.
    """
    if k > n:
        raise SettingsError(f"{n} images cannot make {k} clusters", f"--set clusters={max(1, n // 10)}")


def clustered(n: int, of: int | None, seed: int) -> Tensor:
    """The training images that are clustered, int64 [n], the same whenever asked.

    :param of: how many there are; None for an endless law, whose first ones they are then.
    """
    if of is None:
        return torch.arange(n)
    return torch.from_numpy(keyed("clustered", seed).permutation(of)[:n])
