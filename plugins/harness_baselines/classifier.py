"""Features of a network that was trained with labels, and their principal components."""

from __future__ import annotations

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from harness.evaluation import Extractor


def seen_by(extractor: Extractor, images: Tensor) -> Tensor:
    """Images uint8 [N, C, H, W] to the network's features, float32 [N, F], on the CPU.

    :raises EvaluationError: where the network does not take such images.
    """
    extractor.check(tuple(images.shape[1:]))
    return torch.cat([extractor(part)["features"].float().cpu() for part in images.split(extractor.batch)])


def principal_components(features: Tensor, most: int) -> Tensor:
    """Features [N, F] to their first principal components, float32 [N, min(most, N, F)]."""
    components = min(most, *features.shape)
    # an exact solver: the randomised one that scikit-learn may take otherwise depends on a seed
    reduced = PCA(components, svd_solver="covariance_eigh").fit_transform(features.numpy())
    return torch.from_numpy(reduced).float()
