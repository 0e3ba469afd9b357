"""What every feature network must do that says it takes float images."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.evaluation.feature_networks.extractor import Extractor, check_takes_floats


def assert_floats_are_seen(extractor: Extractor, images: Tensor) -> None:
    """A float copy of uint8 images is the same to the network; one between two levels is neither of them.

    To the nearest, down or up: a network that rounds sees one of the levels.
    """
    check_takes_floats(extractor, "it")
    below = images.clamp(max=254)
    lower, between, upper = (extractor(shown) for shown in (below, below.float() + 0.4, below + 1))
    copies = extractor(below.float())
    for output in extractor.outputs:
        assert torch.allclose(copies[output], lower[output], rtol=1e-5, atol=1e-6), output
        step = (upper[output] - lower[output]).norm()
        for level in (lower, upper):
            assert float((between[output] - level[output]).norm()) > 0.1 * float(step) > 0, output
