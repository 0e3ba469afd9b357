"""torch-fidelity's networks see floats as they are and bytes as ever, and the library is left as it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16
from torch_fidelity.helpers import vassert

from harness.builtin.extractors.fidelity import forward_of


class Plain(nn.Module):
    """Its mean, with a shift that is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((1, 2, 3)) + self.shift


class Strict(Plain):
    """As the library's: bytes alone are taken, and made floats of first."""

    def forward(self, x: Tensor, scale: float = 2.0) -> tuple[Tensor, ...]:
        vassert(x.dtype == torch.uint8, "Expecting bytes")
        x = x.to(torch.float32)
        return super().forward(x) * scale, x


@pytest.fixture
def network() -> Strict:
    return Strict()


@pytest.fixture
def images() -> Tensor:
    """uint8 [2, 3, 4, 4]."""
    return torch.randint(256, (2, 3, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_whole_floats_are_seen_as_the_bytes_are(network: Strict, images: Tensor) -> None:
    look = forward_of(network)
    for found, expected in zip(look(images.float()), network(images), strict=True):
        assert torch.equal(found, expected)
    assert all(torch.equal(*pair) for pair in zip(look(images), network(images), strict=True))


def test_floats_in_between_are_not_rounded(network: Strict, images: Tensor) -> None:
    mean, seen = forward_of(network)(images * 0.9 + 0.3)
    assert torch.equal(seen, images * 0.9 + 0.3)
    torch.testing.assert_close(mean, 2 * ((images * 0.9 + 0.3).mean((1, 2, 3)) + 1))


def test_weights_that_change_later_are_seen(network: Strict, images: Tensor) -> None:
    look = forward_of(network)
    before, _ = look(images.float())
    with torch.no_grad():
        network.shift.add_(3.0)
    torch.testing.assert_close(look(images.float())[0], before + 6.0)


def test_the_network_itself_still_refuses_floats(network: Strict, images: Tensor) -> None:
    forward_of(network)(images.float())
    with pytest.raises(ValueError, match="Expecting bytes"):
        network(images.float())


@pytest.mark.parametrize("theirs", [FeatureExtractorInceptionV3, FeatureExtractorVGG16])
def test_the_librarys_networks_refuse_by_the_name_that_is_exchanged(theirs: type[nn.Module]) -> None:
    assert "vassert" in theirs.forward.__code__.co_names
    assert theirs.forward.__globals__["vassert"] is vassert
