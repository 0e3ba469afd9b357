"""Files of random weights with the shapes of the published ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn


@torch.no_grad()
def draw(network: nn.Module, seed: int = 0) -> nn.Module:
    """Random weights that keep what differs between images alive through many layers."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0.0, (2.0 / fan_in) ** 0.5, generator=generator)
            if module.bias is not None:
                module.bias.normal_(0.0, 0.1, generator=generator)
    return network


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for torch-fidelity's Inception-v3, 96 MB."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Fresh(FeatureExtractorInceptionV3):
        def load_state_dict(self, state: object) -> None:  # type: ignore[override]
            """There is none yet."""

    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    network = draw(Fresh("inception-v3-compat", ["2048"], empty))
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def colour() -> Tensor:
    """Four colour images that are no noise, uint8 [4, 3, 40, 52]."""
    return photographs(4, 3)


@pytest.fixture
def grey() -> Tensor:
    """Three grey images, uint8 [3, 1, 40, 52]."""
    return photographs(3, 1)


def photographs(count: int, channels: int) -> Tensor:
    """Waves of different lengths and directions, with some noise."""
    draw = np.random.default_rng(count * channels)
    rows, columns = np.mgrid[0:40, 0:52]
    waves = draw.uniform(-0.5, 0.5, (count, channels, 2, 1, 1))
    images = 127 + 100 * np.sin(waves[:, :, 0] * rows + waves[:, :, 1] * columns)
    images += draw.normal(0, 9, images.shape)
    return torch.from_numpy(images.clip(0, 255).astype(np.uint8))
