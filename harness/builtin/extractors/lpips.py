"""LPIPS, version 0.1 on VGG16 (Zhang et al. 2018, eq. 1), a perceptual distance, with torch-fidelity's arithmetic.

    d(a, b) = sum over layers l of the mean over positions of w_l . (y_l(a) - y_l(b))^2

y_l: activations of layer l, of unit length over the channels; w_l: learned, not negative. It stands on two published
files, the weights w_l and those of the network. N: pairs of images.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch_fidelity.sample_similarity_base import SampleSimilarityBase
from torch_fidelity.sample_similarity_lpips import NetLinLayer, SampleSimilarityLPIPS, VGG16features
from torchvision.models.vgg import cfgs, make_layers

from harness import full_precision
from harness.builtin.extractors.colour import check_channels
from harness.builtin.extractors.states import fitting, state_dict
from harness.errors import EvaluationError

NAME = "lpips-vgg16"

#: the files, in the folder of the weights: the network, and the weights of its layers
TRUNK, LAYERS = "vgg16-397923af.pth", "weights-vgg16-lpips.pth"

#: fewest pixels a side: the network halves an image four times
SMALLEST = 16

#: where VGG16 is cut into the parts whose outputs are compared, and the channels of these
CUTS, CHANNELS = (0, 4, 9, 16, 23, 30), (64, 128, 256, 512, 512)

#: of red, green and blue, for images in [-1, 1]
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class Trunk(VGG16features):
    """torch-fidelity's five parts of VGG16, which it can otherwise only download."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        nn.Module.__init__(self)
        layers = make_layers(cfgs["D"], batch_norm=False)
        prefix = "features."
        layers.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        for number, (start, end) in enumerate(pairwise(CUTS), 1):
            self.add_module(f"slice{number}", layers[start:end])


class Similarity(SampleSimilarityLPIPS):
    """torch-fidelity's distance, which it can otherwise only download, for images in [-1, 1]."""

    def __init__(self, trunk: Mapping[str, Tensor], layers: Mapping[str, Tensor]) -> None:
        SampleSimilarityBase.__init__(self, NAME)
        self.sample_similarity_resize = self.sample_similarity_dtype = None
        self.L = len(CHANNELS)
        self.lins = [NetLinLayer(channels, use_dropout=True) for channels in CHANNELS]
        for number, layer in enumerate(self.lins):
            self.add_module(f"lin{number}", layer)
        self.load_state_dict(layers)
        self.net = Trunk(trunk)
        self.eval().requires_grad_(False)

    @staticmethod
    def normalize(images: Tensor) -> Tensor:
        """What torch-fidelity does to images in [0, 255], without the way through them, which costs digits."""
        shift, scale = (torch.tensor(values, device=images.device).view(3, 1, 1) for values in (SHIFT, SCALE))
        return (images.float() - shift) / scale


class Lpips:
    """The distance in eval mode, float32 without TF32; it resizes nothing, which is the caller's part."""

    outputs = ("distance",)
    resize = "native"
    batch = 16

    def __init__(self, similarity: Similarity, device: torch.device) -> None:
        self.similarity = similarity.to(device)
        self.device = device

    def check(self, shape: tuple[int, ...]) -> None:
        check_channels(NAME, shape)
        if min(shape[1:]) < SMALLEST:
            taken = f"images of at least {SMALLEST} pixels a side"
            raise EvaluationError(f"extractor '{NAME}' takes {taken}, not {'x'.join(map(str, shape))}")

    @torch.no_grad()
    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances float [N] of images float [N, 3, H, W] in [-1, 1], H and W at least 16."""
        if (
            a.shape != b.shape
            or a.ndim != 4
            or a.shape[1] != 3
            or not (a.is_floating_point() and b.is_floating_point())
        ):
            shapes = " and ".join(f"{side.dtype} {'x'.join(map(str, side.shape))}" for side in (a, b))
            raise EvaluationError(f"'{NAME}' compares floating point images of 3 channels and one shape, not {shapes}")
        self.check(tuple(a.shape[1:]))
        with full_precision(self.device):
            distances: Tensor = self.similarity(a.to(self.device), b.to(self.device))
        return distances.flatten()

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        raise EvaluationError(f"'{NAME}' is a distance of two images and has no features", "name a feature network")


def load(weights: Path | None, device: torch.device) -> Lpips:
    """The distance with the two files in the folder `weights`."""
    with fitting(NAME, weights) as folder:
        similarity = Similarity(state_dict(folder / TRUNK), state_dict(folder / LAYERS))
    return Lpips(similarity, device)
