"""Stand-ins for trained methods, each with one capability whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Reconstructions, Samples
from harness.contracts.data import Split
from harness.contracts.stream import as_float
from harness.randomness import Seeds, keyed


class Patient:
    """What every stand-in says of itself."""

    networks: Mapping[str, nn.Module] = {}
    subject: Mapping[str, str] = {}


class Replay(Patient):
    """Samples that are items of a set, told their labels: sample i is item i, over and over."""

    def __init__(self, split: Split) -> None:
        self.values = as_float(torch.from_numpy(split.values))
        self.labels = None if split.labels is None else torch.from_numpy(split.labels)
        self.n_conditions = 0 if split.labels is None else len(split.classes)
        self.told_labels = split.labels is not None

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        index = torch.from_numpy(seeds.indices) % len(self.values)
        told = None if self.labels is None else self.labels[index]
        return Samples(self.values[index], told, self.values[index].flatten(1))


class Rebuilder(Replay):
    """Rebuilds images, but not quite: `spoil` is what happens to them on the way. Latents are the pixels."""

    def __init__(self, split: Split, spoil: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__(split)
        self.spoil = spoil

    def reconstruct(self, images: Tensor) -> Reconstructions:
        stored = images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        rebuilt = as_float(torch.from_numpy(self.spoil(stored)))
        return Reconstructions(rebuilt, rebuilt.flatten(1))


class Scorer(Patient):
    """Scores images by their distance from a set's mean image, with noise; `sign` -1 takes outliers for inliers."""

    def __init__(self, split: Split, noise: float, sign: float = 1.0) -> None:
        self.mean = as_float(torch.from_numpy(split.values)).mean(0)
        self.noise, self.sign = noise, sign

    def outlier_scores(self, images: Tensor) -> Mapping[str, Tensor]:
        distance = (images.cpu() - self.mean).square().flatten(1).mean(1)
        noise = torch.from_numpy(keyed("doctor", "scores", int(distance.sum() * 1e4)).normal(0, 1, len(images)))
        return {"distance": self.sign * (distance + self.noise * noise)}


class Grouper(Patient):
    """Groups images by their nearest class mean; clusters in `merged` are one."""

    def __init__(self, split: Split, merged: tuple[int, ...] = ()) -> None:
        assert split.labels is not None
        values, labels = as_float(torch.from_numpy(split.values)).flatten(1), torch.from_numpy(split.labels)
        self.means = torch.stack([values[labels == k].mean(0) for k in range(len(split.classes))])
        self.merged = merged

    def assign(self, images: Tensor) -> Tensor:
        found = torch.cdist(images.cpu().flatten(1), self.means).argmin(1)
        return (
            torch.where(torch.isin(found, torch.tensor(self.merged, dtype=torch.int64)), self.merged[0], found)
            if self.merged
            else found
        )


class Linear(Patient):
    """Images that are a linear map of their latents: every number of its latent space is known.

    :param gains: by how much each latent dimension moves its own direction of image space, [d].
    """

    def __init__(self, gains: Tensor, shape: tuple[int, ...]) -> None:
        self.shape, self.gains = shape, gains
        pixels = int(np.prod(shape))
        basis = torch.linalg.qr(torch.from_numpy(keyed("doctor", "basis").normal(size=(pixels, len(gains))))).Q
        self.weight = (basis * gains).float()  # [pixels, d]

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        latents = self.latents(seeds)
        return Samples(self.generate(latents, 0), None, latents)

    def latents(self, seeds: Seeds) -> Tensor:
        return seeds.normal("latent", len(self.gains))

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        found: Tensor = (latents @ self.weight.to(latents).T).reshape(-1, *self.shape)
        return found

    def latent_scale(self) -> Tensor:
        return self.gains

    def reconstruct(self, images: Tensor) -> Any:
        found = images.flatten(1) @ torch.linalg.pinv(self.weight).T
        return Reconstructions(images, found)
