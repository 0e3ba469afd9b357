from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from floats import assert_floats_are_seen
from torch import Tensor, nn
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16

from harness.builtin.extractors.vgg16 import load
from harness.errors import EvaluationError

CPU = torch.device("cpu")


class Narrow(nn.Module):
    """A VGG16 with few channels, whose published size is half a gigabyte; the last three layers are cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.ReLU(), nn.AdaptiveAvgPool2d(7), nn.Flatten())
        wide = [nn.Linear(392, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 4096), nn.ReLU(), nn.Dropout()]
        self.classifier = nn.Sequential(*wide, nn.Linear(4096, 10))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def test_features_are_those_of_torch_fidelity_after_the_rectifier(
    tmp_path: Path, colour: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.models, "vgg16", Narrow)
    torch.manual_seed(0)
    torch.save(Narrow().state_dict(), tmp_path / "vgg16.pth")
    theirs = FeatureExtractorVGG16("vgg16", ["fc2", "fc2_relu"], str(tmp_path / "vgg16.pth"))
    before, after = theirs(colour)
    extractor = load(tmp_path / "vgg16.pth", CPU)
    found = extractor(colour)["features"]
    assert extractor.outputs == ("features",)
    assert found.shape == (4, 4096)
    assert torch.allclose(found, after, rtol=1e-4, atol=1e-5)
    assert bool((before < 0).any())
    assert float(found.min()) == 0.0
    assert_floats_are_seen(extractor, colour)


def test_weights_of_another_network_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.models, "vgg16", Narrow)
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg16.pth")
    with pytest.raises(EvaluationError, match="weights of extractor 'vgg16' at .* do not fit"):
        load(tmp_path / "vgg16.pth", CPU)
