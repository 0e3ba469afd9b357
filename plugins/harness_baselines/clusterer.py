"""What a GAN trained on clusters of its own can do: sample clusters as often as they occur, and assign images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from harness import GeneratorSampler, Pair


class ClusteringSampler(GeneratorSampler):
    """A sampler that also says which cluster an image belongs to.

    :param prior: share of each cluster in the training data, float [k].
    :param features: the network that clusters are found in.
    :param cluster_of: images [N, ...] to clusters int64 [N].
    """

    def __init__(
        self, pair: Pair[Any], prior: Tensor, features: nn.Module, cluster_of: Callable[[Tensor], Tensor]
    ) -> None:
        plain = GeneratorSampler.averaged(pair.generator, pair.average, len(prior), prior=prior)
        super().__init__(plain.generator, len(prior), plain.subject, prior=prior)
        self.features = features
        self.cluster_of = cluster_of

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generator, and the network that clusters are found in."""
        return {"generator": self.generator, "features": self.features}

    def assign(self, images: Tensor) -> Tensor:
        """Cluster of each image [N, C, H, W] in [-1, 1], int64 [N]."""
        return self.cluster_of(images)
