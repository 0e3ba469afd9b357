from __future__ import annotations

from pathlib import Path

import pytest
import torch
from floats import assert_floats_are_seen
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from harness.builtin.extractors.colour import ColourExtractor
from harness.builtin.extractors.inception_tf import load
from harness.errors import EvaluationError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def extractor(inception_weights: Path) -> ColourExtractor:
    return load(inception_weights, CPU)


def test_features_and_logits_are_those_of_torch_fidelity(
    extractor: ColourExtractor, inception_weights: Path, colour: Tensor
) -> None:
    theirs = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], str(inception_weights))
    features, logits = theirs(colour)
    found = extractor(colour)
    assert extractor.outputs == tuple(found) == ("features", "logits")
    assert (found["features"].shape, found["logits"].shape) == ((4, 2048), (4, 1008))
    assert torch.allclose(found["features"], features, rtol=1e-4)
    assert torch.allclose(found["logits"], logits, rtol=1e-4, atol=1e-4)
    assert float(features.std(0).mean()) > 5e-3  # images differ, and so the comparison tells something


def test_logits_are_without_the_bias(extractor: ColourExtractor, inception_weights: Path, colour: Tensor) -> None:
    state = torch.load(inception_weights, weights_only=True)
    found = extractor(colour)
    assert torch.allclose(found["logits"], found["features"] @ state["fc.weight"].T, rtol=1e-4, atol=1e-4)


def test_grey_images_look_like_their_colour_copies(extractor: ColourExtractor, grey: Tensor) -> None:
    copies = grey.repeat(1, 3, 1, 1)
    assert torch.equal(extractor(grey)["features"], extractor(copies)["features"])


def test_weights_of_another_network_are_refused_in_one_line(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(3, 3)}, tmp_path / "net.pth")
    with pytest.raises(EvaluationError, match="weights of extractor 'inception-tf' at .* do not fit") as caught:
        load(tmp_path / "net.pth", CPU)
    assert "\n" not in str(caught.value)


def test_floats_are_resized_and_seen_as_they_are(extractor: ColourExtractor, colour: Tensor) -> None:
    assert_floats_are_seen(extractor, colour[:2])
