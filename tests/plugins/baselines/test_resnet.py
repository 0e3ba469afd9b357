"""ResNet-50 as a feature network, on random weights: what it sees, what it gives, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from harness_baselines.resnet import load
from torchvision.models import ResNet50_Weights, resnet50

from harness.errors import EvaluationError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(resnet50(weights=None).state_dict(), path)
    return path


def test_features_are_what_torchvisions_own_network_pools(weights: Path) -> None:
    images = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    network = resnet50(weights=None).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    pooled = []
    network.avgpool.register_forward_hook(lambda module, inputs, output: pooled.append(output.flatten(1)))
    transforms = ResNet50_Weights.IMAGENET1K_V1.transforms(crop_size=224, resize_size=224)
    with torch.no_grad():
        network(transforms(images))
    features = load(weights, CPU)(images)["features"]
    assert features.shape == (2, 2048)
    # torchvision rounds to 8 bits after it has resized
    torch.testing.assert_close(features, pooled[0], atol=0.02 * float(pooled[0].abs().max()), rtol=0)


def test_grey_images_are_seen_as_colour_and_others_refused(weights: Path) -> None:
    extractor = load(weights, CPU)
    grey = torch.randint(256, (1, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(extractor.prepared(grey), extractor.prepared(grey.repeat(1, 3, 1, 1)))
    with pytest.raises(EvaluationError, match="1 or 3 channels, not 2x8x8"):
        extractor.check((2, 8, 8))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(EvaluationError, match="do not fit"):
        load(tmp_path / "other.pth", CPU)
    with pytest.raises(EvaluationError, match="needs a file of weights"):
        load(None, CPU)
