"""Inception-v3 behind clean-fid's resizing (Parmar et al. 2022).

Features are the 2048 of the last pooling. Grey images become three equal channels, as clean-fid reads grey files. The
network is a TorchScript file, which is a program: only the checksum says that it is the published one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.builtin.extractors.colour import ColourExtractor
from harness.builtin.extractors.resizing import clean_bicubic
from harness.builtin.extractors.states import fitting

NAME = "inception-clean"


def load(weights: Path | None, device: torch.device) -> ColourExtractor:
    """The network in NVIDIA's file, which must bear the name that clean-fid looks for."""
    from cleanfid.inception_torchscript import InceptionV3W

    with fitting(NAME, weights) as path, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch deprecates the format, which is the library's choice
        network = InceptionV3W(str(path.parent), download=False).to(device).eval().requires_grad_(False)

    def look(images: Tensor) -> Mapping[str, Tensor]:
        # the optimiser rewrites the program after its first calls, and then the same image has other last bits
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            return {"features": network(clean_bicubic(images).to(device))}

    return ColourExtractor(NAME, look, outputs=("features",), resize="clean-bicubic", device=device)
