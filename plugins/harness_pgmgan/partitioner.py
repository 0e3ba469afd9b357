"""The partitioner of images: an invertible network and what makes logits of its features; appendix C.

After the batch norm, which together with its LeakyReLU keeps the features apart, everything is linear: average pooling
and two linear maps are one matrix W, and the logits are W phi(x) as theorem 3 of Armandpour et al. (2021) asks, but
for the kink of the LeakyReLU, and as long as no gain of the batch norm is 0.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from harness.layers import without_autocast
from harness_pgmgan.invertible import invertible_images


class Encoder(nn.Module):
    """Images in [-1, 1] to the features that the contrastive head and the head of logits both see.

    :param shape: (C, H, W) of the images.
    :param width: channels inside the blocks of phi.
    :param groups: of blocks in phi, each at half the resolution of the one before.
    :param blocks: in each group.
    :param hidden: how many features.
    :param cap: largest norm of each convolution of phi.
    :param iterations: of the power iteration in each training pass.
    :raises SettingsError: where H or W cannot be halved groups - 1 times.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        width: int = 160,
        groups: int = 5,
        blocks: int = 4,
        hidden: int = 512,
        cap: float = 0.9,
        iterations: int = 5,
    ) -> None:
        super().__init__()
        self.body = invertible_images(shape, width=width, groups=groups, blocks=blocks, cap=cap, iterations=iterations)
        # the authors' factory has a momentum of 0.9: running statistics of hardly more than the last batch, of which
        # a partitioner that is frozen afterwards would keep one draw
        self.norm = nn.BatchNorm2d(self.body.shape[0], momentum=0.1)
        self.project = nn.Linear(self.body.shape[0], hidden)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] to [N, hidden]."""
        maps = F.leaky_relu(self.norm(self.body(images)), 0.2)  # [N, C', H', W']
        with without_autocast(maps):
            features: Tensor = self.project(maps.to(self.project.weight.dtype).mean((2, 3)))
        return features  # no activation: theorem 3


class Partitioner(nn.Module):
    """Images in [-1, 1] to logits of k partitions; an image belongs to the partition of its largest logit.

    Encoder and head are apart, because one encoder serves any k.
    """

    def __init__(self, encoder: Encoder, k: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.project.out_features, k)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] to logits [N, k], in the precision of the weights."""
        features = self.encoder(images)
        with without_autocast(features):
            logits: Tensor = self.head(features)
        return logits


class ContrastiveHead(nn.Module):
    """h of the pretext task, Eq. (4): two linear maps with a ReLU between them, and the result on the unit sphere."""

    def __init__(self, hidden: int = 512, out: int = 128) -> None:
        super().__init__()
        self.enter = nn.Linear(hidden, hidden)
        self.leave = nn.Linear(hidden, out)

    def forward(self, features: Tensor) -> Tensor:
        """Features [N, hidden] to unit vectors [N, out]."""
        with without_autocast(features):
            return F.normalize(self.leave(F.relu(self.enter(features.to(self.enter.weight.dtype)))), dim=1)
