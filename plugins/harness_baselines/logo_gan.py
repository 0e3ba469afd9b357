"""Logo-GAN: conditions are clusters of features learned before (Sage, Agustsson, Timofte and Van Gool, CVPR 2018).

First the features, by an auto-encoder (-AE) or by a network that somebody trained with labels (-RC); then k-means,
once; then a conditional GAN on the clusters, as if they were labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Context, GeneratorSampler, Problem, SettingsError, Stage, Stream, adam, sampler_of
from harness.clustering import k_means
from harness.data import TrainingData
from harness.randomness import derived_seed
from harness_baselines.classifier import principal_components, seen_by
from harness_baselines.config import LogoGanSettings
from harness_baselines.rival import conditional_step, rival_pair
from harness_baselines.self_cond import check_clusters

#: images that are coded at once
BLOCK = 500


class LogoGan:
    """The method of one run.

    :raises SettingsError: for data without end, and where there are more clusters than images.
    """

    def __init__(self, settings: LogoGanSettings, problem: Problem, ctx: Context) -> None:
        if problem.n_train is None:
            raise SettingsError(f"data set '{problem.dataset}' never ends, and cannot be clustered before training")
        self.settings = settings
        self.ctx = ctx
        self.k = k = settings.clusters
        check_clusters(k, problem.n_train)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.pair = rival_pair(settings, ctx, backbone, backbone.generator(conditions=k), conditions=k)
        self.codes = settings.features == "autoencoder"
        if self.codes:  # the code is as large as a latent, so that a generator can decode it
            code = backbone.latent_dim
            self.encoder = ctx.place(backbone.discriminator(outputs=0, heads={"code": code}))
            self.decoder = ctx.place(backbone.generator())
            both = [*self.encoder.parameters(), *self.decoder.parameters()]
            self.autoencoder_adam = adam(both, settings.autoencoder.adam)
        self.labels = torch.zeros(problem.n_train, dtype=torch.int64, device=ctx.device)
        self.prior = torch.full((k,), 1.0 / k, device=ctx.device)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """Two: features and clusters, then the GAN on them."""
        settings = self.settings
        steps = max(1, round(settings.autoencoder.share * settings.steps)) if self.codes else 0
        return [
            Stage(
                "clusters",
                steps,
                self.autoencoder_step,
                begin=self.begin_clusters,
                finish=self.cluster,
                products=("labels", "prior"),
                samples=False,
                source=settings.clusters_from,
            ),
            Stage("gan", settings.steps, self.step, begin=self.pair.train, data=self.labelled),
        ]

    def state(self) -> Mapping[str, Any]:
        """Networks, optimisers and average; the auto-encoder where there is one; the clusters."""
        clusters: dict[str, Any] = {"labels": self.labels, "prior": self.prior}
        if self.codes:
            clusters |= {"encoder": self.encoder, "decoder": self.decoder, "autoencoder_adam": self.autoencoder_adam}
        return {**self.pair.state(), **clusters}

    def trained(self) -> GeneratorSampler:
        """The generator, told clusters as often as they occur."""
        return sampler_of(self.pair.generator, self.pair.average, self.k, prior=self.prior)

    # -- first stage -------------------------------------------------------------------------------

    def begin_clusters(self) -> None:
        """The auto-encoder trains; or else the other network's weights are at hand.

        :raises EvaluationError: saying how to get them where they are not.
        """
        if self.codes:
            self.encoder.train()
            self.decoder.train()
        else:
            self.ctx.extractor(self.settings.extractor)

    def autoencoder_step(self, stream: Stream) -> None:
        """One step of encoder and decoder on the mean squared difference of pixels."""
        real = stream.next().images
        rebuilt = self.decoder(self.encoder(real).heads["code"])
        self.ctx.minimize(autoencoder=({"pixels": (rebuilt - real).square().mean()}, self.autoencoder_adam))

    @torch.no_grad()
    def cluster(self, data: TrainingData) -> None:
        """k-means on the features of all training images; each cluster counts as often as it occurs."""
        features = self.coded(data) if self.codes else self.classified(data)
        with self.ctx.full_precision():
            found = k_means(features, self.k, self.settings.restarts, derived_seed(self.ctx.seed, "k-means"))
        self.labels.copy_(found.labels)
        self.prior.copy_(found.histogram())

    def coded(self, data: TrainingData) -> Tensor:
        """The auto-encoder's codes of all training images, [N, latent_dim]."""
        self.encoder.eval()
        parts = torch.arange(len(data)).split(BLOCK)
        with self.ctx.full_precision():
            return torch.cat([self.encoder(data.at(part).images).heads["code"].float() for part in parts])

    def classified(self, data: TrainingData) -> Tensor:
        """The other network's features of all training images, reduced to principal components, [N, F]."""
        extractor = self.ctx.extractor(self.settings.extractor)
        return principal_components(seen_by(extractor, data.values), self.settings.components).to(self.ctx.device)

    # -- second stage ------------------------------------------------------------------------------

    def labelled(self, data: TrainingData) -> TrainingData:
        """The same images, each with its cluster for a label."""
        return data.relabelled(self.labels, self.k)

    def step(self, stream: Stream) -> None:
        """One step of each network under the clusters of the batch."""
        batch = stream.next()
        assert batch.labels is not None  # the stage's data are labelled
        conditional_step(self.pair, batch.images, batch.labels)
